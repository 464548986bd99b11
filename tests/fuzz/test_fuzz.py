"""The fuzzer: the same seed makes the same damage, every reader takes part, and what it must find is found."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fuzz.__main__ import run
from fuzz.mutate import MUTATIONS, mutate
from fuzz.seeds import make_seeds
from fuzz.targets import Target, targets
from remogpt.runtime.errors import RemogptError


@pytest.fixture(scope="session")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fuzz") / "seeds"
    folder.mkdir()
    make_seeds(folder)
    return folder


def test_the_same_seed_makes_the_same_damage() -> None:
    content = b"HIERARCHY\nROOT Hips\n{ OFFSET 0.0 1.5 -2 }\n" * 5
    made = [mutate(content, np.random.default_rng(seed)) for seed in range(200)]
    assert made == [mutate(content, np.random.default_rng(seed)) for seed in range(200)]
    assert sum(one != content for one in made) > 190 and len(set(made)) > 180
    for mutation in MUTATIONS:
        assert isinstance(mutation(bytearray(), np.random.default_rng(0)), bytes)


@pytest.mark.parametrize("target", targets(), ids=lambda target: target.name)
def test_every_reader_meets_damage(target: Target, seeds: Path, tmp_path: Path) -> None:
    for seed in range(3):
        assert run(target, seeds, tmp_path / "work", seed) is None


def test_what_must_be_found_is_found(seeds: Path, tmp_path: Path) -> None:
    def failing(folder: Path, rng: Any) -> None:
        raise KeyError("x")

    def refusing(folder: Path, rng: Any) -> None:
        raise RemogptError("as it should be")

    def read(how: Any) -> str | None:
        return run(Target("t", ("prompts.txt",), ("prompts.txt",), how), seeds, tmp_path / "work", 0)

    found = read(failing)
    assert found is not None and found.startswith("KeyError: 'x'") and read(refusing) is None


@pytest.mark.parametrize(
    ("reader", "seed"),
    [
        ("features.npy", 80),
        ("walk.npy", 95),
        ("walk.npy", 646),
        ("database_sums", 642),
        ("database_sums", 4014740),
        ("database_sums", 5000547),
        ("set", 1583),
        ("set", 100519),
        ("set", 101583),
    ],
)  # fmt: skip
def test_what_was_found_once(reader: str, seed: int, seeds: Path, tmp_path: Path) -> None:
    """A joint at 1e37 m; a header of an array that NumPy's reader cannot take apart; facts and means that are none."""
    (target,) = (target for target in targets() if target.name == reader)
    assert run(target, seeds, tmp_path / "work", seed) is None
