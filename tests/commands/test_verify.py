"""`remogpt verify`: every changed bit of a model and a database is noticed, and other folders make sense."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from remogpt.retriever import MotionDatabase
from remogpt.retriever.database.leave_one_out import Neighbours
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import read_json, write_json
from remogpt.runtime.folders.component import save_component
from remogpt.stages import find_neighbours
from remogpt.stages.verify import verify


def flip(path: Path, rng: np.random.Generator) -> int:
    """Flip one bit of a file, and return its byte."""
    content = bytearray(path.read_bytes())
    byte = int(rng.integers(len(content)))
    content[byte] ^= 1 << int(rng.integers(8))
    path.write_bytes(content)
    return byte


def test_what_is_whole_is_said_to_be(
    run: Any, tiny_model: Path, tiny_components: Any, tiny_set: Path, tmp_path: Path
) -> None:
    find_neighbours(tiny_components.database, out=tmp_path / "n.safetensors")
    paths = (tiny_model, tiny_components.tokenizer, tiny_components.database, tiny_set, tmp_path / "n.safetensors")
    ran = run("verify", *paths)
    assert ran.code == 0 and not ran.err, ran.err
    for word in ("model tiny of", "tokenizer ", "database of", "set remogpt-procedural", "neighbours of"):
        assert word in ran.out, word
    assert "is nothing that can be verified" in run("verify", tmp_path).complaint
    assert "no file or folder" in run("verify", tmp_path / "nowhere").complaint
    ran = run("verify", tiny_set, tmp_path)
    assert ran.code == 1 and "set remogpt-procedural" in ran.out and "is nothing that" in ran.err


def test_every_flipped_bit_of_a_model_is_noticed(tiny_model: Path, tmp_path: Path) -> None:
    """Three bits of every file: weights, settings, words, captions, embeddings, offsets, manifests."""
    rng = np.random.default_rng(0)
    folder = tmp_path / "model"
    shutil.copytree(tiny_model, folder)
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    assert len(files) > 15 and verify(folder)
    for path in files:
        whole = path.read_bytes()
        for _ in range(3):
            byte = flip(path, rng)
            try:
                verify(folder)
            except RemogptError:
                pass
            else:  # a line end behind a JSON document, or the version's, says nothing
                assert byte == len(whole) - 1 and path.read_bytes()[:-1] == whole[:-1] and whole[-1:] == b"\n", path
            path.write_bytes(whole)
    (folder / "lm" / "vocabulary.json").unlink()
    with pytest.raises(RemogptError, match=r"vocabulary\.json"):
        verify(folder)


def test_a_database_with_a_changed_file_does_not_open(tiny_components: Any, tmp_path: Path) -> None:
    """An embedding that is off by a bit would give other answers without a word."""
    folder = tmp_path / "db"
    shutil.copytree(tiny_components.database, folder)
    embeddings = next(folder.rglob("motion_embeddings.npy"))
    whole = embeddings.read_bytes()
    embeddings.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(RemogptError, match=r"motion_embeddings\.npy differ from the manifest"):
        MotionDatabase.open(folder)


def test_neighbours_that_were_changed_are_refused(tiny_components: Any, tmp_path: Path) -> None:
    path = tmp_path / "n.safetensors"
    found = find_neighbours(tiny_components.database, out=path)
    rng, whole = np.random.default_rng(1), path.read_bytes()
    for _ in range(30):
        flip(path, rng)
        try:
            again = Neighbours.load(path)
        except RemogptError:
            pass
        else:  # spaces between the parts of the file's header
            assert all(np.array_equal(again.tensors[name], tensor) for name, tensor in found.tensors.items())
            assert again.header == found.header
        path.write_bytes(whole)
    # A file of an earlier version has no sum; what it holds must make sense.
    header = {"header": json.dumps(found.header)}
    for name, value, message in (
        ("t2t/captions", 12386306, "t2t/captions holds values outside 0 to 65536"),
        ("m2m/rows", -2, "m2m/rows holds values outside -1 to"),
        ("t2m/scores", np.nan, "t2m/scores holds values outside"),
        ("caption_offsets", 10**6, "caption_offsets does not divide"),
    ):
        tensors = load_file(path)
        tensors[name].reshape(-1)[1] = value
        save_file(tensors, tmp_path / "old.safetensors", metadata=header)
        with pytest.raises(RemogptError, match=message):
            Neighbours.load(tmp_path / "old.safetensors")
    tensors = load_file(path)
    tensors["m2m/rows"][0, 0] = 10**6
    save_file(tensors, tmp_path / "old.safetensors", metadata=header)
    with pytest.raises(RemogptError, match="name row 1000000 of"):
        Neighbours.load(tmp_path / "old.safetensors", MotionDatabase.open(tiny_components.database))


def test_the_file_of_neighbours_of_the_attack(cases_dir: Path) -> None:
    with pytest.raises(RemogptError, match="t2t/captions holds values outside 0 to 65536"):
        Neighbours.load(cases_dir / "attack/19-neighbours-no-checksum/neigh_flips-2/n.safetensors")


def test_weights_that_are_no_numbers_and_other_nonsense(tiny_set: Path, tmp_path: Path) -> None:
    import torch

    save_component(tmp_path / "c", "copy", {}, {"a": torch.tensor([1.0, torch.nan])})
    with pytest.raises(RemogptError, match=r"a of the copy in .* holds NaN"):
        verify(tmp_path / "c")
    folder = tmp_path / "set"
    shutil.copytree(tiny_set, folder)
    path = sorted((folder / "new_joint_vecs").iterdir())[0]
    rows = np.load(path)
    rows[3, 2] = np.inf
    np.save(path, rows)
    with pytest.raises(
        RemogptError, match=rf"1 motions or captions cannot be used, the first: .*{path.name} holds inf"
    ):
        verify(folder)
    std = np.load(folder / "Std.npy")
    std[0] = 0
    np.save(folder / "Std.npy", std)
    with pytest.raises(RemogptError, match=r"Std\.npy holds values that no statistics have"):
        verify(folder)
    write_json(tmp_path / "results.json", {"results": {"a": {"card": {}, "scores": {"fid": float("nan")}}}})
    with pytest.raises(RemogptError, match="a holds a score that is no number"):
        verify(tmp_path)


def test_a_model_whose_manifest_was_edited_says_so(
    tiny_model: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    from remogpt.runtime.folders.model_folder import read_manifest

    folder = tmp_path / "model"
    shutil.copytree(tiny_model, folder)
    content = read_json(folder / "remogpt.json")
    write_json(folder / "remogpt.json", content | {"generation": {"best_of": 3}})
    assert (
        read_manifest(folder)["generation"] == {"best_of": 3} and "is not as 'remogpt assemble' wrote it" in caplog.text
    )
    with pytest.raises(RemogptError, match="is not as 'remogpt assemble' wrote it"):
        verify(folder)
