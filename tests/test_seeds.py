"""An answer depends on its seed alone, whatever is answered beside it: in one call, or in other threads."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from remogpt.motion import Motion
from remogpt.options import GenerationOptions
from remogpt.pipeline import ReMoGPT
from remogpt.runtime.errors import RemogptError

TEXTS = ["a person walks", "someone waves with the left hand three times", "a person walks", "a man jumps", "he sits"]
SECONDS = [None, 2.0, 12.0, 4.5, None]
SEEDS = [7, 7, 3, 2**40, 0]
DRAWN = GenerationOptions(best_of=3, temperature=1.0)


@pytest.fixture(scope="module")
def model(tiny_model: Path) -> ReMoGPT:
    return ReMoGPT.from_pretrained(tiny_model, device="cpu")


@pytest.fixture(scope="module")
def motions(tiny_set: Path) -> list[Motion]:
    return [Motion.from_features(np.load(path)) for path in sorted((tiny_set / "new_joint_vecs").glob("*.npy"))[:5]]


def test_motions_with_seeds_of_their_own_are_those_asked_for_alone(model: ReMoGPT) -> None:
    together = model.generate(TEXTS, seconds=SECONDS, num_samples=2, seed=SEEDS, options=DRAWN)
    for own, text, seconds, seed in zip(together, TEXTS, SECONDS, SEEDS, strict=True):
        alone = model.generate(text, seconds=seconds, num_samples=2, seed=seed, options=DRAWN)
        for one, other in zip(own, alone, strict=True):
            assert np.array_equal(one.codes, other.codes)
            assert np.allclose(one.motion.joints, other.motion.joints, atol=1e-5)
            assert one.confidence == pytest.approx(other.confidence, abs=1e-5)
        assert not np.array_equal(own[0].codes, own[1].codes)


def test_captions_with_seeds_of_their_own_are_those_asked_for_alone(model: ReMoGPT, motions: list[Motion]) -> None:
    together = model.caption(motions, seed=SEEDS, options=DRAWN)
    alone = [model.caption(motion, seed=seed, options=DRAWN) for motion, seed in zip(motions, SEEDS, strict=True)]
    assert [answer.text for answer in together] == [answer.text for answer in alone]


@pytest.mark.slow
def test_threads_share_a_model(tiny_model: Path, motions: list[Motion]) -> None:
    """Its parts load in whichever thread needs them first."""
    shared = ReMoGPT.from_pretrained(tiny_model, device="cpu")
    places = range(8)

    def asked(model: ReMoGPT, place: int) -> tuple[list[int], str, list[str]]:
        (made,) = model.generate(TEXTS[place % 5], seconds=2.0, seed=place, options=DRAWN)
        told = model.caption(motions[place % 5], seed=place, options=DRAWN)
        return made.codes.tolist(), told.text, [hit.id for hit in model.search(TEXTS[place % 5], k=3)]

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda place: asked(shared, place), places))
    fresh = ReMoGPT.from_pretrained(tiny_model, device="cpu")
    assert found == [asked(fresh, place) for place in places]


@pytest.mark.parametrize(
    ("seed", "words"),
    [([1, 2], "seed has 2 seeds for 5 captions or motions"), ([0, 1, 2, 3, -4], "a seed must be 0 or more, got -4")],
)
def test_wrong_seeds_are_refused(model: ReMoGPT, motions: list[Motion], seed: list[int], words: str) -> None:
    for ask in (lambda: model.generate(TEXTS, seed=seed), lambda: model.caption(motions, seed=seed)):
        with pytest.raises(RemogptError, match=words):
            ask()
