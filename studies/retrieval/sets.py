"""The sets of the retrieval study, packed: features in one memory-mapped file, captions and labels in one JSON.

    <work>/sets/<name>/features.npy    (frames of all rows, 263) float32, raw
    <work>/sets/<name>/rows.json       one entry a row; rows of one clip and of its mirror image name each other
    <work>/sets/<name>/text/           token states of the captions, float16, computed once for all runs

| set | trained on | tested on | who wrote the captions |
|---|---|---|---|
| procedural | most clips | 12 % of them; `test_unseen`: combinations that are never trained on | a grammar |
| bandai | most takes of each label | other takes of these labels; `test_unseen`: whole labels | made from labels |
| cmu | bandai's, and CMU's trials without sentences | CMU's trials with sentences | people |

Bandai-Namco's consecutive files are often cut from one take: the last pose of one is the first of the next. Files that
touch so are one take and stay together. Labels of a single take are trained on whole, or kept out whole: `test_unseen`
has one style of each action, left and right together. Even so the takes of a style resemble each other beyond what they
show (a first pose alone names the style of 94 % of the files): an untrained nearest neighbour, see
`scores.nearest_label`, names 98 % of the labels of `test`, which therefore says little; `test_unseen` is what to
compare by. In no set is a mirror image trained on whose label is kept out.

Every training clip is there with its mirror image, as in HumanML3D; validation and test are not mirrored but for the
galleries of sides.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from remogpt.data.humanml3d import Clip, MotionTextSet
from remogpt.data.importers.packed import PackedClip, read_packed
from remogpt.data.importers.to_set import import_set
from remogpt.data.procedural.make import make_procedural_set
from remogpt.motion import joints_to_features, mirror_caption, mirror_joints
from remogpt.motion.features import features_to_joints
from remogpt.retriever.training.pairs import TrainingPairs
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import read_json, read_npy, write_json, write_npy
from remogpt.runtime.progress import progress

SETS = ("procedural", "bandai", "cmu")
SEED = 2000
"""Of the procedural set; no other set of this project has it."""
MAX_FRAMES = 199
SHARES = {"val": 0.06, "test": 0.12}
"""Of the procedural clips whose combination is trained on."""
TAKES = {"val": 0.1, "test": 0.2}
"""Of each label's takes in Bandai-Namco, the last ones; a label of fewer than five is trained on whole."""
TOUCH = 0.25
"""Metres that no joint moves from the last pose of a file to the first of the next where both are one take. Generous:
files between them may be missing, and actors that come back to their mark are better kept together."""
VERSION = 3
"""Changes whenever the same sources give other rows."""
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
            self.folder,
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

    Raises:
        RemogptError: if it would be made from recordings that are not there, or is there with another number of clips.
    """
    folder = work / "sets" / name
    about = folder / "rows.json"
    held = read_json(about) if about.is_file() else {}
    if name == "procedural" and held.get("num_clips", num_clips) != num_clips:
        raise RemogptError(
            f"{folder} was made of {held['num_clips']} clips, wanted {num_clips}; give that number with --clips, or "
            "another folder with --work"
        )
    if held.get("version") != VERSION:
        if name == "procedural":
            sources = _procedural(work / "sources" / "procedural", num_clips)
        elif data is None:
            raise RemogptError(f"set {name} is made from recordings; name the folder that holds them with --data")
        else:
            sources = (_bandai if name == "bandai" else _cmu)(work / "sources", data)
        _pack(name, sources, folder, {"num_clips": num_clips} if name == "procedural" else {})
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
    takes = find_takes({clip.id: joints for clip, joints in _recorded(data / "bandai.npz")})
    clips = sorted(motions.clips("all"), key=lambda clip: (_recording(clip.source_id), clip.id))
    labels = {clip.id: _bandai_label(clip) for clip in clips}
    of_label: dict[str, list[int]] = defaultdict(list)
    for clip in clips:
        if takes[clip.source_id] not in of_label[labels[clip.id]]:
            of_label[labels[clip.id]].append(takes[clip.source_id])
    unseen = unseen_labels(Counter(labels.values()))
    splits: dict[int, str] = {}
    for label, own in of_label.items():
        blocks = ["test_unseen"] * len(own) if label in unseen else _in_blocks(len(own), TAKES)
        splits |= dict(zip(own, blocks, strict=True))
    return [_Source(clip, motions, splits[takes[clip.source_id]], labels[clip.id]) for clip in clips]


def _recorded(path: Path) -> Iterator[tuple[PackedClip, np.ndarray]]:
    for clip in read_packed(path):
        yield clip, clip.source.positions


def find_takes(recordings: Mapping[str, np.ndarray]) -> dict[str, int]:
    """Number the takes that files were cut from.

    Args:
        recordings: (T, J, 3) world positions in metres of each file, named as `_recording` reads it.

    Returns:
        a number for each name; consecutive files of one stem that touch have the same.
    """
    takes: dict[str, int] = {}
    before = ""
    for name in sorted(recordings, key=_recording):
        is_next = before != "" and _recording(before)[0] == _recording(name)[0]
        gap = np.linalg.norm(recordings[before][-1] - recordings[name][0], axis=-1).max() if is_next else np.inf
        takes[name] = takes[before] if gap < TOUCH else len(takes)
        before = name
    return takes


def _bandai_label(clip: Clip) -> str:
    content, style = (SYNONYMS.get(clip.tags[kind], clip.tags[kind]) for kind in ("content", "style"))
    return f"{content}, {style}"


def _recording(source_id: str) -> tuple[str, int]:
    """Split dataset-2_walk_happy_012 into what stands before its number, and the number."""
    stem, _, number = source_id.rpartition("_")
    return stem, int(number)


def unseen_labels(sizes: Mapping[str, int], least: int = 10) -> set[str]:
    """Choose one label of each action that has several large ones, another style each time, left and right alike."""
    by_action: dict[str, set[str]] = defaultdict(set)
    for label, size in sizes.items():
        if size >= least:
            content, style = label.split(", ")
            by_action[min(content, mirror_caption(content))].add(style)
    several = [(content, sorted(styles)) for content, styles in sorted(by_action.items()) if len(styles) > 2]
    chosen = {f"{content}, {styles[place % len(styles)]}" for place, (content, styles) in enumerate(several)}
    return chosen | {mirror_caption(label) for label in chosen}


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


def _pack(name: str, sources: Sequence[_Source], folder: Path, made_of: Mapping[str, int]) -> None:
    """Write the frames of all clips, and of the mirror images of those that are trained or tested on."""
    unseen = {source.label for source in sources if source.split == "test_unseen"}
    rows: list[Row] = []
    arrays: list[np.ndarray] = []
    for source in progress(sources, desc=f"pack {name}", unit="clip"):
        captions = tuple(map(mirror_caption, source.clip.captions))
        label = mirror_label(source.label, captions)
        # The mirror image of a training clip may show what is kept out of training.
        is_paired = source.split.startswith("test") or (source.split == "train" and label not in unseen)
        first = rows[-1].first + rows[-1].num_frames if rows else 0
        count, partner = source.clip.num_frames - 1, len(rows) + 1 if is_paired else -1
        own = source.clip.id, source.split
        rows.append(Row(*own, source.label, source.clip.captions, first, count, partner, is_mirrored=False))
        arrays.append(_plain(source))
        if is_paired:
            rows.append(Row(*own, label, captions, first + count, count, partner - 1, is_mirrored=True))
            arrays.append(_mirrored(source))
    if shown := unseen & {row.label for row in rows if row.split in ("train", "val")}:
        raise RemogptError(f"set {name}: labels kept out of training stand in it: {sorted(shown)[:3]}")
    write_npy(folder / "features.npy", np.concatenate(arrays))
    about = {"name": name, "version": VERSION, **made_of, "rows": [asdict(row) for row in rows]}
    write_json(folder / "rows.json", about, indent=None)


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
