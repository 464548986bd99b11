"""Find where in a long motion a sentence happens: moment retrieval.

Windows of several lengths slide over the motion (a temporal pyramid), all are embedded in one pass, and each sentence
gets the window that scores best. A window is cut out of the features. Features carry no position or heading of the
world, so a window reads like a motion of its own, but for three traces of what surrounds it: the floor is the whole
recording's, the heading at its ends was smoothed with frames outside, and its first frame has a heading where a
motion's first frame has none (HumanML3D's sub-clips are cut out of features in the same way).

Spans are [start, end) in frames of the features, 20 a second. Letters: `W` windows, `Q` sentences.

Source: TMR, arXiv 2305.00976, sec. 4.5 and its supplement; no code was released.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from remogpt.interfaces import Retriever
from remogpt.motion.checks import check_features
from remogpt.motion.skeleton import FPS
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.progress import progress

PAPER_WINDOWS = (10, 20, 30, 40, 50, 60)
"""Frames; the pyramid of TMR's paper, for BABEL's short actions."""
LONG_WINDOWS = (20, 40, 60, 80, 100, 120, 140, 160)
"""Frames; lengths that a retriever trained on whole clips (40 to 199 frames) knows."""
STRIDE = 5
"""Frames from one window to the next."""
CURVE_WINDOW = 20
"""Frames of the window behind the curve."""
LENGTH_PRIOR = 0.1
"""Gain of a span's score when it grows e-fold. differs: the paper compares windows by cosine alone. Half of a kick
matches "a kick" as well as all of it, and the shortest windows scatter most, so that the highest cosine is too short;
benchmarks/moments.py has the numbers."""
_CHUNK = 2048
"""Windows embedded between two steps of the progress bar."""


@dataclass(frozen=True)
class Span:
    """A stretch of a motion, and how well it matches."""

    start: int
    """First frame."""
    end: int
    """Frame behind the last."""
    score: float
    """Spans are ranked by this: the cosine minus a penalty for being shorter than the longest window."""
    cosine: float
    """Cosine of window and sentence."""

    @property
    def seconds(self) -> tuple[float, float]:
        """Start and end in seconds."""
        return self.start / FPS, self.end / FPS


@dataclass(frozen=True, eq=False)
class Moments:
    """Spans of a motion in which one sentence happens."""

    text: str
    spans: tuple[Span, ...]
    """At least one, best first; none overlap."""
    curve: np.ndarray
    """(T,) float32: cosine of the short window centred at each frame."""
    pyramid_curve: np.ndarray
    """(T,) float32: best score of the pyramid's windows centred at, or nearest to, each frame."""

    @property
    def best(self) -> Span:
        """The span that matches best."""
        return self.spans[0]


def find_moments(
    retriever: Retriever,
    features: np.ndarray,
    texts: Sequence[str],
    windows: Sequence[int] = LONG_WINDOWS,
    stride: int = STRIDE,
    *,
    num_spans: int = 5,
    length_prior: float = LENGTH_PRIOR,
    curve_window: int = CURVE_WINDOW,
) -> list[Moments]:
    """Find where in a motion each sentence happens.

    Args:
        retriever: embeds both.
        features: (T, 263) raw, of any length.
        texts: Q sentences; the motion is embedded once for all of them.
        windows: frames of the pyramid's windows; one longer than the motion becomes the whole motion.
        stride: frames from one window to the next of its length; the last one ends where the motion ends.
        num_spans: spans for each sentence, at most.
        length_prior: see `LENGTH_PRIOR`; 0 ranks by cosine alone.
        curve_window: frames of the window that is centred at each frame; at the borders it stays inside the motion.

    Returns:
        Q answers, in the order of the sentences.

    Raises:
        RemogptError: no sentences or an empty one, features of another shape, a window or stride below 1.

    Source: TMR, sec. 4.5 (curve of a 20-frame window) and supplement (pyramid, windows of 10 to 60 frames, stride 5).
    differs: longer windows and `LENGTH_PRIOR`; `PAPER_WINDOWS` with length_prior=0 is the paper's.
    """
    if isinstance(texts, str) or not texts or not all(text.strip() for text in texts):
        raise RemogptError(f"wanted a list of sentences to look for, got {texts!r}; give at least one, none empty")
    if num_spans < 1:
        raise RemogptError(f"num_spans: wanted 1 or more, got {num_spans}")
    features = np.asarray(features)
    if features.ndim != 2:
        raise RemogptError(f"wanted the features of one motion (T, 263), got {features.shape}; give one motion at once")
    check_features(features)
    tiles, centred = pyramid(len(features), windows, stride), centred_windows(len(features), curve_window)
    rows = embed_windows(retriever, features, np.concatenate([tiles, centred]))
    cosines = rows @ retriever.encode_text(texts).T  # (W, Q)
    return [
        _moments(text, tiles, column[: len(tiles)], column[len(tiles) :], num_spans, length_prior)
        for text, column in zip(texts, cosines.T, strict=True)
    ]


def pyramid(num_frames: int, windows: Iterable[int] = LONG_WINDOWS, stride: int = STRIDE) -> np.ndarray:
    """Lay windows of each length over a motion: (W, 2) starts and ends, none twice.

    Raises:
        RemogptError: no frames, no window, a window or stride below 1.
    """
    lengths = sorted({min(int(window), num_frames) for window in windows})
    if not lengths or lengths[0] < 1 or stride < 1:
        raise RemogptError(
            f"wanted windows and a stride of at least 1 frame over a motion of at least 1, got windows {lengths}, "
            f"stride {stride}, {num_frames} frames"
        )
    tiles = []
    for length in lengths:
        last = num_frames - length
        starts = np.unique(np.append(np.arange(0, last + 1, stride), last))
        tiles.append(np.stack([starts, starts + length], axis=1))
    return np.concatenate(tiles)


def centred_windows(num_frames: int, window: int = CURVE_WINDOW) -> np.ndarray:
    """Centre a window at each frame, (T, 2) starts and ends; at the borders it is moved inside the motion."""
    length = min(window, num_frames)
    if length < 1:
        raise RemogptError(f"wanted a window of at least 1 frame, got {window} over {num_frames} frames")
    starts = np.clip(np.arange(num_frames) - length // 2, 0, num_frames - length)
    return np.stack([starts, starts + length], axis=1)


def embed_windows(retriever: Retriever, features: np.ndarray, windows: np.ndarray) -> np.ndarray:
    """Embed windows (W, 2) of a motion (T, 263): (W, D) unit rows; windows of like length share batches, none is
    embedded twice."""
    distinct, indices = np.unique(windows, axis=0, return_inverse=True)
    order = np.argsort(distinct[:, 1] - distinct[:, 0], kind="stable")
    chunks = [order[first : first + _CHUNK] for first in range(0, len(order), _CHUNK)]
    rows = [
        retriever.encode_motion([features[start:end] for start, end in distinct[chunk]])
        for chunk in progress(chunks, desc="windows", unit=f"x{_CHUNK}")
    ]
    embedded = np.concatenate(rows)
    unsorted = np.empty_like(embedded)
    unsorted[order] = embedded
    return unsorted[indices.reshape(-1)]


def ranked_spans(
    windows: np.ndarray, cosines: np.ndarray, num_spans: int = 5, length_prior: float = LENGTH_PRIOR
) -> list[Span]:
    """Return the best windows that do not overlap, best first.

    Args:
        windows: (W, 2) starts and ends.
        cosines: (W,) of each window with the sentence.
        num_spans: at most so many.
        length_prior: see `LENGTH_PRIOR`.
    """
    scores = _scores(windows, cosines, length_prior)
    is_free = np.ones(len(windows), dtype=bool)
    spans: list[Span] = []
    for index in np.argsort(-scores, kind="stable"):
        if len(spans) == num_spans:
            break
        if is_free[index]:
            start, end = (int(frame) for frame in windows[index])
            spans.append(Span(start, end, float(scores[index]), float(cosines[index])))
            is_free &= (windows[:, 1] <= start) | (windows[:, 0] >= end)
    return spans


def iou(first: np.ndarray | Sequence[float], second: np.ndarray | Sequence[float]) -> np.ndarray:
    """Return the intersection over union of spans, in [0, 1]; (..., 2) starts and ends broadcast."""
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    shared = np.clip(np.minimum(a[..., 1], b[..., 1]) - np.maximum(a[..., 0], b[..., 0]), 0, None)
    covered = a[..., 1] - a[..., 0] + b[..., 1] - b[..., 0] - shared
    return np.asarray(shared / np.where(covered > 0, covered, 1))


def accuracy_at_iou(
    predicted: np.ndarray | Sequence[Sequence[float]],
    truth: np.ndarray | Sequence[Sequence[float]],
    thresholds: Sequence[float] = (0.2, 0.4, 0.6),
) -> dict[float, float]:
    """Return the share of predicted spans (N, 2) whose IoU with the true one (N, 2) exceeds each threshold.

    Raises:
        RemogptError: no spans, or other shapes.
    """
    spans, goals = np.asarray(predicted, dtype=np.float64), np.asarray(truth, dtype=np.float64)
    if spans.shape != goals.shape or spans.ndim != 2 or spans.shape[1:] != (2,) or not len(spans):
        raise RemogptError(f"wanted predicted and true spans, both (N, 2), got {spans.shape} and {goals.shape}")
    overlaps = iou(spans, goals)
    return {threshold: float((overlaps > threshold).mean()) for threshold in thresholds}


def _scores(windows: np.ndarray, cosines: np.ndarray, length_prior: float) -> np.ndarray:
    """Score windows, (W,): the cosine minus the penalty for being shorter than the longest window."""
    lengths = windows[:, 1] - windows[:, 0]
    return cosines + length_prior * np.log(lengths / lengths.max())


def _moments(
    text: str, tiles: np.ndarray, cosines: np.ndarray, curve: np.ndarray, num_spans: int, length_prior: float
) -> Moments:
    scores = _scores(tiles, cosines, length_prior)
    over_time = _centred_best(tiles, scores, len(curve))
    spans = tuple(ranked_spans(tiles, cosines, num_spans, length_prior))
    return Moments(text, spans, curve.astype(np.float32), over_time.astype(np.float32))


def _centred_best(tiles: np.ndarray, scores: np.ndarray, num_frames: int) -> np.ndarray:
    """Return each frame's best score (T,) over the window lengths; a length scores by its nearest window."""
    best = np.full(num_frames, -np.inf)
    lengths = tiles[:, 1] - tiles[:, 0]
    frames = np.arange(num_frames)
    for length in np.unique(lengths):
        chosen = lengths == length
        middles = tiles[chosen].mean(axis=1)
        borders = (middles[1:] + middles[:-1]) / 2
        best = np.maximum(best, scores[chosen][np.searchsorted(borders, frames)])
    return best
