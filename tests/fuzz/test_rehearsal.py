"""Kills of the rehearsal, in short; the whole run is `python -m fuzz.rehearsal`."""

import numpy as np

from fuzz.rehearsal import Told, draw_moments


def test_kills_are_drawn_one_from_each_part_of_the_commands() -> None:
    whole = [Told(f"$ remogpt eval {number}", 3.0 * number) for number in range(100)]
    moments = draw_moments(whole, 303.0, 7, np.random.default_rng(0))
    numbers = [at for at, _ in moments]
    assert numbers == sorted(numbers) and len(set(numbers)) == 7
    assert all(100 * part // 7 <= at < 100 * (part + 1) // 7 for part, at in enumerate(numbers))
    assert all(0 <= seconds <= 6 for _, seconds in moments)
