"""Estimate how much of what was asked an answer shows, from what the retriever sees and what was checked."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from remogpt.lm.copying.logit_mixers import Following
from remogpt.pipeline.captioning import Captioned, or_no_words
from remogpt.pipeline.judge import CheckedFact
from remogpt.pipeline.segment import Generated
from remogpt.retriever import TextMotionRetriever


@dataclass(frozen=True)
class Calibration:
    """Weights of a logistic regression, fitted to the share of facts that hold on validation clips."""

    bias: float
    cosine: float
    """Of the cosine of caption and motion."""
    chance: float
    """Of the log-odds that the best example answers."""
    held: float = 0.0
    """Of the share of the caption's facts that were checked and hold."""

    def share(self, cosine: float, chance: float | None, held: float = 0.0) -> float:
        """Return the expected share of facts that hold, in (0, 1)."""
        sum_ = self.bias + self.cosine * cosine + self.chance * log_odds(chance) + self.held * held
        return 1.0 / (1.0 + math.exp(-sum_))


_LEAST = 1e-3
"""Chances count as no smaller, and no nearer to 1."""
OF_MOTIONS = Calibration(-3.766, 5.272, 0.131)
OF_CHECKED = Calibration(-2.069, -0.127, 0.091, 4.602)
OF_CAPTIONS = Calibration(-0.916, 3.505, -0.106)
OF_CHECKED_CAPTIONS = Calibration(-4.1, 2.283, 0.131, 5.241)
"""For mini (`studies/honest_answers.py` fits them): written motions, answers whose facts were checked, captions, and
captions whose claims were checked."""
UNLEARNT = 0.5
"""Factor for a caption that says what the model has not learnt: such captions have no facts to fit it to."""


def log_odds(chance: float | None) -> float:
    """Return the log-odds of a chance; 0 where nothing tells."""
    return 0.0 if chance is None else math.log(max(chance, _LEAST) / max(1.0 - chance, _LEAST))


def rate_motions(answers: Sequence[Generated], following: Following, retriever: TextMotionRetriever) -> list[Generated]:
    """Add each motion's confidence."""
    texts = [answer.segments[0].request.spelled for answer in answers]
    cosines = _cosines(retriever, texts, [answer.motion.features for answer in answers])
    rated = []
    for answer, cosine in zip(answers, cosines, strict=True):
        share = _share(OF_MOTIONS, OF_CHECKED, float(cosine), _mean_chance(answer, following), answer.checks)
        unlearnt = any(warning.kind not in ("no_example", "misspelling") for warning in answer.warnings)
        rated.append(replace(answer, confidence=share * (UNLEARNT if unlearnt else 1.0)))
    return rated


def rate_captions(
    answers: Sequence[Captioned], motions: Sequence[np.ndarray], following: Following, retriever: TextMotionRetriever
) -> list[Captioned]:
    """Add each caption's confidence; motions: (T, 263) raw features of each."""
    cosines = _cosines(retriever, [or_no_words(answer.text) for answer in answers], motions)
    chances = [following.chance_for_motion(answer.examples) for answer in answers]
    return [
        replace(answer, confidence=_share(OF_CAPTIONS, OF_CHECKED_CAPTIONS, float(cosine), chance, answer.checks))
        for answer, cosine, chance in zip(answers, cosines, chances, strict=True)
    ]


def _share(
    plain: Calibration, checked: Calibration, cosine: float, chance: float | None, checks: Sequence[CheckedFact]
) -> float:
    """Return the expected share of facts that hold, by the calibration for what was checked and what was not."""
    if not checks:
        return plain.share(cosine, chance)
    return checked.share(cosine, chance, sum(check.holds for check in checks) / len(checks))


def _cosines(retriever: TextMotionRetriever, texts: Sequence[str], motions: Sequence[np.ndarray]) -> np.ndarray:
    """Return the cosine of each text with its motion."""
    return np.einsum("nd,nd->n", retriever.encode_each_text(texts), retriever.encode_motion(motions))


def _mean_chance(answer: Generated, following: Following) -> float | None:
    chances = [following.chance_for_text(segment.examples) for segment in answer.segments]
    told = [chance for chance in chances if chance is not None]
    return sum(told) / len(told) if told else None
