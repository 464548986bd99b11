"""Motions that somebody else generated, read from a folder.

The folder holds one `<clip id>.npy` for each clip, raw features (T, 263) or joints (T, 22, 3) in metres, y up, 20 fps
(`:` in an id is written `_`). Subfolders `generation_01`, ... hold further generations of the same clips.
`captions.json` ({id: caption}), where it is there, names the captions that the motions were made for. A folder that an
evaluation wrote itself (`samples`) has `samples.json` instead; motions that `samples.json` does not name are not read.
"""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from remogpt.data.humanml3d import Clip
from remogpt.eval.cards import Card, ItemsFile, sha256_of
from remogpt.eval.runs.run import CaptionQuery, Run
from remogpt.eval.runs.samples import INDEX, Samples, file_name
from remogpt.motion import joints_to_features
from remogpt.motion.checks import check_features
from remogpt.motion.feature_body import HUMANML3D, FeatureBody
from remogpt.runtime.errors import MissingPathError, RemogptError
from remogpt.runtime.files import read_json, read_npy, sha256_file

_log = logging.getLogger(__name__)

MIN_FRAMES = 4
"""Fewer have no jerk, and no movement that Guo's evaluator could read."""


def from_folder(run: Run, split: str, folder: Path) -> tuple[list[Clip], list[CaptionQuery], list[Samples]]:
    """Read somebody's motions for the clips of a split.

    Returns:
        clips of which there is a motion, their queries, and one `Samples` for each generation.

    Raises:
        MissingPathError: if the folder is not there, holds no motion of the split, or lacks some in one generation.
        RemogptError: if every file is neither features nor joints; single ones are left out.
    """
    wanted = sorted(run.motions.clips(split), key=lambda clip: clip.id)
    found = with_motions(wanted, folder)
    clips = _readable(run, found, folder)
    if found and not clips:
        raise RemogptError(run.motions.left_out[str(_generations(folder)[0] / file_name(found[0].id))])
    if not clips:
        raise MissingPathError(
            f"{folder} holds no motion of split {split} of {run.motions.name} (its first clip would be "
            f"{file_name(wanted[0].id)}); name files by the clips that they were generated for"
        )
    generations = _generations(folder)
    for generation in generations:
        missing = [clip.id for clip in clips if not (generation / file_name(clip.id)).is_file()]
        if missing:
            raise MissingPathError(
                f"{generation} lacks {len(missing)} motions that {generations[0]} has, first {missing[0]}"
            )
    given = _given_captions(folder)
    queries = [_query(clip, given.get(clip.id)) for clip in clips]
    items = [{"id": clip.id, "caption": query.text} for clip, query in zip(clips, queries, strict=True)]
    paths = [[generation / file_name(clip.id) for clip in clips] for generation in generations]
    digests = [sha256_of([sha256_file(path) for path in row]) for row in paths]
    card = {
        "made_by": "files", "files_sha256": sha256_of(digests),
        "captions": "given with the files" if given else "first of each clip",
        "clips_without_file": len(wanted) - len(clips),
    }  # fmt: skip
    return clips, queries, [_files(row, items, card, run.motions.body) for row in paths]


def _readable(run: Run, clips: Sequence[Clip], folder: Path) -> list[Clip]:
    """Return the clips whose motion can be read in every generation that has it; others are noted as left out."""
    kept = []
    for clip in clips:
        paths = [generation / file_name(clip.id) for generation in _generations(folder)]
        try:
            for path in paths:
                if path.is_file():
                    load_features(path, run.motions.body)
            kept.append(clip)
        except RemogptError as error:
            run.motions.left_out[str(paths[0])] = str(error)
            _log.warning("left out: %s", error)
    return kept


def with_motions(clips: Sequence[Clip], folder: Path) -> list[Clip]:
    """Return the clips for which a folder holds a motion.

    Raises:
        MissingPathError: if the folder is not there.
    """
    if not folder.is_dir():
        raise MissingPathError(f"no folder of motions {folder}; give one that holds <clip id>.npy")
    index, generations = _index(folder), _generations(folder)
    listed = None if index is None else {item["id"] for item in index["items"]}
    return [
        clip
        for clip in clips
        if generations and (listed is None or clip.id in listed) and (generations[0] / file_name(clip.id)).is_file()
    ]


def _generations(folder: Path) -> list[Path]:
    """Return folders that hold a generation each; in a folder of an evaluation, only those of the same settings."""
    generations = [folder, *sorted(path for path in folder.glob("generation_*") if path.is_dir())]
    generations = [generation for generation in generations if any(generation.glob("*.npy"))]
    own = _settings(folder)
    return generations if own is None else [generation for generation in generations if _settings(generation) == own]


def _settings(folder: Path) -> Card | None:
    """Return the card and length of an evaluation's folder, whatever its generation; None for other folders."""
    index = _index(folder)
    return None if index is None else index["card"] | {"generation": None, "written": len(index["items"])}


def _index(folder: Path) -> dict[str, Any] | None:
    """Read `samples.json` of a folder that an evaluation wrote; None for other folders."""
    path = folder / INDEX
    if not path.is_file():
        return None
    try:
        return dict(read_json(path, ItemsFile))
    except RemogptError as error:
        raise RemogptError(f"{error}; or remove it, and name captions in captions.json ({{id: caption}})") from error


def _files(paths: Sequence[Path], items: list[dict[str, Any]], card: Card, body: FeatureBody) -> Samples:
    return Samples(items, lambda index: load_features(paths[index], body), card)


def _given_captions(folder: Path) -> dict[str, str]:
    """Return the captions that the motions of a folder were made for, by the ids of their clips."""
    named, index = folder / "captions.json", _index(folder)
    if not named.is_file():
        return {} if index is None else {item["id"]: item["caption"] for item in index["items"]}
    given: dict[str, str] = read_json(named, dict[str, str])
    return given


def _query(clip: Clip, caption: str | None) -> CaptionQuery:
    """Return the caption given for a clip, else its first, with its tokens if it is one of the clip's own."""
    text = clip.captions[0] if caption is None else caption
    tokens = clip.tokens[clip.captions.index(text)] if text in clip.captions else ()
    return CaptionQuery(text, tokens)


def load_features(path: Path, body: FeatureBody = HUMANML3D) -> np.ndarray:
    """Read (T, F) features of a body, or (T + 1, J, 3) joints in its unit, from which they are made; T >= 4.

    Raises:
        RemogptError: if it is neither, is shorter, or holds what no motion can be made of; the message names the file.
    """
    array = read_npy(path)
    if array.ndim == 3 and array.shape[1:] == (body.num_joints, 3):
        try:
            array = joints_to_features(array, body=body)
        except RemogptError as error:
            raise RemogptError(f"{path}: {error}") from error
    if array.ndim != 2 or array.shape[1] != body.num_features:
        raise RemogptError(
            f"{path} holds {array.shape}, wanted features (frames, {body.num_features}) or joints (frames, "
            f"{body.num_joints}, 3) in {'metres' if body.unit == 1.0 else 'millimetres'}"
        )
    check_features(array, where=str(path), min_frames=MIN_FRAMES, num_features=body.num_features)
    return array.astype(np.float32)
