"""The sets of the retrieval study, packed: features in one memory-mapped file, captions and labels in one JSON.

    <work>/sets/<name>/features.npy    (frames of all rows, 263) float32, raw
    <work>/sets/<name>/rows.json       one entry a row; rows of one clip and of its mirror image name each other
    <work>/sets/<name>/text/           token states of the captions, float16, computed once for all runs

| set | trained on | tested on | who wrote the captions |
|---|---|---|---|
| procedural | most clips | 12 % of them; `test_unseen`: combinations that are never trained on | a grammar |
| bandai | the first recordings of each label | the last 20 %; `test_unseen`: whole labels | made from labels |
| cmu | bandai's, and CMU's trials without sentences | CMU's trials with sentences | people |

Bandai-Namco's consecutive files are often cut from one take (the last pose of one is the first of the next), so that a
split by file would put one take on both sides: each label's recordings are divided into blocks in the order of their
numbers instead, and `test_unseen` holds whole labels. Every training clip is there with its mirror image, as in
HumanML3D; validation and test are not mirrored but for the galleries of sides.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from remogpt.data.humanml3d import Clip, MotionTextSet
from remogpt.data.importers.to_set import import_set
from remogpt.data.procedural.make import make_procedural_set
from remogpt.motion import joints_to_features, mirror_caption, mirror_joints
from remogpt.motion.features import features_to_joints
from remogpt.retriever.pairs import TrainingPairs
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import read_json, read_npy, write_json, write_npy
from remogpt.runtime.progress import progress

SETS = ("procedural", "bandai", "cmu")
SEED = 2000
"""Of the procedural set; no other set of this project has it."""
MAX_FRAMES = 199
SHARES = {"val": 0.06, "test": 0.12}
"""Of the procedural clips whose combination is trained on."""
BLOCKS = {"val": 0.1, "test": 0.2}
"""Of each label's recordings in Bandai-Namco, the last ones; a label of fewer than five is trained on whole."""
SYNONYMS = {"old": "elderly", "masculinity": "masculine", "tired": "exhausted", "dance-long": "dance",
            "dance-short": "dance"}  # fmt: skip
"""Labels whose captions cannot be told apart."""


@dataclass(frozen=True)
class Row:
    """A clip, or the mirror image of one, and where its frames lie."""

    id: str
    split: str
    """train, val, test or test_unseen."""
    label: str
    """Rows of one label show the same thing: each is a right answer to the other's caption."""
    captions: tuple[str, ...]
    first: int
    num_frames: int
    mirror: int
    """Number of the row that is its mirror image, -1 without one."""
    is_mirrored: bool


class StudySet:
    """A packed set.

    Args:
        folder: as `prepare` wrote it.
        patch: frames that are handed out side by side as one; the last is repeated to fill up.
    """

    def __init__(self, folder: Path, patch: int = 1) -> None:
        self.folder, self.patch = folder, patch
        about = read_json(folder / "rows.json")
        self.name: str = about["name"]
        self.rows = [Row(**{**row, "captions": tuple(row["captions"])}) for row in about["rows"]]
        self.frames = read_npy(folder / "features.npy", mmap=True)

    def features(self, number: int) -> np.ndarray:
        """(T, 263) float32 features of a row, or (ceil(T / patch), 263 patch)."""
        row = self.rows[number]
        features = np.array(self.frames[row.first : row.first + row.num_frames])
        missing = -len(features) % self.patch
        return np.pad(features, ((0, missing), (0, 0)), mode="edge").reshape(-1, features.shape[1] * self.patch)

    def numbers(self, split: str, is_mirrored: bool | None = False) -> list[int]:
        """Rows of a split: its clips, their mirror images (True), or both (None)."""
        wanted = (False, True) if is_mirrored is None else (is_mirrored,)
        return [place for place, row in enumerate(self.rows) if row.split == split and row.is_mirrored in wanted]

    def splits(self) -> list[str]:
        """Return the names of the splits that are tested on."""
        return sorted({row.split for row in self.rows} - {"train", "val"})

    def pairs(self, split: str, is_grouped: bool = False) -> TrainingPairs:
        """Clips as training reads them, training clips with their mirror images.

        Args:
            split: train or val.
            is_grouped: rows of one label are never each other's negatives.
        """
        numbers = self.numbers(split, None if split == "train" else False)
        places = {number: place for place, number in enumerate(numbers)}
        labels = {label: place for place, label in enumerate(sorted({row.label for row in self.rows}))}
        groups = [labels[self.rows[number].label] if is_grouped else -1 for number in numbers]
        return TrainingPairs(
            tuple(self.rows[number].captions for number in numbers),
            lambda place: self.features(numbers[place]),
            np.array([places.get(self.rows[number].mirror, -1) for number in numbers], dtype=np.int64),
            np.array(groups, dtype=np.int64),
            f"study-{self.name}",
        )

    def tested_captions(self) -> list[str]:
        """Every caption of the test splits and of their mirror images."""
        return sorted({caption for row in self.rows if row.split.startswith("test") for caption in row.captions})


@dataclass(frozen=True)
class _Source:
    """A clip on its way into a pack."""

    clip: Clip
    motions: MotionTextSet
    split: str
    label: str


def prepare(name: str, work: Path, data: Path | None, num_clips: int) -> StudySet:
    """Make a set, or open the one that is there.

    Args:
        name: one of `SETS`.
        work: folder of the study.
        data: folder of the packed recordings `bandai.npz`, `cmu.npz`, `cmu_bvh.npz` and `cmu_captions.json`.
        num_clips: of the procedural set.
    """
    folder = work / "sets" / name
    if not (folder / "rows.json").is_file():
        if name == "procedural":
            sources = _procedural(work / "sources" / "procedural", num_clips)
        elif data is None:
            raise RemogptError(f"set {name} is made from recordings; name the folder that holds them with --data")
        else:
            sources = (_bandai if name == "bandai" else _cmu)(work / "sources", data)
        _pack(name, sources, folder)
    return StudySet(folder)


def _procedural(folder: Path, num_clips: int) -> list[_Source]:
    make_procedural_set(folder, num_clips, SEED, workers=1)
    motions = MotionTextSet.open(folder)
    unseen = set(motions.ids("test_unseen"))
    clips = sorted(motions.clips("all"), key=lambda clip: clip.id)
    seen = [clip for clip in clips if clip.id not in unseen]
    splits = dict(zip([clip.id for clip in seen], _in_blocks(len(seen), SHARES), strict=True))
    return [_Source(clip, motions, splits.get(clip.id, "test_unseen"), str(clip.tags["combination"])) for clip in clips]


def _in_blocks(count: int, shares: dict[str, float]) -> list[str]:
    """Name the split of each of `count` things in order: training first, then each share, one at least of five."""
    sizes = {split: max(count >= 5, int(share * count)) for split, share in shares.items()}
    return ["train"] * (count - sum(sizes.values())) + [split for split, size in sizes.items() for _ in range(size)]


def _bandai(sources: Path, data: Path) -> list[_Source]:
    motions = _imported("bandai", data / "bandai.npz", sources / "bandai")
    labels = {clip.id: _bandai_label(clip) for clip in motions.clips("all")}
    clips = sorted(motions.clips("all"), key=lambda clip: (_recording(clip.source_id), clip.id))
    recordings: dict[str, list[str]] = defaultdict(list)
    for clip in clips:
        if clip.source_id not in recordings[labels[clip.id]]:
            recordings[labels[clip.id]].append(clip.source_id)
    unseen = _unseen_labels(recordings)
    splits: dict[str, str] = {}
    for label, names in recordings.items():
        blocks = ["test_unseen"] * len(names) if label in unseen else _in_blocks(len(names), BLOCKS)
        splits |= dict(zip(names, blocks, strict=True))
    return [_Source(clip, motions, splits[clip.source_id], labels[clip.id]) for clip in clips]


def _bandai_label(clip: Clip) -> str:
    content, style = (SYNONYMS.get(clip.tags[kind], clip.tags[kind]) for kind in ("content", "style"))
    return f"{content}, {style}"


def _recording(source_id: str) -> tuple[str, int]:
    """Split dataset-2_walk_happy_012 into what stands before its number, and the number."""
    stem, _, number = source_id.rpartition("_")
    return stem, int(number)


def _unseen_labels(recordings: dict[str, list[str]], least: int = 10) -> set[str]:
    """Choose one label of each content that has several large ones, another style each time."""
    by_content: dict[str, list[str]] = defaultdict(list)
    for label in sorted(label for label, names in recordings.items() if len(names) >= least):
        by_content[label.split(", ")[0]].append(label)
    several = [labels for _, labels in sorted(by_content.items()) if len(labels) > 2]
    return {labels[place % len(labels)] for place, labels in enumerate(several)}


def _cmu(sources: Path, data: Path) -> list[_Source]:
    """Bandai-Namco's training and validation, and CMU: trials with sentences are test, the others training."""
    found = [source for source in _bandai(sources, data) if source.split in ("train", "val")]
    for stem in ("cmu", "cmu_bvh"):
        motions = _imported("cmu", data / f"{stem}.npz", sources / stem)
        clips = motions.clips("all")
        described = {clip.source_id for clip in clips if clip.tags["captions"] == "sentences"}
        for clip in clips:
            if clip.source_id not in described:
                found.append(_Source(clip, motions, "train", f"cmu {clip.captions[0]}"))
            elif clip.tags["captions"] == "sentences":  # the rest of such a trial is left out of everything
                found.append(_Source(clip, motions, "test", f"cmu {re.sub(r'_w[0-9]+$', '', clip.id)}"))
    return found


def _imported(importer: str, path: Path, folder: Path) -> MotionTextSet:
    if not path.is_file():
        raise RemogptError(f"no recordings {path}; name the folder that holds them with --data")
    if not (folder / "set.json").is_file():
        import_set(importer, path, folder)
    return MotionTextSet.open(folder)


def _pack(name: str, sources: Sequence[_Source], folder: Path) -> None:
    """Write the frames of all clips, and of the mirror images of those that are trained or tested on."""
    rows: list[Row] = []
    pieces: list[np.ndarray] = []
    first = 0
    for source, make in progress(list(_wanted(sources)), desc=f"pack {name}", unit="row"):
        features = make(source)
        is_mirrored = make is _mirrored
        captions, label = source.clip.captions, source.label
        if is_mirrored:
            captions, label = tuple(map(mirror_caption, captions)), mirror_label(label, captions)
        partner = len(rows) - 1 if is_mirrored else len(rows) + 1 if source.split != "val" else -1
        rows.append(Row(source.clip.id, source.split, label, captions, first, len(features), partner, is_mirrored))
        pieces.append(features)
        first += len(features)
    write_npy(folder / "features.npy", np.concatenate(pieces))
    write_json(folder / "rows.json", {"name": name, "rows": [asdict(row) for row in rows]}, indent=None)


_Make = Callable[[_Source], np.ndarray]


def _wanted(sources: Sequence[_Source]) -> Iterator[tuple[_Source, _Make]]:
    for source in sources:
        yield source, _plain
        if source.split != "val":
            yield source, _mirrored


def _plain(source: _Source) -> np.ndarray:
    # The last frame goes, as it does when joints become features: a clip is as long as its mirror image.
    return source.motions.features(source.clip)[:-1]


def _mirrored(source: _Source) -> np.ndarray:
    return joints_to_features(mirror_joints(features_to_joints(source.motions.features(source.clip))))


def mirror_label(label: str, captions: Sequence[str]) -> str:
    """Name what a mirror image shows: another thing where the label or a caption names a side, else the same."""
    mirrored = mirror_caption(label)
    if mirrored == label and any(mirror_caption(caption) != caption for caption in captions):
        # "bye" does not name the right hand with which it is waved, but its captions do.
        return label.removeprefix("mirrored ") if label.startswith("mirrored ") else f"mirrored {label}"
    return mirrored
