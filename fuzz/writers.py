"""Every command that writes, small, and what it needs; for `fuzz.kills`."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from benchmarks.kills import SETTINGS

LOOP = {"steps": 6, "batch_size": 4, "log_every": 2, "save_every": 2, "evaluate_every": 3}
SMALLER: dict[str, dict[str, Any]] = {
    "tokenizer": {"width": 16, "code_dim": 16}, "retriever": {}, "tmr": {}, "lm_pretrain": {}, "lm_instruct": {},
    "copy": {},
}  # fmt: skip
READER: dict[str, Any] = {
    "size": {"width": 16, "layers": 1, "decoder_layers": 1, "heads": 2, "feedforward": 32}, "scripts": 30,
    "val_scripts": 10, "people": 0, "loop": SETTINGS["copy"]["loop"] | LOOP,
}  # fmt: skip
FINDER: dict[str, Any] = {"fact_clips": 1, "size": {"width": 16, "hidden": 16}, "loop": SETTINGS["copy"]["loop"] | LOOP}


@dataclass(frozen=True)
class Writer:
    """A command that writes into its working folder."""

    name: str
    words: tuple[str, ...]
    """With `{base}` for the folder of the inputs."""
    needs: tuple[str, ...] = ()
    """Inputs that it changes, copied into the working folder."""
    again: tuple[str, ...] = ()
    """Further words of a run after one that was killed."""
    keeps: tuple[str, ...] = ()
    """Patterns of finished files that the next run must not make again."""


def _words(line: str) -> tuple[str, ...]:
    return tuple(line.split())


def _evaluation(task: str) -> tuple[str, ...]:
    return (
        "eval", task, "--data", "{base}/set", "--out", "out", "--config.splits", '["train"]',
        "--config.batch_size", "4", "--config.num_generation", "6", "--config.best_of", "[1]", "--config.repeats", "2",
        "--config.modes",
        '["no_retrieval"]', "--allow-overlap",
    )  # fmt: skip


ITEMS = ("set/items/*.json",)
PARTS = "--tokenizer {base}/tokenizer --retriever {base}/retriever"
CHECKPOINT = ("out/run/training.pt",)
WRITERS = (
    Writer("data make", _words("data make --out set --clips 6 --workers 1 --seed 3"), keeps=ITEMS),
    Writer("data import", _words("data import folder {base}/recordings --captions {base}/table.csv --out set"),
           keeps=ITEMS),
    Writer("db build", _words(f"db build {{base}}/set --split train --out db {PARTS}")),
    Writer("db add", _words(f"db add db {{base}}/set --split val {PARTS}"), ("db",)),
    Writer("db remove", _words("db remove db --text walks"), ("db",)),
    Writer("db merge", _words("db merge db {base}/other --out both"), ("db",)),
    Writer("db filter", _words("db filter db --max-seconds 5 --out short"), ("db",)),
    Writer("db dedupe", _words("db dedupe db --max-distance 0.02"), ("db",)),
    Writer("db rebuild", _words(f"db rebuild db --no-facts {PARTS}"), ("db",)),
    Writer("db export", _words("db export db --out entries.csv"), ("db",)),
    Writer("db gc", _words("db gc old"), ("old",)),
    Writer("db neighbours", _words("db neighbours {base}/db --out n.safetensors")),
    Writer("train tokenizer", _words("train tokenizer --config {base}/tokenizer.yaml --data {base}/set --out out")),
    Writer("train retriever", _words("train retriever --config {base}/retriever.yaml --data {base}/set --out out")),
    Writer("train tmr", _words("train tmr --config {base}/tmr.yaml --data {base}/set --out out")),
    Writer("train lm pretrain", _words(
        "train lm --config {base}/lm_pretrain.yaml --data {base}/set --tokenizer {base}/tokenizer --out out")),
    Writer("train lm instruct", _words(
        "train lm --config {base}/lm_instruct.yaml --data {base}/set --tokenizer {base}/tokenizer "
        "--start-from {base}/lm --database {base}/db --neighbours {base}/n.safetensors --out out")),
    Writer("train copy", _words(
        "train copy --config {base}/copy.yaml --tokenizer {base}/tokenizer --database {base}/db --queries {base}/db "
        "--neighbours {base}/n.safetensors --out out")),
    Writer("train reader", _words("train reader --config {base}/reader.yaml --out out")),
    Writer("train finder", _words("train finder --config {base}/finder.yaml --data {base}/families --out out")),
    Writer("encode set", _words("encode --set {base}/set --out out --retriever {base}/retriever --token-states")),
    Writer("encode files", _words("encode {base}/recordings --out out.npy --retriever {base}/retriever")),
    Writer("caption", _words("caption {base}/recordings --out captions.csv --best-of 1")),
    Writer("generate", _words("generate walks --seconds 2 --best-of 1 --out walk.bvh"), again=("--force",)),
    Writer("generate file", _words("generate --file {base}/prompts.txt --best-of 1 --seconds 1 --format npy --out out"),
           again=("--force",)),
    Writer("convert", _words("convert {base}/recordings out --format bvh"), again=("--force",)),
    Writer("eval facts", _evaluation("facts"), keeps=("out/parts/*.json",)),
    Writer("eval captioning", _evaluation("captioning"), keeps=("out/parts/*.json",)),
    Writer("assemble", _words(f"assemble {PARTS} --lm {{base}}/lm --database {{base}}/db --name new --out model"),
           ("model",)),
    Writer("demo", _words("demo --out demo --prompts {base}/prompts.txt --motions {base}/recordings --seed 1")),
)  # fmt: skip


def make_inputs(base: Path, run: Callable[[tuple[str, ...], Path], None]) -> Iterator[str]:
    """Make the inputs by the commands themselves; yields what is being made.

    Args:
        base: an empty folder.
        run: runs a command in a folder, and raises unless it succeeds.
    """
    for name, settings in SETTINGS.items():
        loop = settings["loop"] | LOOP
        (base / f"{name}.yaml").write_text(yaml.safe_dump(settings | SMALLER[name] | {"loop": loop}))
    (base / "reader.yaml").write_text(yaml.safe_dump(READER))
    (base / "finder.yaml").write_text(yaml.safe_dump(FINDER))
    (base / "prompts.txt").write_text("a person walks\na person waves\nsomeone sits down\n")
    for line in (
        "data make --out set --clips 15 --workers 1 --unseen-share 0",
        "data make --out families --clips 15 --workers 1 --unseen-share 0 --families 4",
        "train tokenizer --config {base}/tokenizer.yaml --data {base}/set --out tokenizer",
        "train retriever --config {base}/retriever.yaml --data {base}/set --out retriever",
        "train lm --config {base}/lm_pretrain.yaml --data {base}/set --tokenizer {base}/tokenizer --out lm",
        f"db build {{base}}/set --split train --out db {PARTS}",
        f"db build {{base}}/set --split val --out other {PARTS}",
        "db neighbours {base}/db --out n.safetensors",
        "db filter {base}/db --max-seconds 6 --out old",
        "db remove old --text walks",
        f"assemble {PARTS} --lm {{base}}/lm --name old --out model",
    ):
        yield line
        run(_words(line), base)
    shutil.rmtree(base / "cache", ignore_errors=True)
    clips = sorted((base / "set" / "new_joints").iterdir())[:4]
    (base / "recordings").mkdir()
    for path in clips:
        shutil.copy(path, base / "recordings")
    rows = [f"{path.name},a person moves {number}" for number, path in enumerate(clips)]
    (base / "table.csv").write_text("\n".join(["file,caption", *rows]) + "\n")
