"""The symmetric contrastive loss of text and motion embeddings, and which pairs it must not push apart."""

import math
import re
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional


def contrastive_loss(
    text: Tensor,
    motion: Tensor,
    temperature: Tensor | float,
    false_negatives: Tensor | None = None,
    right_motions: Tensor | None = None,
) -> Tensor:
    """Return the mean of the two cross-entropies over cosine similarities.

    Args:
        text, motion: (B, D); row i of one belongs to row i of the other. Lengths do not matter.
        temperature: divides the cosines (0.1 in TMR, 0.07 in CLIP and MotionPatches).
        false_negatives: (B, B) bool, True for pairs to leave out; the diagonal is never left out.
        right_motions: (B, B) bool, True where motion j shows all that text i says: not wrong for the text. For the
            motion, text i may still be worse than its own, since it says less.

    Source: InfoNCE, arXiv 1807.03748; TMR, arXiv 2305.00976, sec. 3.2.
    """
    # bfloat16 has 8 bits: a cosine divided by 0.07 would be wrong by 0.05. Similarities stay in float32.
    with torch.autocast(text.device.type, enabled=False):
        cosines = functional.normalize(text.float(), dim=-1) @ functional.normalize(motion.float(), dim=-1).T  # (B, B)
        rows = cosines / temperature
        columns = rows.T
        others = ~torch.eye(len(rows), dtype=torch.bool, device=rows.device)
        if false_negatives is not None:
            out = false_negatives & others
            rows, columns = rows.masked_fill(out, -math.inf), columns.masked_fill(out.T, -math.inf)
        if right_motions is not None:
            rows = rows.masked_fill(right_motions & others, -math.inf)
        target = torch.arange(len(rows), device=rows.device)
        return (functional.cross_entropy(rows, target) + functional.cross_entropy(columns, target)) / 2


def graded_loss(cosines: Tensor, shares: Tensor, sharpness: float, temperature: float = 0.1) -> Tensor:
    """Return the cross-entropy of each text's cosines against how right each motion is.

    A contrastive loss knows one right motion and takes all others as equally wrong; the motions that a search ranks
    first are partly right, and this loss tells them apart.

    Args:
        cosines: (B, B), texts in rows, motions in columns.
        shares: (B, B), share of what text i says that motion j shows.
        sharpness: divides the shares before the softmax that makes them a target; small: only the best count.
        temperature: divides the cosines.

    Source: ListNet, Cao et al., ICML 2007.
    """
    return functional.cross_entropy(cosines / temperature, (shares / sharpness).softmax(dim=1))


def near_duplicates(sentence_vectors: Tensor, threshold: float) -> Tensor:
    """Map (B, D) unit rows -> (B, B) bool, True where two captions mean the same: cosine > 2 threshold - 1.

    Source: TMR, sec. 3.3; its threshold 0.8 is on the scale (cos + 1) / 2, so that cosines above 0.6 count.
    """
    # Never in bfloat16: it would move a cosine by 0.004, and with it the set of pairs that count.
    with torch.autocast(sentence_vectors.device.type, enabled=False):
        return sentence_vectors @ sentence_vectors.T > 2 * threshold - 1


_AXES = (
    {"left": "l", "right": "r"},
    {"forward": "f", "forwards": "f", "backward": "b", "backwards": "b"},
    {"clockwise": "c", "counterclockwise": "n", "anticlockwise": "n"},
)


def contradictions(captions: Sequence[str]) -> Tensor:
    """Return (B, B) bool, True where two captions name different sides, directions or senses of rotation.

    Sentence vectors hardly tell left from right, so that `near_duplicates` alone would forbid a model to learn it.
    Captions contradict each other on an axis only if both speak of it. differs: TMR has no such guard.
    """
    words = [re.findall(r"[a-z]+", caption.lower().replace("counter-clock", "counterclock")) for caption in captions]
    result = torch.zeros(len(captions), len(captions), dtype=torch.bool)
    for axis in _AXES:
        named = ["".join(axis[word] for word in sentence if word in axis) for sentence in words]
        codes: dict[str, int] = {"": 0}
        ids = torch.tensor([codes.setdefault(name, len(codes)) for name in named])
        result |= (ids[:, None] != ids) & (ids[:, None] > 0) & (ids > 0)
    return result
