"""What is fuzzed: the files that are damaged, and the reader that then meets them."""

import contextlib
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from remogpt import cli, load_motion
from remogpt.commands.cli_parts.options import read_lines
from remogpt.commands.cli_parts.parser import CommandParser
from remogpt.data.humanml3d import MotionTextSet
from remogpt.data.importers.caption_table import read_table
from remogpt.data.importers.tmr import import_tmr
from remogpt.eval.compare import compare
from remogpt.eval.runs.caption_files import read_captions
from remogpt.lm import Vocabulary
from remogpt.motion.files.read import READABLE
from remogpt.motion.files.write import WRITABLE
from remogpt.prompts import ask_for_motion, clean_text
from remogpt.retriever import MotionDatabase, Neighbours
from remogpt.retriever.database.version_files import manifest_hash
from remogpt.runtime.files import sha256_file
from remogpt.runtime.folders.component import load_component
from remogpt.runtime.folders.find_model import embedded_model
from remogpt.stages.verify import verify
from remogpt.tokenizer_vqvae.train import TokenizerConfig

KIND = "copy"
"""Of the component."""
UNFORESEEN = "no part of the program expected this"
TALLEST, FARTHEST = 10.0, 1e5
"""Metres: the largest extent of a body in one frame, and the largest coordinate, of what a reader may accept."""


class ImplausibleError(Exception):
    """Raised for a body that no person has, accepted without a word."""


class UnforeseenError(Exception):
    """Raised where a command ended in an error that no part of the program foresaw."""


@dataclass(frozen=True)
class Target:
    """One reader."""

    name: str
    files: tuple[str, ...]
    """Patterns of the files that are damaged, one of them each time; the seeds' folder is copied around them."""
    needs: tuple[str, ...]
    """Files and folders that are copied."""
    read: Callable[[Path, np.random.Generator], object]
    """Reads what lies in a folder."""


def _motion(folder: Path, rng: np.random.Generator) -> None:
    motion = load_motion(next(path for path in sorted((folder / "motions").iterdir()) if path.suffix != ".asf"))
    joints = np.asarray(motion.joints)
    if not np.isfinite(joints).all() or np.abs(joints).max() > FARTHEST or np.ptp(joints, axis=1).max() > TALLEST:
        raise ImplausibleError(f"{np.abs(joints).max():g} m, extent {np.ptp(joints, axis=1).max():g} m")


def _set(folder: Path, rng: np.random.Generator) -> None:
    motions = MotionTextSet.open(folder / "set")
    for split in motions.splits():
        for clip in motions.clips(split, 1, 10**9):
            motions.features(clip)
            motions.claims(clip)
    assert motions.mean.shape == motions.std.shape


def _component(folder: Path, rng: np.random.Generator) -> None:
    load_component(folder / "component", KIND)


def _database(folder: Path, rng: np.random.Generator) -> None:
    database = MotionDatabase.open(folder / "database")
    database.verify()
    _search(database)


def _database_with_right_sums(folder: Path, rng: np.random.Generator) -> None:
    """As one made by a hostile program: sums and names are those of the damaged files."""
    (version,) = (path for path in (folder / "database" / "versions").iterdir() if not path.name.startswith("."))
    try:
        manifest = json.loads((version / "manifest.json").read_bytes())
        manifest["files"] = {name: sha256_file(version / name) for name in manifest["files"]}
        (version / "manifest.json").write_text(json.dumps(manifest))
        name = manifest_hash(manifest)
        version.rename(version.with_name(name))
        (folder / "database" / "CURRENT").write_text(name)
    except (ValueError, KeyError, TypeError, AttributeError, OSError):
        return  # the manifest itself is damaged, which the other target covers
    database = MotionDatabase.open(folder / "database")
    _search(database)
    database.verify()


def _search(database: MotionDatabase) -> None:
    query = np.zeros(database.motion_embeddings.shape[1], np.float32)
    query[:1] = 1.0
    for route in ("t2m", "t2t"):
        database.search_embedding(query, route, k=2)
    for row in range(len(database)):
        database.info(row), database.codes(row), database.features(row)


def _neighbours(folder: Path, rng: np.random.Generator) -> None:
    Neighbours.load(folder / "neighbours.safetensors", MotionDatabase.open(folder / "database"))


def _settings(folder: Path, rng: np.random.Generator) -> None:
    parser = CommandParser(prog="fuzz")
    parser.add_argument("--config", type=TokenizerConfig, default=TokenizerConfig())
    parser.read(["--config", str(folder / "settings.yaml")])


def _prompt(folder: Path, rng: np.random.Generator) -> None:
    words = _vocabulary()
    for _, line in read_lines(folder / "prompts.txt"):
        cleaned = clean_text(line)
        assert clean_text(cleaned) == cleaned
        ids = words.encode_text(line)
        assert all(0 <= token < words.motion_offset for token in ids)
        with contextlib.suppress(ValueError):  # one word longer than the prompt; the pipeline turns it into our error
            ask_for_motion("remogpt", line, count=words.count)


def _vocabulary() -> Vocabulary:
    if not _opened:
        _opened.append(Vocabulary.load(embedded_model("mini") / "lm"))
    return _opened[0]


_opened: list[Vocabulary] = []


def _command(folder: Path, rng: np.random.Generator) -> None:
    """Run a command whose words are damaged, in the folder of the seeds."""
    try:
        commands = json.loads((folder / "commands.json").read_bytes().decode("utf-8", "surrogateescape"))
        words = [str(word) for word in commands[int(rng.integers(len(commands)))]]
    except (ValueError, TypeError, RecursionError, LookupError):
        return
    if any(word in ("make", "demo", "train") and word != words[0] for word in words):
        return
    out, err = io.StringIO(), io.StringIO()
    with contextlib.chdir(folder), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = cli.main(words)
    if UNFORESEEN in err.getvalue() or code not in (0, 1, 2):
        raise UnforeseenError(f"{words}: {code}: {err.getvalue()[-500:]}")
    shown = out.getvalue() + err.getvalue()
    if any(ord(one) < 32 and one not in "\n\t" for one in shown):
        raise UnforeseenError(f"{words} printed a control character")


def _read(name: str, reader: Callable[[Path], object]) -> Target:
    """Return the target of a single file."""
    return Target(Path(name).stem, (name,), (name,), lambda folder, _: reader(folder / name))


def targets() -> tuple[Target, ...]:
    """Return every reader with what it needs."""
    kinds = [f"walk{suffix}" for suffix in READABLE if suffix in WRITABLE] + ["features.npy"]
    both = ("motions/02.asf", "motions/02_01.amc")
    cheap = ("commands.json", "set", "motions/walk.npy", "database", "component", "results.json", "settings.yaml")
    return (
        *(Target(name, (f"motions/{name}",), (f"motions/{name}",), _motion) for name in kinds),
        Target("amc", both, both, _motion),
        Target("set", ("set/**/*",), ("set",), _set),
        _read("captions.csv", lambda path: read_table(path, {})),
        Target("tmr", ("tmr/**/*",), ("tmr",), lambda f, _: import_tmr(f / "tmr", f / "tmr", f / "out")),
        _read("predictions.json", lambda path: read_captions(path, {})),
        _read("results.json", lambda path: compare(path, path, force=True)),
        Target("yaml", ("settings.yaml",), ("settings.yaml",), _settings),
        Target("component", ("component/*",), ("component",), lambda f, _: load_component(f / "component", KIND)),
        Target("verify", ("component/*",), ("component",), lambda f, _: verify(f / "component")),
        Target("database", ("database/**/*",), ("database",), _database),
        Target("database_sums", ("database/**/*",), ("database",), _database_with_right_sums),
        Target("neighbours", ("neighbours.safetensors",), ("neighbours.safetensors", "database"), _neighbours),
        Target("prompts", ("prompts.txt",), ("prompts.txt",), _prompt),
        Target("commands", ("commands.json",), cheap, _command),
    )
