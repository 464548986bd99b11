"""Training by Python functions writes what the command line writes."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from remogpt import stages
from remogpt.data.humanml3d import MotionTextSet
from remogpt.lm import T5Size
from remogpt.lm.copying.train import CopyConfig
from remogpt.lm.training.train import LanguageModelConfig
from remogpt.retriever import MotionDatabase
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import read_json
from remogpt.runtime.training.loop import LoopConfig
from remogpt.tokenizer_vqvae import MotionTokenizer
from remogpt.tokenizer_vqvae.train import TokenizerConfig

LOOP = LoopConfig(steps=2, batch_size=4, learning_rate=1.0e-3, save_every=2, log_every=1, cpu=True)
LM = LanguageModelConfig(size=T5Size(16, 32, 1, 1, 2, 8), vocabulary_size=320, num_codes=32, loop=LOOP)


def hash_of(folder: Path) -> str:
    return str(read_json(folder / "config.json")["hash"])


def test_the_stages_are_named_without_loading_torch() -> None:
    code = "import sys, remogpt.stages; print('torch' in sys.modules, *remogpt.stages.__all__)"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert told[0] == "False" and {"train_tokenizer", "build_database", "find_neighbours"} <= set(told)
    assert all(callable(getattr(stages, name)) for name in told[1:])


def test_a_tokenizer_from_python_is_the_command_lines(run: Any, tiny_set: Path, tmp_path: Path) -> None:
    small = {"width": 16, "num_codes": 32, "code_dim": 16, "depth": 1, "window": 32}
    trained = stages.train_tokenizer(tiny_set, out=tmp_path / "python", config=TokenizerConfig(**small, loop=LOOP))
    loop = {"steps": 2, "batch_size": 4, "learning_rate": 1.0e-3, "save_every": 2, "log_every": 1, "cpu": True}
    (tmp_path / "t.yaml").write_text(yaml.safe_dump({**small, "loop": loop}))
    words = ("--config", tmp_path / "t.yaml", "--data", tiny_set, "--out", tmp_path / "command")
    assert run("train", "tokenizer", *words).code == 0
    assert trained.hash == hash_of(tmp_path / "command") == hash_of(tmp_path / "python")
    assert (tmp_path / "python" / "run" / "log.jsonl").is_file()


def test_what_a_killed_run_left_half_written_is_gone(tiny_set: Path, tiny_components: Any, tmp_path: Path) -> None:
    """Before anything else is done, which may be refused."""
    half = tmp_path / ".model.k1l2ed3x.safetensors"
    half.write_bytes(b"half")
    with pytest.raises(RemogptError, match="neighbours are rows of a database"):
        stages.train_lm(tiny_set, out=tmp_path, tokenizer=tiny_components.tokenizer, config=LM, neighbours="n")
    assert not half.exists()


def test_a_language_model_and_a_copy_head_from_paths_or_objects(
    tiny_set: Path, tiny_components: Any, tmp_path: Path
) -> None:
    found = stages.find_neighbours(tiny_components.database, out=tmp_path / "n.safetensors")
    val = stages.build_database(tiny_set, out=tmp_path / "val", split="val", retriever=tiny_components.retriever,
                                tokenizer=tiny_components.tokenizer)  # fmt: skip
    asked = stages.find_neighbours(tiny_components.database, out=tmp_path / "v.safetensors", queries=val)
    opened = {"tokenizer": MotionTokenizer.from_pretrained(tiny_components.tokenizer),
              "database": MotionDatabase.open(tiny_components.database)}  # fmt: skip
    paths = {"tokenizer": str(tiny_components.tokenizer), "database": str(tiny_components.database)}
    for name, given, data, neighbours in (
        ("objects", opened, MotionTextSet.open(tiny_set), found),
        ("paths", paths, tiny_set, tmp_path / "n.safetensors"),
    ):
        lm = stages.train_lm(data, out=tmp_path / name / "lm", config=LM, neighbours=neighbours, **given)
        assert lm.hash == hash_of(tmp_path / name / "lm")
        queries, own = (val, asked) if name == "objects" else (tmp_path / "val", tmp_path / "v.safetensors")
        head = stages.train_copy(out=tmp_path / name / "copy", queries=queries, neighbours=own,
                                 config=CopyConfig(loop=LOOP), **given)  # fmt: skip
        assert head.config["tokenizer"] == opened["tokenizer"].hash
    for kind in ("lm", "copy"):
        assert hash_of(tmp_path / "objects" / kind) == hash_of(tmp_path / "paths" / kind)


def test_neighbours_need_their_database(tiny_set: Path, tiny_components: Any, tmp_path: Path) -> None:
    with pytest.raises(RemogptError, match="neighbours are rows of a database"):
        stages.train_lm(tiny_set, out=tmp_path / "lm", tokenizer=tiny_components.tokenizer, config=LM, neighbours="n")
    assert not (tmp_path / "lm").exists()
