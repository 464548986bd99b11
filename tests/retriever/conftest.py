"""Toy retriever and tokenizer that a database cannot tell from real ones, and entries to fill it."""

import hashlib
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from remogpt.retriever.database.entry import DatabaseEntry

ACTIONS = ("walks", "runs", "waves", "kicks", "jumps", "sits", "turns", "bows")


class ToyRetriever:
    """Embeds a caption by its action word, and a motion by the channel that stands out."""

    dim = 16
    statistics_hash = "s" * 64

    def __init__(self, name: str = "a") -> None:
        self.hash = hashlib.sha256(name.encode()).hexdigest()
        self.num_calls = 0

    def encode_text(self, texts: Sequence[str]) -> np.ndarray:
        rows = np.full((len(texts), self.dim), 0.01, dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            for index, action in enumerate(ACTIONS):
                row[index] += action in text
            row[8 + len(text) % 8] += 0.05
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    def encode_motion(self, motions: Sequence[np.ndarray]) -> np.ndarray:
        self.num_calls += 1
        rows = np.stack([motion.mean(axis=0)[: self.dim] for motion in motions]).astype(np.float32)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


class ToyTokenizer:
    """One code for 4 frames."""

    hash = "t" * 64

    def encode_batch(self, features: list[np.ndarray]) -> list[np.ndarray]:
        return [np.arange(len(motion) // 4) % 512 for motion in features]

    def decode_batch(self, codes: list[np.ndarray]) -> list[np.ndarray]:
        return [np.zeros((4 * len(row), 263), dtype=np.float32) for row in codes]


def make_entry(number: int, source: str | None = None, mirror_of: str | None = None) -> DatabaseEntry:
    rng = np.random.default_rng(number)
    features = rng.normal(0.1, 0.05, (40 + number % 50, 263)).astype(np.float32)
    features[:, number % 8] += 1.0
    action = ACTIONS[number % 8]
    captions = (f"a person {action}", f"someone {action} slowly {'again ' * (number % 3)}".strip())
    tags = {"action": action}
    return DatabaseEntry(f"c{number}", source or f"s{number}", mirror_of, captions, features, "toy", "CC0", tags)


@pytest.fixture
def retriever() -> ToyRetriever:
    return ToyRetriever()


@pytest.fixture
def tokenizer() -> ToyTokenizer:
    return ToyTokenizer()


@pytest.fixture
def entries() -> list[DatabaseEntry]:
    return [make_entry(number) for number in range(40)]


@pytest.fixture
def entry() -> Callable[..., DatabaseEntry]:
    return make_entry


@pytest.fixture
def other_retriever() -> ToyRetriever:
    return ToyRetriever("b")


@pytest.fixture(scope="session")
def build_once(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Callable[[Path], object], Path], Path]:
    """Give each test a copy of a database that is built once: `build_once(name, build, folder)` returns the folder."""
    built: dict[str, Path] = {}

    def copy(name: str, build: Callable[[Path], object], folder: Path) -> Path:
        if name not in built:
            built[name] = tmp_path_factory.mktemp("built") / "db"
            build(built[name])
        return Path(shutil.copytree(built[name], folder))

    return copy
