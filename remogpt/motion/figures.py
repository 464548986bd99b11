"""Show motions within a page: as players, with a strip of poses in each for readers whose program runs no script.

The page includes `PLAYER_STYLE` and `PLAYER_SCRIPT` once, and styles `.strip`.
"""

from collections.abc import Sequence

import numpy as np

from remogpt.motion.motion import Motion
from remogpt.motion.player import player_fragment
from remogpt.motion.strips import strip

MOST_BYTES = 8 * 2**20
"""Of all players of a page; ten seconds of motion take 40 kB."""


class MotionFigures:
    """Draws the motions of one page; those whose players would make it too large are strips alone.

    Args:
        most_bytes: of all players together.
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self.bytes_left = most_bytes
        self.num_players = 0

    @property
    def has_players(self) -> bool:
        """Whether the page needs the player's style and script."""
        return self.num_players > 0

    def group(self, motions: Sequence[tuple[np.ndarray, str]]) -> list[str]:
        """Draw motions that are to be compared: all of them play, or none does.

        Args:
            motions: joints (T, 22, 3) in metres at 20 fps, and a label for screen readers.

        Returns:
            HTML of each.

        Raises:
            RemogptError: if joints have another shape, no frame, or are not finite.
        """
        strips = [strip(joints, label=label) for joints, label in motions]
        players = [
            player_fragment(Motion(joints), f"motion-{number}", show_name=False, label=label, unplayed=still)
            for number, ((joints, label), still) in enumerate(zip(motions, strips, strict=True), self.num_players)
        ]
        size = sum(map(len, players))
        if size > self.bytes_left:
            return strips
        self.bytes_left -= size
        self.num_players += len(players)
        return players
