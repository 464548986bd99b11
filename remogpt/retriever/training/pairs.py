"""Captioned motions as the retriever's training reads them."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from remogpt.retriever.training.statements import Statements
from remogpt.runtime.errors import RemogptError

if TYPE_CHECKING:
    from remogpt.data.humanml3d import MotionTextSet


@dataclass(frozen=True)
class TrainingPairs:
    """Motions and their captions; motions are loaded when a batch needs them."""

    captions: tuple[tuple[str, ...], ...]
    """Captions of each of the n clips, at least one."""
    load: Callable[[int], np.ndarray]
    """Clip number -> (T, F) raw features."""
    partners: np.ndarray
    """(n,) int64 number of the clip's mirror image, -1 where it has none."""
    groups: np.ndarray
    """(n,) int64; clips of one group describe the same thing and are never each other's negatives; -1: no group."""
    name: str = "unnamed"
    """Name of the set that the clips come from."""
    folder: Path | None = None
    """Folder of that set, which keeps the states of a frozen text model; without it, the user's cache does."""
    families: tuple[np.ndarray, ...] = ()
    """Clip numbers of each family: a clip with its variants."""
    statements: Statements | None = None
    """What captions say and motions show; None where nobody needs it."""

    def __post_init__(self) -> None:
        n = len(self.captions)
        if n == 0 or not all(self.captions) or self.partners.shape != (n,) or self.groups.shape != (n,):
            raise RemogptError(
                f"wanted clips with captions, partners and groups of one length, got {n} clips, "
                f"{sum(1 for c in self.captions if not c)} of them without captions; is the split empty?"
            )

    def __len__(self) -> int:
        return len(self.captions)

    @classmethod
    def from_arrays(cls, captions: Sequence[Sequence[str]], motions: Sequence[np.ndarray]) -> "TrainingPairs":
        """Pair motions that are in memory, (T, F) each, with their captions; no mirror images, no groups."""
        none = np.full(len(captions), -1, dtype=np.int64)
        return cls(tuple(map(tuple, captions)), motions.__getitem__, none, none)

    @classmethod
    def from_set(
        cls,
        motions: "MotionTextSet",
        split: str,
        same_tag: str | None = None,
        max_frames: int = 199,
        *,
        family_split: str | None = None,
        reads_claims: bool = False,
    ) -> "TrainingPairs":
        """Take a split of a set.

        Args:
            motions: an opened set.
            split: train, val, ...
            same_tag: clips whose tag of this name is equal form a group; with "content,style" both must be.
            max_frames: longer clips are left out, as HumanML3D's protocol does.
            family_split: split of variants of this split's clips; they are added, and make families with their clips.
            reads_claims: also read what the captions claim and what the motions show.
        """
        splits = [split] if family_split is None else [split, family_split]
        clips = [clip for one in splits for clip in motions.clips(one, max_frames=max_frames)]
        index_of = {clip.id: index for index, clip in enumerate(clips)}
        partners = np.full(len(clips), -1, dtype=np.int64)
        for index, clip in enumerate(clips):
            if clip.mirror_of in index_of:
                other = index_of[clip.mirror_of]
                partners[index], partners[other] = other, index
        groups = _groups([clip.tags for clip in clips], [] if same_tag is None else same_tag.split(","))
        captions = tuple(tuple(clip.captions) for clip in clips)
        return cls(
            captions, lambda index: motions.features(clips[index]), partners, groups, motions.name, motions.folder,
            _families([clip.tags.get("family", clip.id) for clip in clips]),
            Statements.of(captions, [motions.claims(clip) for clip in clips], [motions.facts(clip) for clip in clips])
            if reads_claims else None,
        )  # fmt: skip

    def crop(self, index: int, max_frames: int, rng: np.random.Generator) -> np.ndarray:
        """Load clip `index`; of a longer one, a random stretch of `max_frames` frames."""
        motion = self.load(index)
        start = int(rng.integers(max(0, len(motion) - max_frames) + 1))
        return motion[start : start + max_frames]

    def unique_captions(self) -> list[str]:
        """Return every caption once, sorted."""
        return sorted({caption for captions in self.captions for caption in captions})

    def statistics(self) -> tuple[np.ndarray, np.ndarray]:
        """Return (F,) mean and standard deviation of each channel over all frames, in float64.

        Raises:
            RemogptError: if a clip holds values that are not finite: everything that is learned would be NaN.

        Source: TMR and Part_TMR z-score every channel on its own.
        """
        # Two passes would read everything twice; shifting by one frame keeps the squares small instead.
        shift = self.load(0)[0].astype(np.float64)
        count, total, squares = 0, np.zeros_like(shift), np.zeros_like(shift)
        for index in range(len(self)):
            frames = self.load(index).astype(np.float64) - shift
            if not np.isfinite(frames).all():
                raise RemogptError(
                    f"training clip {index} ({self.captions[index][0]!r}) holds values that are not finite; repair it, "
                    "or take its id out of the split file"
                )
            count += len(frames)
            total += frames.sum(axis=0)
            squares += (frames**2).sum(axis=0)
        mean = total / count
        return mean + shift, np.sqrt(np.maximum(squares / count - mean**2, 0.0))


def _families(names: Sequence[str]) -> tuple[np.ndarray, ...]:
    """Return the indices of equal names, of those that occur more than once."""
    members: dict[str, list[int]] = {}
    for index, name in enumerate(names):
        members.setdefault(name, []).append(index)
    return tuple(np.array(indices) for indices in members.values() if len(indices) > 1)


def _groups(tags: Sequence[Mapping[str, Any]], names: Sequence[str]) -> np.ndarray:
    """Number the groups of clips that agree in all these tags, (n,) int64; -1 without names or where one is missing."""
    numbers: dict[str, int] = {}
    groups = np.full(len(tags), -1, dtype=np.int64)
    wanted = [name.strip() for name in names]
    for index, own in enumerate(tags):
        if wanted and all(name in own for name in wanted):
            label = json.dumps([own[name] for name in wanted], sort_keys=True)
            groups[index] = numbers.setdefault(label, len(numbers))
    return groups
