"""Find the facts of motions with a trained network."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from remogpt.finder.network import PATCH, FinderNetwork, FinderSize
from remogpt.motion.fact_catalogue import fact_number
from remogpt.motion.facts import Fact
from remogpt.motion.found_facts import FoundFacts
from remogpt.retriever.padding import batches_by_length, normalized_batch
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.folders.component import load_component, save_component
from remogpt.runtime.folders.find_model import find_component

KIND = "finder"
LIKELY = 0.3
"""Probability from which a fact counts as found; 0.5 costs up to a point of the facts of the first retrieved."""
ACTIVE = 0.5
"""A fact holds at the steps whose probability is at least this share of the largest."""
BATCH = 64


@dataclass(frozen=True)
class FactProbabilities:
    """What the network says of one motion."""

    motion: np.ndarray
    """(F,) probability that the motion shows each of the finder's facts."""
    steps: np.ndarray
    """(N, F) probability that a step of four frames is part of it."""


class FactFinder:
    """Finds facts as `remogpt.motion.found_facts.find_facts` does, by a network and not by rules.

    Args:
        network: trained.
        facts: of the catalogue, those that it predicts.
        mean, std: (263,) of raw features.
        config: JSON-ready settings that rebuild the network.
        component_hash: of the folder that this was loaded from.
    """

    def __init__(
        self, network: FinderNetwork, facts: Sequence[Fact], mean: Tensor, std: Tensor, config: dict[str, Any],
        component_hash: str = "",
    ) -> None:  # fmt: skip
        self.network, self.facts, self.mean, self.std = network.eval(), tuple(facts), mean, std
        self.config, self._hash = config, component_hash

    @classmethod
    def new(cls, size: FinderSize, facts: Sequence[Fact], mean: np.ndarray, std: np.ndarray) -> "FactFinder":
        """Build an untrained finder of these facts; mean and std (263,) normalize the features that it reads."""
        config = {"size": asdict(size), "facts": [fact.to_json() for fact in facts]}
        centre, scale = (torch.from_numpy(np.asarray(one, dtype=np.float32)) for one in (mean, std))
        return cls(FinderNetwork(size, len(facts)), facts, centre, scale, config)

    @classmethod
    def from_pretrained(cls, path: str | Path | None = None) -> "FactFinder":
        """Load a trained finder.

        Args:
            path: the finder's folder, a model's, or a model's name on the hub; the embedded `mini` without it.
        """
        component = load_component(find_component(path, KIND), KIND)
        facts = [Fact.from_json(fact) for fact in component.config["facts"]]
        network = FinderNetwork(FinderSize(**component.config["size"]), len(facts))
        network.load_state_dict(component.tensors)
        statistics = component.normalizer
        return cls(network, facts, statistics["mean"], statistics["std"], component.config, component.hash)

    def save_pretrained(self, folder: str | Path, dtype: torch.dtype | None = None) -> str:
        """Write this finder and return its hash; `dtype` is the type of the stored weights."""
        statistics = {"mean": self.mean, "std": self.std}
        self._hash = save_component(folder, KIND, self.config, self.network.state_dict(), statistics, dtype)
        return self._hash

    @property
    def hash(self) -> str:
        """64 hexadecimal digits that name this finder; known once it was saved or loaded."""
        if not self._hash:
            raise RemogptError("this finder has no hash yet; save it first with save_pretrained(folder)")
        return self._hash

    @cached_property
    def numbers(self) -> np.ndarray:
        """(F,) int64 index of each fact in the catalogue."""
        return np.array([fact_number(fact) for fact in self.facts], dtype=np.int64)

    def pad(self, motions: Sequence[np.ndarray]) -> tuple[Tensor, Tensor]:
        """Z-score and pad raw motions: (B, T, 263), zero beyond each length, and lengths (B,)."""
        return normalized_batch(motions, self.mean, self.std)

    @torch.inference_mode()
    def probabilities(self, motions: Sequence[np.ndarray]) -> list[FactProbabilities]:
        """Say of motions, (T, 263) raw features each, how probable each fact is, in all and at each step."""
        found: dict[int, FactProbabilities] = {}
        for batch in batches_by_length([len(motion) for motion in motions], BATCH):
            whole, steps, real = self.network(*self.pad([motions[index] for index in batch]))
            for row, index in enumerate(batch):
                own = torch.sigmoid(steps[row, real[row]]).numpy()
                found[index] = FactProbabilities(torch.sigmoid(whole[row]).numpy(), own)
        return [found[index] for index in range(len(motions))]

    def find(self, motions: Sequence[np.ndarray]) -> list[FoundFacts]:
        """Find the likely facts of motions, (T, 263) raw features each, with the frames where each holds."""
        said = self.probabilities(motions)
        return [self._found(one, len(motion)) for one, motion in zip(said, motions, strict=True)]

    def _found(self, said: FactProbabilities, num_frames: int) -> FoundFacts:
        rows: list[tuple[int, int, int]] = []
        for column in np.flatnonzero(said.motion >= LIKELY):
            profile = said.steps[:, column]
            edges = np.diff(np.concatenate([[0], profile >= ACTIVE * profile.max(), [0]]).astype(int))
            starts, ends = np.flatnonzero(edges == 1).tolist(), np.flatnonzero(edges == -1).tolist()
            number = int(self.numbers[column])
            rows += [(number, PATCH * a, min(PATCH * b, num_frames)) for a, b in zip(starts, ends, strict=True)]
        return FoundFacts(np.array(sorted(rows), dtype=np.uint16).reshape(-1, 3))
