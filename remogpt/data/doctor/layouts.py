"""Tell how a folder lays out its motions, captions and splits.

| layout | motions | captions | splits |
|---|---|---|---|
| HumanML3D | new_joint_vecs/<id>.npy (T, 263) | texts/<id>.txt, four fields a line | <split>.txt beside them |
| KIT-ML | the same with (T, 251) | the same | the same |
| own | HumanML3D's with set.json and items/<id>.json | the same | the same |
| Motion-X | smplx_322/<subset>/<name>.npy (T, 322) | semantic_labels/<subset>/<name>.txt, sentences | <split>.txt |
| BABEL | none; AMASS's are kept apart | <split>.json, labels with times | a file a split |
| TMR | none; AMASS's are kept apart | annotations.json, texts with times | splits/<split>.txt |

Source: HumanML3D 9176e8f; Motion-X's description of its files; BABEL's released JSON; TMR 6d74688.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from remogpt.motion.skeleton import FPS, KIT_FPS, KIT_NUM_FEATURES, NUM_FEATURES
from remogpt.runtime.errors import MissingPathError, RemogptError
from remogpt.runtime.files import read_npy

Name = Literal["HumanML3D", "KIT-ML", "own", "Motion-X", "BABEL", "TMR"]
_MOTION_X = ("smplx_322", "smplx322")
_SENTENCES = ("semantic_labels", "semantic_label", "semantic_texts")


@dataclass(frozen=True)
class Layout:
    """Where a set keeps its files."""

    name: Name
    folder: Path
    motions: Path | None
    """Folder of `<id>.npy`; None where the motions are kept apart."""
    texts: Path
    """Folder of `<id>.txt`, or of the annotations."""
    channels: int
    """Of a frame."""
    fps: float
    splits: dict[str, Path]
    """Files that list ids."""

    @property
    def joints(self) -> Path | None:
        """Folder of joint positions, if the set has one."""
        folder = self.folder / "new_joints"
        return folder if folder.is_dir() else None

    @property
    def has_tokens(self) -> bool:
        """Whether captions are lines of four fields."""
        return self.name in ("HumanML3D", "KIT-ML", "own")


def find_layout(folder: str | Path) -> Layout:
    """Recognise the layout of a folder.

    Raises:
        MissingPathError: if there is no such folder.
        RemogptError: if it is none of them; says what each would hold.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise MissingPathError(f"no folder {folder}; name the folder of a set")
    lists = {path.stem: path for path in sorted(folder.glob("[!.]*.txt"))}
    motions, texts = (_inside(folder, names) for names in (_MOTION_X, _SENTENCES))
    if motions is not None and texts is not None:
        return Layout("Motion-X", folder, motions, texts, 322, 30.0, lists)
    if (folder / "new_joint_vecs").is_dir() or (folder / "texts").is_dir():
        channels = _channels(folder)
        name: Name = "own" if (folder / "set.json").is_file() else "HumanML3D"
        if channels == KIT_NUM_FEATURES:
            name = "KIT-ML"
        fps = KIT_FPS if name == "KIT-ML" else FPS
        return Layout(name, folder, folder / "new_joint_vecs", folder / "texts", channels, fps, lists)
    if (folder / "annotations.json").is_file():
        splits = {path.stem: path for path in sorted((folder / "splits").glob("[!.]*.txt"))}
        return Layout("TMR", folder, None, folder, NUM_FEATURES, FPS, splits)
    labels = {path.stem: path for path in sorted(folder.glob("[!.]*.json")) if path.stem.split("_")[-1] in _BABEL}
    if labels:
        return Layout("BABEL", folder, None, folder, NUM_FEATURES, FPS, labels)
    raise RemogptError(
        f"{folder} is in none of the layouts that can be examined: HumanML3D, KIT-ML or a set of our own "
        "(new_joint_vecs/, texts/, train.txt), Motion-X (smplx_322/, semantic_labels/), BABEL (train.json, val.json), "
        "TMR's annotations (annotations.json, splits/). Name the folder that holds these"
    )


_BABEL = ("train", "val", "test", "train_extra", "extra")


def _inside(folder: Path, names: tuple[str, ...]) -> Path | None:
    """Return the first folder with one of these names, at most three levels down."""
    for depth in range(4):
        for name in names:
            for path in sorted(folder.glob(f"{'*/' * depth}{name}")):
                if path.is_dir():
                    return path
    return None


def _channels(folder: Path) -> int:
    """Return 263 or 251: what most of the first motions have, or else the statistics."""
    counts = {NUM_FEATURES: 0, KIT_NUM_FEATURES: 0}
    first = sorted((folder / "new_joint_vecs").rglob("[!.]*.npy"))[:25] if (folder / "new_joint_vecs").is_dir() else []
    for path in [*first, folder / "Mean.npy"]:
        try:
            shape = read_npy(path, mmap=True).shape
        except (RemogptError, OSError):
            continue
        if shape and shape[-1] in counts:
            counts[shape[-1]] += 1
    return KIT_NUM_FEATURES if counts[KIT_NUM_FEATURES] > counts[NUM_FEATURES] else NUM_FEATURES
