"""A world whose scores are known: a small set, a model that knows it by heart, and an evaluator that cannot err."""

from dataclasses import dataclass, field
from types import SimpleNamespace

import numpy as np
import pytest

from remogpt.data.humanml3d import Caption, MotionTextSet
from remogpt.data.writer import SetItem, write_item
from remogpt.motion import joints_to_features
from remogpt.motion.motion import Motion
from remogpt.motion.skeleton import PARENTS, TARGET_OFFSETS
from remogpt.runtime.files import write_npy, write_text

NUM_TEST, NUM_TRAIN = 40, 30


def moving_person(seed: int, num_frames: int = 45) -> np.ndarray:
    """A person who walks to a place of his own and moves a little: (T, 22, 3)."""
    rng = np.random.default_rng(seed)
    pose = np.zeros((22, 3))
    for joint, parent in enumerate(PARENTS):
        if parent >= 0:
            pose[joint] = pose[parent] + np.asarray(TARGET_OFFSETS)[joint]
    pose[:, 1] -= pose[:, 1].min()
    walk = np.linspace(0.0, 1.0, num_frames)[:, None, None] * np.array([rng.normal(), 0.0, 1.0 + rng.random()])
    sway = 0.05 * np.sin(np.linspace(0, 6, num_frames))[:, None, None] * rng.normal(size=(1, 22, 3))
    return (pose[None] + walk + sway).astype(np.float32)


def known_caption(name: str) -> str:
    return f"person {name} walks to place {int(name)}"


@pytest.fixture(scope="session")
def known_set(tmp_path_factory) -> MotionTextSet:
    """A set with the splits train and test, two captions a clip."""
    folder = tmp_path_factory.mktemp("known") / "set"
    ids = [f"{number:06d}" for number in range(NUM_TEST + NUM_TRAIN)]
    for number, name in enumerate(ids):
        captions = [Caption(known_caption(name)), Caption(f"someone of the name {name} goes there")]
        write_item(folder, SetItem(name, joints_to_features(moving_person(number)), captions))
    write_npy(folder / "Mean.npy", np.zeros(263, np.float32))
    write_npy(folder / "Std.npy", np.ones(263, np.float32))
    write_text(folder / "test.txt", "\n".join(ids[:NUM_TEST]) + "\n")
    write_text(folder / "train.txt", "\n".join(ids[NUM_TEST:]) + "\n")
    return MotionTextSet.open(folder)


@dataclass
class PerfectEvaluator:
    """Embeds a motion by a fixed projection of its means, and a caption where its own motion lies."""

    motions: MotionTextSet
    name: str = "perfect"
    hash: str = "f" * 64
    trained_on: str | None = None
    motions_embedded: int = 0

    def encode_motion(self, features):
        self.motions_embedded += len(features)
        project = np.random.default_rng(0).normal(size=(263, 12))
        return np.stack([row.mean(axis=0) @ project for row in features]).astype(np.float32)

    def encode_text(self, captions, tokens=None):
        ids = [next(word for word in caption.split() if word.isdigit()) for caption in captions]
        return self.encode_motion([self.motions.features(name) for name in ids])


@dataclass
class Sentences:
    """Sentence vectors that say how many letters two sentences share."""

    name: str = "letters"
    hash: str = "e" * 64
    trained_on: str | None = None

    def encode_text(self, captions, tokens=None):
        counts = np.array([[caption.count(letter) for letter in "abcdefghijklmnopqrstuvwxyz0123456789"]
                           for caption in captions], np.float32)  # fmt: skip
        return counts / np.linalg.norm(counts, axis=1, keepdims=True)


@dataclass
class Oracle:
    """A model that knows the set by heart: encodes losslessly, retrieves, generates and captions the truth."""

    motions: MotionTextSet
    manifest: dict = field(default_factory=lambda: {"name": "oracle", "hashes": {"lm": "abc", "database": "def"}})
    calls: list = field(default_factory=list)
    fails_after: int | None = None
    kept: list = field(default_factory=list)

    @property
    def tokenizer(self):
        return SimpleNamespace(
            encode_batch=lambda batch: [np.arange(len(row) // 4) for row in self._keep(batch)],
            decode_batch=self._decoded,
        )

    def _decoded(self, codes):
        """Give back what was encoded last; other codes, such as an example's, stand for nothing."""
        if len(codes) == len(self.kept):
            return [row[: 4 * len(code)] for row, code in zip(self.kept, codes, strict=True)]
        return [np.zeros((4 * len(code), 263), np.float32) for code in codes]

    def _keep(self, batch):
        self.kept = batch
        return batch

    @property
    def retriever(self):
        evaluator = PerfectEvaluator(self.motions)

        def unit(rows):
            return rows / np.linalg.norm(rows, axis=1, keepdims=True)

        return SimpleNamespace(
            encode_text=lambda texts: unit(evaluator.encode_text(texts)),
            encode_motion=lambda rows: unit(evaluator.encode_motion(rows)),
        )

    def _clip_of(self, text):
        return next(clip for clip in self.motions.clips("test") if text in clip.captions)

    def generate(self, text, *, seconds=None, seed=None, database=None, options=None):
        texts, retrieval = text, options.examples != "none"
        if self.fails_after is not None and len(self.calls) >= self.fails_after:
            raise KeyboardInterrupt
        self.calls.append((tuple(texts), seed, retrieval))
        assert seconds is None or max(seconds) <= 9.8
        result = []
        for text, hidden in zip(texts, options.excluded(len(texts)), strict=True):
            clip = self._clip_of(text)
            assert clip.id in hidden
            codes = np.array([1, 2, 3])
            examples = [SimpleNamespace(id="000041", caption="a copy", codes=codes)] if retrieval else []
            motion = Motion.from_features(self.motions.features(clip))
            result.append([SimpleNamespace(motion=motion, codes=codes, examples=examples)])
        return result

    def caption(self, motion, *, seed=None, database=None, options=None):
        clips = {clip.id: clip for clip in self.motions.clips("test")}
        return [SimpleNamespace(text=clips[one.name].captions[0], examples=[]) for one in motion]

    def examples_for_texts(self, texts, database=None, exclude=None, options=None):
        ids = [self.motions.ids("train")[index % NUM_TRAIN] for index in range(len(texts))]
        return [[SimpleNamespace(id=name, caption=known_caption(name), codes=np.array([1]))] for name in ids]

    def examples_for_motions(self, features, database=None, exclude=None, options=None):
        return self.examples_for_texts([""] * len(features), database, exclude, options)

    def retrieved_motion(self, example, database=None):
        return Motion.from_features(self.motions.features(self.motions.ids("test")[0]))

    def database(self, path=None):
        return SimpleNamespace(infos=lambda: self.motions.clips("train"))


@pytest.fixture(scope="session")
def world() -> SimpleNamespace:
    """What tests make more of."""
    return SimpleNamespace(
        Oracle=Oracle,
        Evaluator=PerfectEvaluator,
        Sentences=Sentences,
        moving_person=moving_person,
        num_test=NUM_TEST,
        num_train=NUM_TRAIN,
    )


@pytest.fixture
def oracle(known_set) -> Oracle:
    return Oracle(known_set)


@pytest.fixture
def evaluator(known_set) -> PerfectEvaluator:
    return PerfectEvaluator(known_set)
