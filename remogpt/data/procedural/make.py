"""Make the procedural set: draw, animate and describe scripts, and write them in HumanML3D's layout.

Every clip follows from (seed, index) alone, so the set does not depend on the number of processes, and an
interrupted run resumes.

Splits: `test_unseen` holds combinations of two and more actions that training never sees, though it sees their single
actions; all other clips are divided into train, val and test by clip. `families` holds variants of training clips that
differ from them in one factor, and are of no other split. A long recording, of whose stretches one holds such a
combination, is of the test split, and otherwise of one of the three.
"""

import hashlib
import multiprocessing
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from remogpt.data.humanml3d import SetFile
from remogpt.data.procedural.clip import ProceduralClip, described_clip, write_clip
from remogpt.data.procedural.families import vary
from remogpt.data.procedural.long import make_recording
from remogpt.data.procedural.sample import estimated_seconds, sample_script, shorten
from remogpt.data.procedural.script import Script
from remogpt.data.procedural.vocabularies import CORE, get_vocabulary
from remogpt.data.writer import finish_set, is_written
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import check_output_folder, read_json
from remogpt.runtime.progress import progress

Result = TypeVar("Result")

VERSION = 1
"""Increased whenever the same seed gives other clips."""
UNSEEN_SHARE = 0.06
"""Share of the combinations of actions that only `test_unseen` holds, unless another is asked for."""
_SHARES = (("test", 0.05), ("val", 0.10))
"""Upper ends of a clip's draw for the small splits; the rest is train."""
_CHUNK = 8
VARIANTS = 3
"""Variants of a family at most."""


def make_clip(seed: int, index: int, *, vocabulary: str = CORE) -> ProceduralClip:
    """Make clip `index` of the set with this seed and vocabulary; the same arguments give the same clip."""
    rng = np.random.default_rng((seed, index))
    script = sample_script(rng, vocabulary)
    while True:
        try:
            return described_clip(f"{index:06d}", script, rng, vocabulary)
        except ValueError:  # it takes longer than it was estimated, one of thousands
            script, tried = shorten(script, budget=0.95 * estimated_seconds(script)), script
            if script == tried:
                raise


def make_variants(
    seed: int, base: ProceduralClip, *, factors: tuple[str, ...] = (), vocabulary: str = CORE
) -> dict[str, ProceduralClip]:
    """Make a clip's family: clips that differ from it in one factor each, by that factor.

    Args:
        seed: of the set.
        base: the clip that is varied.
        factors: the factors to try, in this order; default: a random order.
        vocabulary: of the set.
    """
    rng = np.random.default_rng((seed, int(base.id), 1))
    scripts = enumerate(vary(base.script, rng, factors=factors, vocabulary=vocabulary), start=1)
    made = {factor: _variant(seed, base.id, number, script, vocabulary) for number, (factor, script) in scripts}
    return {factor: clip for factor, clip in made.items() if clip is not None}


def _variant(seed: int, base_id: str, number: int, script: Script, vocabulary: str) -> ProceduralClip | None:
    """Make a variant; None where its script takes longer than it was estimated, and than a clip may."""
    rng = np.random.default_rng((seed, int(base_id), 1, number))
    try:
        return described_clip(f"{base_id}v{number}", script, rng, vocabulary)
    except ValueError:
        return None


def make_procedural_set(
    folder: Path | str,
    num_clips: int,
    seed: int = 0,
    workers: int = 2,
    unseen_share: float = UNSEEN_SHARE,
    *,
    families: int = 0,
    long: int = 0,
    vocabulary: str = CORE,
) -> None:
    """Write the set, or its missing clips.

    Args:
        folder: folder of the set; one begun with another seed or version is refused.
        num_clips: number of clips; a larger number later extends the set.
        seed: of all clips.
        workers: processes.
        unseen_share: share of the combinations that only `test_unseen` holds.
        families: training clips, the first ones, that get variants which differ from them in one factor (split
            `families`); a set keeps those that it has.
        long: further recordings, of 10 to 20 s, whose captions describe stretches of them; a set keeps those that it
            has.
        vocabulary: actions and words: `core`, whose sets never change, or `wide`, which has more, and on which the
            shipped models were trained.

    Raises:
        RemogptError: if the folder holds a set of another seed, version or vocabulary, for an unknown vocabulary, or
            for a number out of range.
    """
    if num_clips < 1 or workers < 1:
        raise RemogptError(f"--clips and --workers must be at least 1, got {num_clips} and {workers}")
    if seed < 0:
        raise RemogptError(f"--seed must be 0 or more, got {seed}")
    if families < 0 or long < 0:
        raise RemogptError(f"--families and --long must be 0 or more, got {families} and {long}")
    if not 0 <= unseen_share < 1:
        raise RemogptError(f"--unseen-share must lie between 0 and 1, got {unseen_share}")
    get_vocabulary(vocabulary)
    folder = check_output_folder(folder)
    old = read_json(folder / "set.json", SetFile) if (folder / "set.json").is_file() else {}
    if old and (old.get("seed"), old.get("version")) != (seed, VERSION):
        raise RemogptError(
            f"{folder} holds a set of seed {old.get('seed')}, version {old.get('version')}; wanted seed {seed}, "
            f"version {VERSION}. Choose another folder, or delete this one."
        )
    if old and (held := old.get("vocabulary", CORE)) != vocabulary:
        raise RemogptError(
            f"{folder} holds a set of the vocabulary {held}; wanted {vocabulary}. Choose another folder, or "
            f"--vocabulary {held}."
        )
    folder.mkdir(parents=True, exist_ok=True)
    missing = [index for index in range(num_clips) if not is_written(folder, f"{index:06d}")]
    _in_parallel(partial(_write_clip, folder, seed, vocabulary), missing, workers, "clips")
    splits = _splits(folder, num_clips, unseen_share)
    about: dict[str, Any] = {"seed": seed, "version": VERSION, "unseen_share": unseen_share}
    if vocabulary != CORE:
        about["vocabulary"] = vocabulary
    families = max(families, old.get("families", 0))
    if families:
        write = partial(_write_family, folder, seed, unseen_share, vocabulary)
        written = _in_parallel(write, splits["train"][:families], workers, "families")
        splits["families"] = sorted(clip_id for ids in written for clip_id in ids)
        about["families"] = families
    long = max(long, old.get("long", 0))
    if long:
        missing = [index for index in range(long) if not is_written(folder, f"L{index:06d}")]
        _in_parallel(partial(_write_recording, folder, seed, vocabulary), missing, workers, "long recordings")
        _add_recordings(splits, folder, long, unseen_share)
        about["long"] = long
    finish_set(folder, "remogpt-procedural", "MIT", splits, **about)


def _in_parallel(write: Callable[[Any], Result], items: Sequence[Any], workers: int, desc: str) -> list[Result]:
    """Write items in several processes; return what each gave, in any order."""
    if workers > 1 and len(items) > _CHUNK:
        with multiprocessing.get_context("spawn").Pool(workers) as pool:
            return list(progress(pool.imap_unordered(write, items, _CHUNK), total=len(items), desc=desc, unit="clip"))
    return [write(item) for item in progress(items, desc=desc, unit="clip")]


def split_of(combination: str, num_actions: int, clip_id: str, unseen_share: float) -> str:
    """Return the split of a clip; does not depend on other clips."""
    if _is_kept(combination, num_actions, unseen_share):
        return "test_unseen"
    return _drawn_split(clip_id)


def _drawn_split(clip_id: str) -> str:
    draw = _draw(f"clip {clip_id}")
    return next((name for name, end in _SHARES if draw < end), "train")


def is_unseen(script: Script) -> bool:
    """Return whether sets of the usual `UNSEEN_SHARE` keep a script's combination of actions for `test_unseen`."""
    return _is_kept(script.combination(), len(script.actions), UNSEEN_SHARE)


def _is_kept(combination: str, num_actions: int, share: float) -> bool:
    return num_actions > 1 and _draw(f"combination {combination}") < share


def _draw(key: str) -> float:
    """Map a string to [0, 1) the same way everywhere."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:6], "big") / 2.0**48


def _write_clip(folder: Path, seed: int, vocabulary: str, index: int) -> None:
    write_clip(folder, make_clip(seed, index, vocabulary=vocabulary), {})


def _write_recording(folder: Path, seed: int, vocabulary: str, index: int) -> None:
    write_clip(folder, make_recording(seed, index, vocabulary=vocabulary), {})


def _write_family(folder: Path, seed: int, unseen_share: float, vocabulary: str, base_id: str) -> list[str]:
    """Write the missing variants of a training clip; return the ids of all."""
    script = Script.from_json(read_json(folder / "items" / f"{base_id}.json")["tags"]["script"])
    ids: list[str] = []
    rng = np.random.default_rng((seed, int(base_id), 1))
    for number, (factor, variant) in enumerate(vary(script, rng, vocabulary=vocabulary), start=1):
        clip_id = f"{base_id}v{number}"
        if split_of(variant.combination(), len(variant.actions), clip_id, unseen_share) == "test_unseen":
            continue
        if not is_written(folder, clip_id):
            clip = _variant(seed, base_id, number, variant, vocabulary)
            if clip is None:
                continue
            write_clip(folder, clip, {"family": base_id, "changed": factor})
        ids.append(clip_id)
        if len(ids) == VARIANTS:
            break
    return ids


def _splits(folder: Path, num_clips: int, unseen_share: float) -> dict[str, list[str]]:
    splits: dict[str, list[str]] = {"train": [], "val": [], "test": [], "test_unseen": []}
    for index in range(num_clips):
        clip_id = f"{index:06d}"
        tags = read_json(folder / "items" / f"{clip_id}.json")["tags"]
        splits[split_of(tags["combination"], tags["num_actions"], clip_id, unseen_share)].append(clip_id)
    return splits


def _add_recordings(splits: dict[str, list[str]], folder: Path, long: int, unseen_share: float) -> None:
    """Add the long recordings to the splits."""
    for index in range(long):
        clip_id = f"L{index:06d}"
        stretches = read_json(folder / "items" / f"{clip_id}.json")["stretches"].values()
        is_kept = any(_is_kept(tags["combination"], tags["num_actions"], unseen_share) for tags in stretches)
        splits["test" if is_kept else _drawn_split(clip_id)].append(clip_id)
