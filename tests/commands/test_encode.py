"""`remogpt encode`."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from remogpt.data.humanml3d import MotionTextSet
from remogpt.retriever import TextMotionRetriever
from remogpt.retriever.text.token_states import TokenStates


@pytest.fixture
def retriever(tiny_components) -> TextMotionRetriever:
    return TextMotionRetriever.from_pretrained(tiny_components.retriever)


@pytest.fixture
def words(tiny_components) -> tuple[object, ...]:
    return ("--retriever", tiny_components.retriever)


def test_a_caption_is_one_unit_row(run, words, retriever, tmp_path: Path) -> None:
    ran = run("encode", "a person walks", "--out", tmp_path / "x.npy", *words)
    row = np.load(tmp_path / "x.npy")
    assert ran.code == 0 and "1 caption, 16 values" in ran.out and row.shape == (16,)
    np.testing.assert_allclose(row, retriever.encode_text(["a person walks"])[0], atol=1e-6)
    assert np.linalg.norm(row) == pytest.approx(1, abs=1e-5) and not (tmp_path / "x.json").exists()


def test_a_motion_file_equals_the_retriever_on_its_features(run, tiny_model, wave: Path, tmp_path: Path) -> None:
    import remogpt

    assert run("encode", wave, "--out", tmp_path / "y.npy", "--model", tiny_model).code == 0
    wanted = remogpt.ReMoGPT.from_pretrained(tiny_model).retriever.encode_motion([remogpt.load_motion(wave).features])
    np.testing.assert_allclose(np.load(tmp_path / "y.npy"), wanted[0], atol=1e-6)


def test_a_folder_is_rows_with_names_and_a_bad_file_is_told(run, words, wave: Path, tmp_path: Path) -> None:
    folder = tmp_path / "recordings"
    (folder / "deep").mkdir(parents=True)
    for name in ("b.npy", "a.npy", "deep/c.npy"):
        (folder / name).write_bytes(wave.read_bytes())
    np.save(folder / "bad.npy", np.zeros(5))
    ran = run("encode", "a person walks", folder, "--out", tmp_path / "y.npy", "--json", *words)
    assert ran.code == 1 and "1 of 4 files could not be read" in ran.err
    index = json.loads((tmp_path / "y.json").read_text())
    assert [Path(item["name"]).name for item in index["items"]] == ["a person walks", "a.npy", "b.npy", "c.npy"]
    assert [item["kind"] for item in index["items"]] == ["text", "motion", "motion", "motion"]
    rows = np.load(tmp_path / "y.npy")
    assert rows.shape == (4, 16) and np.allclose(rows[1], rows[3], atol=1e-6)
    answer = json.loads(ran.out)
    assert answer["failed"][0]["file"].endswith("bad.npy") and "embedding" not in answer["items"][0]


def test_json_without_a_file_prints_the_vectors(run, words, retriever) -> None:
    answer = json.loads(run("encode", "a person runs", "--json", *words).out)
    np.testing.assert_allclose(answer["items"][0]["embedding"], retriever.encode_text(["a person runs"])[0], atol=1e-6)
    assert answer["retriever"] == retriever.hash


def test_a_set_is_arrays_that_belong_together(run, words, retriever, tiny_set: Path, tmp_path: Path) -> None:
    out = tmp_path / "encoded"
    ran = run("encode", "--set", tiny_set, "--split", "train", "--out", out, "--token-states",
              "--min-frames", 1, *words)  # fmt: skip
    assert ran.code == 0 and "12 motions and 36 captions" in ran.out
    index, motions = json.loads((out / "index.json").read_text()), MotionTextSet.open(tiny_set)
    clips = motions.clips("train", 1, 10**9)
    assert index["ids"] == [clip.id for clip in clips] and index["retriever"] == retriever.hash
    assert index["captions"] == [caption for clip in clips for caption in clip.captions]
    assert index["clip_of_caption"] == [clip for clip in range(12) for _ in range(3)]
    texts, rows = np.load(out / "captions.npy"), np.load(out / "motions.npy")
    np.testing.assert_allclose(texts, retriever.encode_text(index["captions"]), atol=1e-5)
    np.testing.assert_allclose(rows, retriever.encode_motion([motions.features(clip) for clip in clips]), atol=1e-5)
    states = TokenStates.open(out / "token_states")
    hidden, lengths = retriever.text.prepare([index["captions"][5]])
    np.testing.assert_allclose(states[index["captions"][5]], hidden[0, : lengths[0]], atol=2e-3)
    assert len(states) == len(set(index["captions"]))


def test_a_killed_run_goes_on_and_a_finished_one_is_left(
    run, words, tiny_set, own_cache: Path, tmp_path: Path, monkeypatch
) -> None:
    from remogpt.stages import encode_set

    monkeypatch.setattr(encode_set, "_SHARD", 5)
    command = ("encode", "--set", tiny_set, "--split", "train", *words)
    run(*command, "--out", tmp_path / "whole")
    shutil.rmtree(own_cache)
    calls: list[int] = []
    encode = TextMotionRetriever.encode_motion

    def counted(self: TextMotionRetriever, motions: list[np.ndarray]) -> np.ndarray:
        calls.append(len(motions))
        if len(calls) == 3:
            raise KeyboardInterrupt
        return encode(self, motions)

    monkeypatch.setattr(TextMotionRetriever, "encode_motion", counted)
    assert run(*command, "--out", tmp_path / "begun").code == 130 and calls == [5, 5, 2]
    assert not (tmp_path / "begun" / "index.json").exists()
    assert run(*command, "--out", tmp_path / "begun").code == 0 and calls == [5, 5, 2, 2]
    for name in ("motions.npy", "captions.npy", "index.json"):
        assert (tmp_path / "begun" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    assert run(*command, "--out", tmp_path / "begun").code == 0 and len(calls) == 4
    assert run(*command, "--out", tmp_path / "elsewhere").code == 0 and len(calls) == 4


def test_what_a_user_may_get_wrong(run, words, tiny_set: Path, wave: Path, tmp_path: Path) -> None:
    out, to_set = ("--out", tmp_path / "x.npy"), ("--out", tmp_path / "encoded")
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("a person walks")
    cases = {
        out: "give a caption, a motion file, a folder, or a set",
        ("walks",): "give --out FILE.npy",
        ("walks", "--out", tmp_path / "x.csv"): "--out must end in .npy",
        ("walks", "--out", tmp_path): "is a folder; name a file in it",
        (wave.with_name("wvae.npy"), *out): "did you mean wave.npy?",
        (tmp_path / "empty", *out): "no motion files in",
        (tmp_path / "notes.txt", *out): "cannot read .txt",
        ("  ", *out): "holds no words",
        ("--text", "<>", *out): "holds no words",
        ("walks", "--token-states", *out): "belong to --set SET",
        ("walks", "--model", "x", *out): "--retriever or --model, not both",
        ("walks", "--set", tiny_set, *to_set): "leave the other words out",
        ("--set", tiny_set): "give --out FOLDER",
        ("--set", tiny_set, "--split", "tset", *to_set): "no split 'tset'",
        ("--set", tmp_path / "empty", *to_set): "is not in HumanML3D's layout",
        ("--set", tiny_set, "--min-frames", 0, *to_set): "wanted 1 <= --min-frames",
        ("--set", tiny_set, "--text-model", "x", *to_set): "add --token-states",
        ("--set", tiny_set, "--out", wave): "is a file; name another folder",
    }
    for case, message in cases.items():
        assert message in run("encode", *case, *words).complaint, case
    assert not (tmp_path / "encoded").exists() and not (tmp_path / "x.npy").exists()


def test_a_retriever_of_tmr_encodes_too(run, tiny_text_model: Path, wave: Path, tmp_path: Path) -> None:
    import torch

    from remogpt.retriever.networks.tmr import TMRConfig
    from remogpt.retriever.training.new_retriever import new_tmr_retriever

    sizes = TMRConfig(width=8, num_layers=1, num_heads=2, feedforward=16)
    tmr = new_tmr_retriever(sizes, str(tiny_text_model), torch.zeros(263), torch.ones(263))
    tmr.save_pretrained(tmp_path / "tmr")
    ran = run("encode", "a person walks", wave, "--retriever", tmp_path / "tmr", "--out", tmp_path / "x.npy")
    assert ran.code == 0 and "1 caption and 1 motion, 8 values each" in ran.out
    rows = np.load(tmp_path / "x.npy")
    np.testing.assert_allclose(rows[0], tmr.encode_text(["a person walks"])[0], atol=1e-6)


def test_token_states_of_a_tuned_text_model_must_be_named(run, tiny_text_model, tiny_set: Path, tmp_path: Path) -> None:
    from remogpt.retriever.networks.pl_tmr import PLTMRConfig
    from remogpt.retriever.training.new_retriever import new_retriever

    small = PLTMRConfig(part_width=16, num_layers=1, num_heads=2, feedforward=32, patch=8, projection_dim=16)
    tuned = new_retriever(small, str(tiny_text_model), True, np.zeros(263), np.ones(263))
    tuned.save_pretrained(tmp_path / "tuned")
    command = ("encode", "--set", tiny_set, "--split", "val", "--retriever", tmp_path / "tuned", "--token-states")
    assert "name a text model with --text-model" in run(*command, "--out", tmp_path / "a").complaint
    assert run(*command, "--text-model", tiny_text_model, "--out", tmp_path / "b").code == 0
    assert TokenStates.open(tmp_path / "b" / "token_states").index["model"] == str(tiny_text_model)


def test_a_folder_of_another_encoding_is_refused(run, words, tiny_set: Path, tmp_path: Path) -> None:
    run("encode", "--set", tiny_set, "--split", "val", "--out", tmp_path / "encoded", *words)
    before = (tmp_path / "encoded" / "motions.npy").read_bytes()
    complaint = run("encode", "--set", tiny_set, "--split", "test", "--out", tmp_path / "encoded", *words).complaint
    assert "holds the encoding of another set, split or retriever" in complaint
    assert (tmp_path / "encoded" / "motions.npy").read_bytes() == before
