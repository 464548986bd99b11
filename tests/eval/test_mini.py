"""The whole evaluation on models whose scores are known: one that returns the truth, one that ignores its caption."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from remogpt.data.humanml3d import Caption, MotionTextSet
from remogpt.data.writer import SetItem, write_item
from remogpt.eval.mini import EvalConfig, evaluate_model
from remogpt.eval.protocols import check_comparable
from remogpt.eval.report import to_markdown
from remogpt.motion import joints_to_features
from remogpt.motion.motion import Motion
from remogpt.motion.skeleton import PARENTS, TARGET_OFFSETS
from remogpt.runtime.files import write_npy, write_text


def standing_person() -> np.ndarray:
    pose = np.zeros((22, 3))
    for joint, parent in enumerate(PARENTS):
        if parent >= 0:
            pose[joint] = pose[parent] + np.asarray(TARGET_OFFSETS)[joint]
    pose[:, 1] -= pose[:, 1].min()
    return pose


def moving_person(seed: int, num_frames: int = 60) -> np.ndarray:
    """A person who walks to a place of his own and moves a little."""
    rng = np.random.default_rng(seed)
    walk = np.linspace(0.0, 1.0, num_frames)[:, None, None] * np.array([rng.normal(), 0.0, 1.0 + rng.random()])
    sway = 0.02 * np.sin(np.linspace(0, 6, num_frames))[:, None, None] * rng.normal(size=(1, 22, 3))
    return (standing_person()[None] + walk + sway).astype(np.float32)


@pytest.fixture(scope="module")
def motions(tmp_path_factory) -> MotionTextSet:
    folder = tmp_path_factory.mktemp("set")
    ids = [f"{number:06d}" for number in range(6)]
    for number, name in enumerate(ids):
        captions = [Caption(f"person {name} walks to place {number}"), Caption(f"someone goes to place {number}")]
        write_item(folder, SetItem(name, joints_to_features(moving_person(number)), captions))
    write_npy(folder / "Mean.npy", np.zeros(263, np.float32))
    write_npy(folder / "Std.npy", np.ones(263, np.float32))
    write_text(folder / "test.txt", "\n".join(ids) + "\n")
    return MotionTextSet.open(folder)


@dataclass
class Oracle:
    """Knows the set by heart: encodes losslessly, generates and captions the truth."""

    motions: MotionTextSet
    manifest: dict = field(default_factory=lambda: {"name": "oracle", "hashes": {"lm": "abc", "database": "def"}})
    calls: list = field(default_factory=list)

    @property
    def tokenizer(self):
        return SimpleNamespace(
            encode_batch=lambda batch: [np.arange(len(row) // 4) for row in self._keep(batch)],
            decode_batch=lambda codes: [row[: 4 * len(code)] for row, code in zip(self.kept, codes, strict=True)],
        )

    def _keep(self, batch):
        self.kept = batch
        return batch

    @property
    def retriever(self):
        place = {clip.captions[0]: row for row, clip in enumerate(self.motions.clips("test"))}
        paths = [self.motions.features(clip) for clip in self.motions.clips("test")]

        def embed_motion(batch):
            return np.stack([np.eye(len(paths))[[np.array_equal(m, p) for p in paths].index(True)] for m in batch])

        return SimpleNamespace(
            encode_text=lambda texts: np.eye(len(place))[[place[text] for text in texts]], encode_motion=embed_motion
        )

    def _clip_of(self, text):
        return next(clip for clip in self.motions.clips("test") if text in clip.captions)

    def generate_batch(self, texts, database=None, seconds=None, seed=None, retrieval=True, exclude=None, best_of=1):
        self.calls.append((tuple(texts), seed, retrieval))
        assert seconds is None or max(seconds) <= 9.8
        result = []
        for text, hidden in zip(texts, exclude, strict=True):
            clip = self._clip_of(text)
            assert clip.id in hidden
            codes = np.array([1, 2, 3])
            examples = [SimpleNamespace(id="x", caption="a copy", codes=codes)] if retrieval else []
            motion = Motion.from_features(self.motions.features(clip))
            result.append(SimpleNamespace(motion=motion, codes=codes, examples=examples))
        return result

    def caption_batch(self, motions, database=None, retrieval=True, seed=None, exclude=None, best_of=1):
        clips = {clip.id: clip for clip in self.motions.clips("test")}
        return [SimpleNamespace(text=clips[motion.name].captions[0], examples=[]) for motion in motions]


@pytest.fixture(scope="module")
def evaluated(motions, tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    model = Oracle(motions)
    return evaluate_model(model, motions, out, EvalConfig(batch_size=4)), out, model


def test_a_model_that_knows_the_truth_scores_full_marks(evaluated):
    results = evaluated[0]["results"]
    assert results["reconstruction/test"]["scores"]["mpjpe"] == 0.0
    assert results["retrieval/test"]["scores"]["normal"]["t2m/R@1"] == 100.0
    assert results["retrieval/test"]["scores"]["normal"]["m2t/MedR"] == 1.0
    caption = results["captioning/test/retrieval"]["scores"]
    assert caption["raw"]["bleu4"] == pytest.approx(1.0) and caption["raw"]["rougeL"] == 1.0
    made = results["generation/test/retrieval"]["scores"]
    assert made["facts"] is None
    assert made["frames"] == made["frames_real"]


def test_copying_a_retrieved_motion_is_exposed(evaluated):
    results = evaluated[0]["results"]
    assert results["generation/test/retrieval"]["scores"]["copied_share"] == 1.0
    assert results["generation/test/no_retrieval"]["scores"]["copied_share"] == 0.0


def test_every_number_has_a_card_and_the_report_names_it(evaluated):
    report, out, _ = evaluated
    assert report["missing_splits"] == ["test_unseen"]
    for name, result in report["results"].items():
        card = result["card"]
        assert card["num_items"] == 6 and card["hashes"] == {"lm": "abc", "database": "def"}, name
        assert card["seed"] == 0 and len(card["items_sha256"]) == 16
    assert json.loads((out / "results.json").read_text())["results"].keys() == report["results"].keys()
    text = (out / "report.md").read_text()
    assert text == to_markdown(report)
    assert "## Retrieval" in text and "items_sha256" in text and "test_unseen" in text
    assert len(list((out / "motions" / "generation_test_retrieval").glob("*.npy"))) == 6


def test_a_second_run_computes_nothing_and_another_seed_computes_again(evaluated, motions):
    report, out, model = evaluated
    before = len(model.calls)
    again = evaluate_model(model, motions, out, EvalConfig(batch_size=4))
    assert len(model.calls) == before
    assert json.dumps(again["results"], sort_keys=True) == json.dumps(report["results"], sort_keys=True)
    evaluate_model(model, motions, out, EvalConfig(batch_size=4, parts=("generation",), seed=1))
    assert len(model.calls) == before + 8  # two batches, with and without retrieval, best of 1 and of 8


def test_other_sampling_of_the_same_parts_is_computed_again(motions, tmp_path):
    config = EvalConfig(parts=("generation",), best_of=(1,))
    model = Oracle(motions)
    for top_p, calls in ((0.9, 2), (0.9, 2), (0.5, 4)):
        model.manifest["generation"] = {"best_of": 8, "top_p": top_p}
        report = evaluate_model(model, motions, tmp_path, config)
        assert len(model.calls) == calls
    assert report["results"]["generation/test/retrieval"]["card"]["sampling"] == {"top_p": 0.5}


def test_subsets_are_drawn_with_the_seed(motions, tmp_path):
    config = EvalConfig(parts=("captioning",), num_captioning=3)
    one = evaluate_model(Oracle(motions), motions, tmp_path / "a", config)["results"]["captioning/test/retrieval"]
    two = evaluate_model(Oracle(motions), motions, tmp_path / "b", config)["results"]["captioning/test/retrieval"]
    assert one["scores"]["num_items"] == 3
    assert one == two


def test_the_length_that_is_asked_for_is_one_that_can_be_written(tmp_path):
    write_item(tmp_path, SetItem("000000", joints_to_features(moving_person(0, 200)), [Caption("a person walks")]))
    write_npy(tmp_path / "Mean.npy", np.zeros(263, np.float32))
    write_npy(tmp_path / "Std.npy", np.ones(263, np.float32))
    write_text(tmp_path / "test.txt", "000000\n")
    longest = MotionTextSet.open(tmp_path)
    assert longest.clips("test")[0].num_frames == 199
    model = Oracle(longest)
    evaluate_model(model, longest, tmp_path / "out", EvalConfig(parts=("generation",), true_length=True))
    assert model.calls


def test_different_protocols_are_not_compared_unless_forced(evaluated):
    cards = {name: result["card"] for name, result in evaluated[0]["results"].items()}
    left, right = cards["generation/test/retrieval"], cards["generation/test/no_retrieval"]
    assert check_comparable(left, right) == []
    other = left | {"seed": 3, "model": "someone else's"}
    with pytest.raises(ValueError, match="seed differ") as caught:
        check_comparable(left, other)
    assert "items_sha256" in str(caught.value)
    assert check_comparable(left, other, force=True) == ["seed"]


def test_unusable_settings_are_refused_with_the_reason(motions, tmp_path):
    with pytest.raises(ValueError, match="parts must be some of"):
        EvalConfig(parts=("fid",))
    with pytest.raises(ValueError, match="batch_size must be at least 1"):
        EvalConfig(batch_size=0)
    with pytest.raises(ValueError, match="num_captioning must be 0"):
        EvalConfig(num_captioning=-1)
    with pytest.raises(ValueError, match="has none of the splits val"):
        evaluate_model(Oracle(motions), motions, tmp_path, EvalConfig(splits=("val",)))
    assert not Path(tmp_path / "results.json").exists()
