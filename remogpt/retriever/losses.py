"""The symmetric contrastive loss of text and motion embeddings, and which pairs it must not push apart."""

import math
import re
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from remogpt.runtime.errors import RemogptError


def contrastive_loss(
    text: Tensor, motion: Tensor, temperature: Tensor | float, false_negatives: Tensor | None = None
) -> Tensor:
    """Mean of the two cross-entropies over cosine similarities.

    Args:
        text, motion: (B, D); row i of one belongs to row i of the other. Lengths do not matter.
        temperature: divides the cosines (0.1 in TMR, 0.07 in CLIP and MotionPatches).
        false_negatives: (B, B) bool, True for pairs to leave out; the diagonal is never left out.

    Source: InfoNCE, arXiv 1807.03748; TMR, arXiv 2305.00976, sec. 3.2; spec 3.2, 2.5.
    """
    return similarity_loss(cosines(text, motion), temperature, false_negatives)


def cosines(one: Tensor, other: Tensor) -> Tensor:
    """(..., A, D) and (..., B, D) of any length -> (..., A, B) float32."""
    # bfloat16 has 8 bits: a cosine divided by 0.07 would be wrong by 0.05. Similarities stay in float32.
    with torch.autocast(one.device.type, enabled=False):
        return functional.normalize(one.float(), dim=-1) @ functional.normalize(other.float(), dim=-1).mT


def similarity_loss(
    similarity: Tensor,
    temperature: Tensor | float,
    false_negatives: Tensor | None = None,
    more_texts: Tensor | None = None,
    more_motions: Tensor | None = None,
    back: Tensor | None = None,
) -> Tensor:
    """Mean of the cross-entropies over the rows and over the columns of a similarity matrix.

    Args:
        similarity: (B, B) float32; text rows, motion columns, partners on the diagonal.
        temperature: divides the similarities.
        false_negatives: (B, B) bool, True for pairs to leave out; the diagonal is never left out.
        more_texts: (B, X) similarity of each motion to further texts that are not its own; -inf leaves one out.
        more_motions: (B, Y) similarity of each text to further motions that are not its own; likewise.
        back: (B, B) motion rows, text columns, where they are not `similarity` transposed.
    """
    with torch.autocast(similarity.device.type, enabled=False):
        rows = similarity / temperature
        columns = rows.T if back is None else back / temperature
        if false_negatives is not None:
            out = false_negatives & ~torch.eye(len(rows), dtype=torch.bool, device=rows.device)
            rows, columns = rows.masked_fill(out, -math.inf), columns.masked_fill(out.T, -math.inf)
        if more_motions is not None:
            rows = torch.cat([rows, _divided(more_motions, temperature)], dim=1)
        if more_texts is not None:
            columns = torch.cat([columns, _divided(more_texts, temperature)], dim=1)
        target = torch.arange(len(rows), device=rows.device)
        return (functional.cross_entropy(rows, target) + functional.cross_entropy(columns, target)) / 2


def _divided(similarity: Tensor, temperature: Tensor | float) -> Tensor:
    # -inf divided by a learned temperature has a gradient of 0 x inf.
    is_out = similarity.isneginf()
    return (similarity.masked_fill(is_out, 0.0) / temperature).masked_fill(is_out, -math.inf)


class Temperature(nn.Module):
    """The divisor of the cosines, kept as the logarithm of its inverse.

    Args:
        start: 0.07 as in CLIP.
        is_learnable: differs from MotionPatches when True: its logarithm is declared learnable, but no optimizer holds
            it, so that it stays at 0.07 (spec 2.5). A learnable one is kept above 0.01, as in CLIP.
    """

    MIN = 0.01

    def __init__(self, start: float = 0.07, is_learnable: bool = False) -> None:
        super().__init__()
        if start <= 0:
            raise RemogptError(f"the temperature must be above 0, got {start}; CLIP starts at 0.07, TMR uses 0.1")
        self.log_scale = nn.Parameter(torch.tensor(math.log(1 / start)), requires_grad=is_learnable)

    def forward(self) -> Tensor:
        """() the present temperature."""
        return torch.exp(-self.log_scale).clamp(min=self.MIN)


def near_duplicates(sentence_vectors: Tensor, threshold: float, others: Tensor | None = None) -> Tensor:
    """(B, D) unit rows -> (B, B) bool, True where two captions mean the same by TMR's rule: cosine > 2 threshold - 1.

    With `others`, (C, D) unit rows: (B, C).

    Source: TMR, sec. 3.3; its threshold 0.8 is on the scale (cos + 1) / 2, so that cosines above 0.6 count.
    """
    # Never in bfloat16: it would move a cosine by 0.004, and with it the set of pairs that count.
    with torch.autocast(sentence_vectors.device.type, enabled=False):
        return sentence_vectors @ (sentence_vectors if others is None else others).T > 2 * threshold - 1


_AXES = (
    {"left": "l", "right": "r"},
    {"forward": "f", "forwards": "f", "backward": "b", "backwards": "b"},
    {"clockwise": "c", "counterclockwise": "n", "anticlockwise": "n"},
)


def contradictions(captions: Sequence[str], others: Sequence[str] | None = None) -> Tensor:
    """(B, B) bool, True where two captions name different sides, directions or senses of rotation.

    Sentence vectors hardly tell left from right, so that `near_duplicates` alone would forbid a model to learn it.
    Captions contradict each other on an axis only if both speak of it. differs: TMR has no such guard.
    With `others`, C captions: (B, C).
    """
    both = [*captions, *(others or ())]
    words = [re.findall(r"[a-z]+", caption.lower().replace("counter-clock", "counterclock")) for caption in both]
    rows, columns = slice(len(captions)), slice(0 if others is None else len(captions), None)
    result = torch.zeros(len(captions), len(both[columns]), dtype=torch.bool)
    for axis in _AXES:
        named = ["".join(axis[word] for word in sentence if word in axis) for sentence in words]
        codes: dict[str, int] = {"": 0}
        ids = torch.tensor([codes.setdefault(name, len(codes)) for name in named], dtype=torch.long)
        one, other = ids[rows, None], ids[columns]
        result |= (one != other) & (one > 0) & (other > 0)
    return result
