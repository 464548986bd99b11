"""Where in a long motion a sentence happens."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from remogpt.commands.search_inside import plot_curve
from remogpt.retriever.moments import (
    PAPER_WINDOWS,
    Moments,
    accuracy_at_iou,
    centred_windows,
    embed_windows,
    find_moments,
    iou,
    pyramid,
    ranked_spans,
)
from remogpt.runtime.errors import RemogptError

ACTION = {"walks": 0, "kicks": 3}
"""Channel that stands out in `recording` while it is done; the toy retriever reads it."""


@pytest.fixture
def recording() -> np.ndarray:
    """Twenty seconds: nothing, walks from 100 to 180, nothing, kicks from 260 to 300, nothing."""
    features = np.random.default_rng(0).normal(0.0, 0.02, (400, 263)).astype(np.float32)
    features[:, 15] += 0.3
    features[100:180, ACTION["walks"]] += 1.0
    features[260:300, ACTION["kicks"]] += 1.0
    return features


def test_each_sentence_finds_its_place(retriever, recording: np.ndarray) -> None:
    walks, kicks = find_moments(retriever, recording, ["a person walks", "a person kicks"])
    assert iou((walks.best.start, walks.best.end), (100, 180)) >= 0.8
    assert iou((kicks.best.start, kicks.best.end), (260, 300)) >= 0.8
    assert walks.text == "a person walks" and walks.best.seconds == (walks.best.start / 20, walks.best.end / 20)
    for found, (start, end) in ((walks, (100, 180)), (kicks, (260, 300))):
        assert found.curve.shape == found.pyramid_curve.shape == (400,)
        assert start <= found.curve.argmax() < end and start <= found.pyramid_curve.argmax() < end
        assert found.pyramid_curve.max() == pytest.approx(found.best.score, abs=1e-6)


def test_the_motion_is_embedded_once_for_all_sentences(retriever, recording: np.ndarray) -> None:
    together = find_moments(retriever, recording, ["a person walks", "a person kicks"])
    assert retriever.num_calls == 1
    alone = find_moments(retriever, recording, ["a person kicks"])[0]
    assert [(span.start, span.end) for span in alone.spans] == [(span.start, span.end) for span in together[1].spans]
    # One column of a matrix product and a product of its own differ in the last bit.
    assert np.allclose(alone.curve, together[1].curve, atol=1e-6)


def test_spans_are_ranked_and_apart(retriever, recording: np.ndarray) -> None:
    spans = find_moments(retriever, recording, ["walks"], num_spans=4)[0].spans
    assert len(spans) == 4 and [span.score for span in spans] == sorted((span.score for span in spans), reverse=True)
    for index, span in enumerate(spans):
        assert 0 <= span.start < span.end <= 400
        assert all(span.end <= other.start or other.end <= span.start for other in spans[:index])


def test_the_curve_is_the_cosine_of_the_window_at_each_frame(retriever, recording: np.ndarray) -> None:
    curve = find_moments(retriever, recording, ["kicks"], curve_window=20)[0].curve
    text = retriever.encode_text(["kicks"])[0]
    for frame, (start, end) in {0: (0, 20), 150: (140, 160), 399: (380, 400)}.items():
        assert curve[frame] == pytest.approx(float(retriever.encode_motion([recording[start:end]])[0] @ text), abs=1e-6)


def test_a_length_prior_prefers_the_whole_over_its_half() -> None:
    windows, cosines = np.array([[0, 20], [0, 40], [100, 180]]), np.array([0.9, 0.88, 0.2])
    assert [span.end for span in ranked_spans(windows, cosines, 2, length_prior=0.0)] == [20, 180]
    best = ranked_spans(windows, cosines, length_prior=0.1)[0]
    assert (best.start, best.end, best.cosine) == (0, 40, 0.88)
    # Half as long as the longest: marked down by a tenth of ln 2.
    assert best.score == pytest.approx(0.88 - 0.0693147)


def test_a_short_motion_is_one_window(retriever) -> None:
    found = find_moments(retriever, np.ones((7, 263), dtype=np.float32), ["walks"])[0]
    assert [(span.start, span.end) for span in found.spans] == [(0, 7)] and found.curve.shape == (7,)
    assert found.best.score == pytest.approx(found.best.cosine)


def test_windows_reach_both_ends_and_repeat_nothing() -> None:
    windows = pyramid(63, PAPER_WINDOWS, 5)
    lengths = windows[:, 1] - windows[:, 0]
    assert sorted(set(lengths.tolist())) == [10, 20, 30, 40, 50, 60]
    assert all(windows[lengths == length].min() == 0 and windows[lengths == length].max() == 63 for length in lengths)
    assert len(np.unique(windows, axis=0)) == len(windows)
    assert pyramid(45, (60, 45, 100), 5).tolist() == [[0, 45]]
    assert centred_windows(30, 20)[[0, 10, 15, 29]].tolist() == [[0, 20], [0, 20], [5, 25], [10, 30]]


def test_windows_are_embedded_in_their_order_and_once() -> None:
    class Counting:
        def __init__(self) -> None:
            self.seen: list[int] = []

        def encode_motion(self, motions: Sequence[np.ndarray]) -> np.ndarray:
            self.seen += [len(motion) for motion in motions]
            return np.array([[motion[0, 0], len(motion)] for motion in motions])

    features = np.arange(50.0)[:, None] * np.ones(263)
    windows = np.array([[30, 50], [5, 10], [0, 30], [5, 10], [2, 7]])
    counting = Counting()
    rows = embed_windows(counting, features, windows)  # type: ignore[arg-type]
    assert rows.tolist() == [[30, 20], [5, 5], [0, 30], [5, 5], [2, 5]]
    assert counting.seen == [5, 5, 20, 30], "of like length together, none twice"


def test_iou_and_accuracy() -> None:
    assert iou((0, 10), (0, 10)) == 1 and iou((0, 10), (10, 20)) == 0 and iou((0, 10), (5, 15)) == pytest.approx(1 / 3)
    assert iou([[0, 10], [2, 4]], (0, 4)).tolist() == [0.4, 0.5]
    assert iou((3, 3), (3, 3)) == 0
    scores = accuracy_at_iou([[0, 10], [0, 10], [0, 4], [7, 9]], [[0, 10], [5, 15], [0, 10], [0, 5]])
    assert scores == {0.2: 0.75, 0.4: 0.25, 0.6: 0.25}, "an IoU of exactly .4 does not exceed .4"
    with pytest.raises(RemogptError, match="predicted and true spans"):
        accuracy_at_iou([[0, 1]], [[0, 1], [2, 3]])
    with pytest.raises(RemogptError, match="predicted and true spans"):
        accuracy_at_iou([], [])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"texts": []}, "list of sentences"),
        ({"texts": "walks"}, "list of sentences"),
        ({"texts": ["walks", " "]}, "none empty"),
        ({"features": np.zeros((40, 22, 3))}, "features of one motion"),
        ({"features": np.zeros((40, 251))}, "KIT-ML"),
        ({"features": np.zeros((0, 263))}, "at least 1 frames"),
        ({"windows": ()}, "windows and a stride"),
        ({"windows": (0, 20)}, "windows and a stride"),
        ({"stride": 0}, "windows and a stride"),
        ({"curve_window": 0}, "a window of at least 1 frame"),
        ({"num_spans": 0}, "num_spans: wanted 1 or more, got 0"),
    ],
)
def test_what_cannot_be_searched(retriever, recording: np.ndarray, changes: dict, message: str) -> None:
    given = {"features": recording, "texts": ["walks"]} | changes
    with pytest.raises(RemogptError, match=message):
        find_moments(retriever, **given)


def test_a_plot_shows_each_sentence(retriever, recording: np.ndarray, tmp_path: Path) -> None:
    from matplotlib.image import imread

    found = find_moments(retriever, recording, ["a $5 person walks", "a person kicks"])
    one = imread(plot_curve(tmp_path / "one.png", found[:1]))
    two = imread(plot_curve(tmp_path / "two.png", found, truth=[None, (260, 300)]))
    assert two.shape[0] > 1.5 * one.shape[0] and two.shape[1] == one.shape[1]
    green = (two[..., 1] > two[..., 0] + 0.3) & (two[..., 1] > two[..., 2] + 0.3)
    assert green.any() and not ((one[..., 1] > one[..., 0] + 0.3) & (one[..., 1] > one[..., 2] + 0.3)).any()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.png", "two.png"]


def test_what_cannot_be_plotted(retriever, recording: np.ndarray, tmp_path: Path) -> None:
    found: list[Moments] = find_moments(retriever, recording, ["walks"])
    for arguments, message in (
        ((tmp_path / "curve.pdf", found), "wanted a .png file"),
        ((tmp_path / "curve.png", []), "at least one sentence"),
        ((tmp_path / "curve.png", found, []), "true span"),
    ):
        with pytest.raises(RemogptError, match=message):
            plot_curve(*arguments)
