"""Read a folder in HumanML3D's layout.

    new_joint_vecs/<id>.npy    (T, 263) float32 features, metres, 20 fps; KIT-ML's own: (T, 251), millimetres, 12.5 fps
    texts/<id>.txt             one caption a line: words#lemma/POS lemma/POS ...#start#end   (seconds; 0.0#0.0 = whole)
    train.txt val.txt test.txt one id a line; any other <split>.txt is a split too
    Mean.npy Std.npy           (263,) statistics of the set, which tell whose features they are
Sets written by this project add `set.json` (name, licence, how it was made) and `items/<id>.json` (source, tags,
facts, what captions claim, tags of stretches).
An id of M and a number is the mirror image of that number, as in HumanML3D; other mirror images say so in their item.

Source: HumanML3D 9176e8f; differs: sub-clips are named by their times (`000012:1.5-4.0`), not by a random letter, so
that names are the same in every run.
"""

import difflib
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, NotRequired, TypedDict

import numpy as np

from remogpt.data.clip import Caption, Clip
from remogpt.data.packed_motions import NAME as PACKED
from remogpt.data.packed_motions import PackedMotions, Stamp, stamp_of
from remogpt.data.recent import RecentArrays
from remogpt.motion.facts import Fact, Steps, claims_from_json
from remogpt.motion.feature_body import HUMANML3D, KIT, FeatureBody
from remogpt.runtime.errors import MissingPathError, RemogptError
from remogpt.runtime.files import fingerprint, read_json, read_npy
from remogpt.runtime.inside import path_inside
from remogpt.runtime.progress import progress
from remogpt.runtime.text import read_lines, read_text

_log = logging.getLogger(__name__)

MIN_FRAMES, MAX_FRAMES = 40, 199
"""HumanML3D's length window: 40 <= T < 200. A filter of the protocols, not a limit of the format."""
KIT_MIN_FRAMES = 24
"""KIT-ML's: 2 s as well. Source: the loaders of T2M-GPT."""
NUM_PROBES = 16
"""Clips whose features `MotionTextSet.probe` reads."""
MOST_TOLD = 20
"""Motions and captions left out that are warned of one by one."""
LARGEST_VALUE = 1e4
"""Metres, or metres a second, that no feature of a body reaches."""
KEPT_BYTES = 2**26
"""Bytes of features that an opened set keeps in memory: about 600 clips of HumanML3D."""


class SetFile(TypedDict):
    """Content of `set.json`, and whatever its writer adds."""

    name: str
    licence: NotRequired[str]


class _FactFile(TypedDict):
    name: str
    params: NotRequired[dict[str, Any]]


class ItemFile(TypedDict):
    """Content of `items/<id>.json`."""

    source_id: NotRequired[str]
    mirror_of: NotRequired[str]
    provenance: NotRequired[str]
    tags: NotRequired[dict[str, Any]]
    facts: NotRequired[list[_FactFile]]
    claims: NotRequired[list[list[list[_FactFile]]]]
    stretches: NotRequired[dict[str, dict[str, Any]]]


class MotionTextSet:
    """A folder of captioned motions.

    Example:
        >>> motions = MotionTextSet.open("datasets/HumanML3D")
        >>> clip = motions.clips("train")[0]
        >>> motions.features(clip).shape, clip.captions[0]
    """

    def __init__(self, folder: Path, body: FeatureBody = HUMANML3D):
        self.folder, self.body = folder, body
        self._clips: dict[str, list[Clip]] = {}
        self.left_out: dict[str, str] = {}
        """What was left out so far and why: an id, or `id, line 3` for one of its captions."""
        self._recent = RecentArrays(KEPT_BYTES)

    @classmethod
    def open(cls, folder: str | Path) -> "MotionTextSet":
        """Open a folder, checking only that its files exist.

        Its statistics tell whose features it holds: HumanML3D's, or KIT-ML's own of 21 joints.

        A split's captions and lengths are read once, by the first call of `clips`; later changes of the folder are seen
        after opening it again.

        Args:
            folder: in HumanML3D's layout.

        Raises:
            MissingPathError: if a file of the layout is missing.
        """
        folder = Path(folder)
        missing = [name for name in ("new_joint_vecs", "texts", "Mean.npy", "Std.npy") if not (folder / name).exists()]
        if missing:
            raise MissingPathError(
                f"{folder} is not in HumanML3D's layout: {', '.join(missing)} missing; "
                "make a set with 'remogpt data make', import one with 'remogpt data import', or name HumanML3D's folder"
            )
        is_kit = read_npy(folder / "Mean.npy").shape == (KIT.num_features,)
        return cls(folder, KIT if is_kit else HUMANML3D)

    @property
    def num_features(self) -> int:
        """F, channels of its motions."""
        return self.body.num_features

    @property
    def fps(self) -> float:
        """Frames a second."""
        return self.body.fps

    @property
    def min_frames(self) -> int:
        """Frames of the shortest clip that the protocols take, 2 s."""
        return KIT_MIN_FRAMES if self.num_features == KIT.num_features else MIN_FRAMES

    @cached_property
    def info(self) -> dict[str, Any]:
        """Content of `set.json`; of other folders only the name is known."""
        path = self.folder / "set.json"
        return dict(read_json(path, SetFile)) if path.is_file() else {"name": self.folder.name, "licence": "unknown"}

    @property
    def name(self) -> str:
        """Name of the set."""
        return str(self.info["name"])

    @property
    def licence(self) -> str:
        """Licence of its motions."""
        return str(self.info.get("licence", "unknown"))

    @cached_property
    def mean(self) -> np.ndarray:
        """(F,) mean of each feature over the training frames."""
        return self._statistics("Mean.npy")

    @cached_property
    def std(self) -> np.ndarray:
        """(F,) standard deviation, averaged within the channel groups."""
        return self._statistics("Std.npy")

    def _statistics(self, name: str) -> np.ndarray:
        path = self.folder / name
        values = read_npy(path)
        is_good = values.shape == (self.num_features,) and values.dtype.kind in "fiu"
        if not is_good or not np.isfinite(values).all():
            raise RemogptError(
                f"{path} holds {values.dtype} of shape {values.shape}, wanted {self.num_features} finite numbers; copy "
                "it again, or make the set anew"
            )
        return values.astype(np.float32)

    def splits(self) -> list[str]:
        """Names of the split files."""
        # Files whose names begin with a dot are what a killed run left.
        return sorted(path.stem for path in self.folder.glob("[!.]*.txt"))

    def ids(self, split: str) -> list[str]:
        """Return the ids that a split file lists, in its order.

        Raises:
            MissingPathError: if there is no such split.
            RemogptError: if its file is not text, or the split's name leads elsewhere.
        """
        path = path_inside(self.folder, split, ".txt", for_reading=True)
        if not path.is_file():
            raise MissingPathError(f"no split {split!r} in {self.folder}; it has {', '.join(self.splits()) or 'none'}")
        return read_lines(path)

    def item(self, file_id: str) -> dict[str, Any]:
        """Return the content of `items/<id>.json`, {} if there is none."""
        path = path_inside(self.folder / "items", file_id, ".json", for_reading=True)
        return dict(read_json(path, ItemFile)) if path.is_file() else {}

    def facts(self, clip: Clip | str) -> list[Fact]:
        """Return the checkable facts of a clip, or of a whole file by its id; empty where none are known.

        Facts are stated of whole files: a clip that is a stretch of one has none.
        """
        if not isinstance(clip, str) and clip.id != clip.file_id:
            return []
        file_id = clip if isinstance(clip, str) else clip.file_id
        return [Fact.from_json(fact) for fact in self.item(file_id).get("facts", [])]

    def claims(self, clip: Clip | str) -> list[Steps]:
        """Return what each caption of a clip claims, or each of a whole file by its id; empty where that is not known.

        A clip that is a stretch has the claims of the captions that describe it.
        """
        file_id = clip if isinstance(clip, str) else clip.file_id
        claims = [claims_from_json(steps) for steps in self.item(file_id).get("claims", [])]
        if isinstance(clip, str) or not claims:
            return claims
        of_clip = zip(self.captions(file_id), claims, strict=False)
        return [steps for caption, steps in of_clip if _name(file_id, caption) == clip.id]

    def captions(self, file_id: str) -> list[Caption]:
        """Return all captions of one motion, with their times; lines that cannot be used are noted in `left_out`.

        Raises:
            MissingPathError: if the motion has no text file.
            RemogptError: if the file is not text, or holds no caption.
        """
        path = path_inside(self.folder / "texts", file_id, ".txt", for_reading=True)
        if not path.is_file():
            close = difflib.get_close_matches(file_id, (p.stem for p in path.parent.glob("*.txt")), n=3)
            raise MissingPathError(f"no captions {path}" + (f"; did you mean {', '.join(close)}?" if close else ""))
        found = []
        for number, line in enumerate(read_text(path).splitlines(), start=1):
            try:
                if line.strip():
                    found.append(Caption.from_line(line, f"{path}, line {number}"))
            except RemogptError as error:
                self.left_out[f"{file_id}, line {number}"] = str(error)
        if not found:
            raise RemogptError(f"{path} holds no caption that can be used; write one, or take the id out of its split")
        return found

    def features(self, clip: Clip | str) -> np.ndarray:
        """Return (T, F) float32 features of a clip, or of a whole file by its id."""
        file_id = clip if isinstance(clip, str) else clip.file_id
        # A clip that is a whole file shares the file's cache key.
        if isinstance(clip, str) or clip.id == clip.file_id:
            first, stop = 0, None
        else:
            first, stop = clip.first, clip.first + clip.num_frames
        stamp = self._stamp(file_id)
        if self._packed is not None and self._packed.is_current(file_id, stamp):
            return self._packed.read(file_id, first, stop)
        key = (file_id, first, stop, *stamp)
        return self._recent.get(key, lambda: self._read_features(file_id, first, stop))

    def _read_features(self, file_id: str, first: int, stop: int | None) -> np.ndarray:
        path = self._feature_file(file_id)
        features = read_npy(path, mmap=True)
        if features.ndim != 2 or features.shape[1] != self.num_features:
            hint = (
                "KIT-ML's 251 channels have statistics of their own" if features.shape[-1:] == (KIT.num_features,)
                else "make features with remogpt.motion.joints_to_features"
            )  # fmt: skip
            raise RemogptError(f"wanted (T, {self.num_features}) features, {path} holds {features.shape}; {hint}")
        return np.array(features[first:stop], dtype=np.float32)

    @cached_property
    def _packed(self) -> PackedMotions | None:
        """The motions as `data pack` wrote them, if it did: read many times as fast."""
        folder = self.folder / PACKED
        if not (folder / "index.json").is_file():
            return None
        packed = PackedMotions.open(folder)
        return packed if packed.num_channels == self.num_features else None

    def _stamp(self, file_id: str) -> Stamp:
        return stamp_of(self._feature_file(file_id))

    def joints(self, file_id: str) -> np.ndarray | None:
        """Return (T, 22, 3) joints if the set holds them."""
        path = path_inside(self.folder / "new_joints", file_id, ".npy", for_reading=True)
        return read_npy(path).astype(np.float32) if path.is_file() else None

    def clips(self, split: str, min_frames: int | None = None, max_frames: int = MAX_FRAMES) -> list[Clip]:
        """Return the clips of a split whose length lies in [min_frames, max_frames]; default: the protocols' window.

        A motion whose captions describe stretches of it gives one clip more for each stretch. An id without a feature
        file is left out with a warning: HumanML3D's own split files name a few that its scripts do not make.

        Raises:
            MissingPathError: if there is no such split, or none of its motions is there.
            RemogptError: if no clip has such a length.
        """
        if split not in self._clips:
            self._clips[split] = self._read_split(split)
        found = self._clips[split]
        min_frames = self.min_frames if min_frames is None else min_frames
        kept = [clip for clip in found if min_frames <= clip.num_frames <= max_frames]
        if not kept:
            raise RemogptError(
                f"split {split!r} of {self.folder} has no clip of {min_frames} to {max_frames} frames ({len(found)} in "
                "all); give another split or another length window"
            )
        return kept

    def probe(self, clips: Sequence[Clip]) -> str:
        """Return a SHA-256 over the features of a few clips, evenly spaced among those given.

        The hash detects a set that was regenerated under the same ids, without reading all of it.
        """
        indices = np.unique(np.linspace(0, len(clips) - 1, NUM_PROBES).round().astype(int)).tolist()
        return fingerprint([self.features(clips[index]) for index in indices])

    def identity(self, clips: Sequence[Clip]) -> str:
        """Return a SHA-256 that identifies the motions of these clips and their order.

        The hash covers a `probe`, and the ids, lengths and file times of all clips.
        """
        known = [f"{clip.id} {clip.first} {clip.num_frames} {self._stamp(clip.file_id)}" for clip in clips]
        return fingerprint([self.probe(clips), *known])

    def _feature_file(self, file_id: str) -> Path:
        return path_inside(self.folder / "new_joint_vecs", file_id, ".npy", for_reading=True)

    def _read_split(self, split: str) -> list[Clip]:
        """Read the captions and lengths of all clips of a split; raises as `clips` does."""
        ids = self.ids(split)
        found: list[Clip] = []
        absent: list[str] = []
        known = len(self.left_out)
        for file_id in dict.fromkeys(ids):
            if file_id in self.left_out:
                continue
            try:
                if self._feature_file(file_id).is_file():
                    found += self._clips_of(file_id)
                else:
                    absent.append(file_id)
            except RemogptError as error:
                self.left_out[file_id] = str(error)
        if ids and len(absent) == len(set(ids)):
            raise MissingPathError(
                f"none of the {len(ids)} motions of split {split!r} is in {self.folder / 'new_joint_vecs'} "
                f"(the first is {ids[0]}.npy); check the folder"
            )
        if absent:
            _log.warning("%s: %d of %d motions of split %s have no feature file and are left out (%s%s)", self.folder,
                        len(absent), len(ids), split, ", ".join(absent[:3]), ", ..." if absent[3:] else "")  # fmt: skip
        self._tell(known)
        if not found and self.left_out:
            raise RemogptError(next(iter(self.left_out.values())))
        return found

    def check_values(self, *splits: str) -> None:
        """Read every motion of some splits, and leave out those with values that are no numbers, before work begins.

        They are noted in `left_out`, with file and frame, and no later call of `clips` returns them.

        Raises:
            RemogptError: if no motion of a split can be used.
        """
        for split in splits:
            clips, known = self.clips(split, 0, 10**9), len(self.left_out)
            for clip in progress(clips, desc=f"check {split}", unit="clip"):
                if clip.file_id in self.left_out:
                    continue
                try:
                    whole = self._read_features(clip.file_id, 0, None)
                    _check_values(whole, self._feature_file(clip.file_id), self.body)
                except RemogptError as error:
                    self.left_out[clip.file_id] = str(error)
            self.leave_out(())
            self._tell(known)
            if not self._clips[split]:
                raise RemogptError(next(iter(self.left_out.values())))

    def check_captions(self, why_not: Callable[[str], str], *splits: str) -> None:
        """Leave out captions of some splits, and clips that then have none; noted and warned of as `check_values` does.

        Args:
            why_not: says why a caption cannot be used; empty where it can.

        Raises:
            RemogptError: if no clip of a split has a caption left.
        """
        for split in splits:
            known, kept = len(self.left_out), []
            for clip in self.clips(split, 0, 10**9):
                reasons = [why_not(text) for text in clip.captions]
                for number, reason in enumerate(reasons, start=1):
                    if reason:
                        self.left_out[f"{clip.id}, caption {number}"] = f"{clip.id}, caption {number}: {reason}"
                good = [index for index, reason in enumerate(reasons) if not reason]
                if len(good) < len(reasons):
                    captions = tuple(clip.captions[index] for index in good)
                    clip = replace(clip, captions=captions, tokens=tuple(clip.tokens[index] for index in good))
                kept += [clip] if good else []
            self._clips[split] = kept
            self._tell(known)
            if not kept:
                raise RemogptError(next(reversed(self.left_out.values())))

    def leave_out(self, file_ids: Iterable[str]) -> None:
        """Return no clips of these motions from now on, as of those that could not be used."""
        self.left_out |= dict.fromkeys(file_ids, "left out as in an earlier run")
        for split, clips in self._clips.items():
            self._clips[split] = [clip for clip in clips if clip.file_id not in self.left_out]

    def _tell(self, known: int) -> None:
        """Warn of what has been left out since there were `known`."""
        new = list(self.left_out.values())[known:]
        for why in new[:MOST_TOLD]:
            _log.warning("left out: %s", why)
        if new[MOST_TOLD:]:
            _log.warning("left out: %d more", len(new) - MOST_TOLD)

    def _shape(self, file_id: str) -> tuple[int, ...]:
        if self._packed is not None and self._packed.is_current(file_id, self._stamp(file_id)):
            return self._packed.num_frames(file_id), self.num_features
        return read_npy(self._feature_file(file_id), mmap=True).shape

    def _clips_of(self, file_id: str) -> Iterable[Clip]:
        shape = self._shape(file_id)
        if len(shape) != 2 or not shape[0]:
            raise RemogptError(f"{self._feature_file(file_id)} holds {shape}, wanted (T, {self.num_features}) features")
        total = shape[0]
        item = self.item(file_id)
        by_span: dict[tuple[float, float], list[Caption]] = {}
        for caption in self.captions(file_id):
            by_span.setdefault((caption.start, caption.end), []).append(caption)
        for (start, end), captions in by_span.items():
            whole = captions[0].is_whole
            if not whole and start * self.fps >= total:
                path = self.folder / "texts" / f"{file_id}.txt"
                self.left_out[f"{file_id}, {start:g} to {end:g} s"] = (
                    f"{path}: a caption begins at {start:g} s, but the motion ends at {total / self.fps:g} s"
                )
                continue
            first, stop = (0, total) if whole else (int(start * self.fps), min(total, int(end * self.fps)))
            name = _name(file_id, captions[0])
            mirrored = item.get("mirror_of", file_id[1:] if file_id.startswith("M") and file_id[1:].isdigit() else None)
            yield Clip(
                id=name,
                file_id=file_id,
                source_id=item.get("source_id", mirrored or file_id),
                mirror_of=None if mirrored is None else mirrored + name.removeprefix(file_id),
                captions=tuple(caption.text for caption in captions),
                tokens=tuple(caption.tokens for caption in captions),
                first=first,
                num_frames=max(0, stop - first),
                tags=item.get("tags", {}) | item.get("stretches", {}).get(captions[0].times, {}),
            )


def _name(file_id: str, caption: Caption) -> str:
    """Return the id of the clip that a caption describes."""
    return file_id if caption.is_whole else f"{file_id}:{caption.times}"


def _check_values(features: np.ndarray, path: Path, body: FeatureBody) -> None:
    """Refuse features (T, F) with a value that is no number, or that no body has."""
    is_good = np.isfinite(features) & (np.abs(features) < LARGEST_VALUE / body.unit)
    if not is_good.all():
        frame, channel = np.argwhere(~is_good)[0]
        raise RemogptError(
            f"{path} holds {features[frame, channel]:g} in frame {frame} (channel {channel}), and such values in "
            f"{int((~is_good).any(axis=1).sum())} of {len(features)} frames; mend the motion, or take its id out of "
            "the split files"
        )
