"""Find clips again in long motions that were joined from them, by their captions: fixed windows beside pyramids.

  OMP_NUM_THREADS=1 python -m benchmarks.moments --procedural runs/mini/set --bandai sets/bandai --utd_mhad sets/utd

The sets are made by `remogpt data make` and `remogpt data import`. Each sequence joins 3 to 6 clips of different
actions, poses led from one to the next over five frames; the query is a caption of one of them, the truth is its span.
The length prior was set by the procedural validation split; real recordings were never trained on. Each group of
sequences is written when it is done; --groups makes some of them anew.
"""

import argparse
import os
import platform
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.command import command
from remogpt import ReMoGPT
from remogpt.data.compose import BLEND, join_motions
from remogpt.data.humanml3d import Clip, MotionTextSet
from remogpt.motion import features_to_joints, joints_to_features
from remogpt.motion.skeleton import FPS
from remogpt.retriever import TextMotionRetriever
from remogpt.retriever.moments import (
    LENGTH_PRIOR,
    LONG_WINDOWS,
    PAPER_WINDOWS,
    STRIDE,
    accuracy_at_iou,
    embed_windows,
    find_moments,
    iou,
    pyramid,
    ranked_spans,
)
from remogpt.runtime.files import fingerprint, read_json, write_json
from remogpt.runtime.progress import progress

GROUPS = {"procedural_val": ("procedural", "val"), "procedural": ("procedural", "test"),
          "bandai": ("bandai", "test"), "utd_mhad": ("utd_mhad", "all")}  # fmt: skip
"""Name of a group of sequences: the set and the split of their clips."""
PRIORS = (0.0, 0.025, 0.05, 0.1, 0.15, 0.2, 0.3)
"""Length priors that are tried on the validation group."""
MIN_FRAMES = 20
FAMILIES = {"bye": "wave", "byebye": "wave", "respond": "raise", "dash": "run"}
"""Contents of Bandai-Namco's recordings that look like another one."""

Choose = Callable[[np.ndarray, np.ndarray], tuple[int, int]]


@dataclass(frozen=True)
class Joined:
    """A long motion, what is asked about it, and its windows' cosines with that."""

    caption: str
    truth: tuple[int, int]
    num_frames: int
    windows: np.ndarray
    """(W, 2), of all lengths."""
    cosines: np.ndarray
    """(W,)."""
    digest: str
    """Of features and caption."""


def actions(clip: Clip) -> set[str]:
    """Name what is done in a clip; two clips of a sequence share none of it, so that the query has one answer."""
    if "script" in clip.tags:
        return {action["name"] for step in clip.tags["script"]["steps"] for action in step}
    if "content" in clip.tags:
        kind = clip.tags["content"].split("-")[0]
        return {FAMILIES.get(kind, kind)}
    return {clip.tags["action"]}


def draw_clips(clips: list[Clip], rng: np.random.Generator) -> list[Clip]:
    """Draw 3 to 6 clips without a common action."""
    wanted, drawn = int(rng.integers(3, 7)), list[Clip]()
    done: set[str] = set()
    for place in rng.permutation(len(clips)):
        if not actions(clips[place]) & done:
            drawn.append(clips[place])
            done |= actions(clips[place])
        if len(drawn) == wanted:
            break
    return drawn


def joints_of(motions: MotionTextSet, clip: Clip) -> np.ndarray:
    """Return a clip's joints, as the set keeps them or recovered from its features."""
    joints = motions.joints(clip.file_id)
    return features_to_joints(motions.features(clip)) if joints is None else joints


def sequences(
    motions: MotionTextSet, split: str, count: int, seed: Any, retriever: TextMotionRetriever
) -> Iterator[Joined]:
    """Join, ask and embed, one sequence after the other."""
    clips, rng = motions.clips(split, min_frames=MIN_FRAMES), np.random.default_rng(seed)
    for _ in range(count):
        drawn = draw_clips(clips, rng)
        joints, spans = join_motions([joints_of(motions, clip) for clip in drawn])
        features = joints_to_features(joints)
        asked = int(rng.integers(len(drawn)))
        caption = str(rng.choice(drawn[asked].captions))
        windows = pyramid(len(features), {*PAPER_WINDOWS, *LONG_WINDOWS})
        cosines = embed_windows(retriever, features, windows) @ retriever.encode_text([caption])[0]
        truth = spans[asked][0], min(spans[asked][1], len(features))
        yield Joined(caption, truth, len(features), windows, cosines, fingerprint([caption, features]))


def methods() -> dict[str, tuple[tuple[int, ...], Choose]]:
    """Name each way to choose a window: the lengths it looks at, and the choice."""
    plain = best_by(0.0)
    fixed = {f"fixed {length}": ((length,), plain) for length in (20, 40, 60, 80, 100)}
    return fixed | {
        "pyramid 10-60": (PAPER_WINDOWS, plain),
        "pyramid 10-60, z-scores": (PAPER_WINDOWS, best_z_score),
        "pyramid 10-60, length prior": (PAPER_WINDOWS, best_by(LENGTH_PRIOR)),
        "pyramid 20-160": (LONG_WINDOWS, plain),
        "pyramid 20-160, z-scores": (LONG_WINDOWS, best_z_score),
        "pyramid 20-160, length prior": (LONG_WINDOWS, best_by(LENGTH_PRIOR)),
    }


def best_by(length_prior: float) -> Choose:
    """Choose as `find_moments` does."""

    def choose(windows: np.ndarray, cosines: np.ndarray) -> tuple[int, int]:
        span = ranked_spans(windows, cosines, 1, length_prior)[0]
        return span.start, span.end

    return choose


def best_z_score(windows: np.ndarray, cosines: np.ndarray) -> tuple[int, int]:
    """Choose the window that stands out most among those of its length."""
    lengths, scores = windows[:, 1] - windows[:, 0], np.empty(len(cosines))
    for length in np.unique(lengths):
        same = lengths == length
        # A length with one window has no spread; it stands out by nothing.
        scores[same] = (cosines[same] - cosines[same].mean()) / max(cosines[same].std(), 1e-3)
    return best_by(0.0)(windows, scores)


def measure(done: list[Joined], lengths: tuple[int, ...], choose: Choose) -> dict[str, float]:
    """Score one way to choose, beside chance and the best that these lengths allow."""
    predicted, chance, ceiling = [], [], []
    for sequence in done:
        sizes = sequence.windows[:, 1] - sequence.windows[:, 0]
        tried = np.isin(sizes, [min(length, sequence.num_frames) for length in lengths])
        windows, cosines = sequence.windows[tried], sequence.cosines[tried]
        predicted.append(choose(windows, cosines))
        overlaps = iou(windows, sequence.truth)
        # Each length is equally likely, and so is each of its places.
        by_length = [overlaps[sizes[tried] == size] for size in np.unique(sizes[tried])]
        chance.append([np.mean([(some > bar).mean() for some in by_length]) for bar in (0.2, 0.4, 0.6)]
                      + [np.mean([some.mean() for some in by_length])])  # fmt: skip
        ceiling.append(overlaps.max())
    truth = [sequence.truth for sequence in done]
    overlaps, middles = iou(np.array(predicted), np.array(truth)), np.mean(predicted, axis=1)
    scores = {f"accuracy@{bar}": share for bar, share in accuracy_at_iou(predicted, truth).items()}
    scores |= {"mean_iou": overlaps.mean(), "mean_iou_ci95": 1.96 * overlaps.std(ddof=1) / len(done) ** 0.5}
    scores["middle_inside"] = float(
        np.mean([start <= middle < end for (start, end), middle in zip(truth, middles, strict=True)])
    )
    scores["mean_frames"] = float(np.mean([end - start for start, end in predicted]))
    names = ("accuracy@0.2", "accuracy@0.4", "accuracy@0.6", "mean_iou")
    scores |= {f"chance/{name}": value for name, value in zip(names, np.mean(chance, axis=0), strict=True)}
    return {name: round(float(value), 4) for name, value in (scores | {"ceiling/mean_iou": np.mean(ceiling)}).items()}


def run_group(name: str, folder: Path, count: int, seed: int, retriever: TextMotionRetriever) -> dict[str, Any]:
    """Make and measure one group of sequences."""
    motions, split = MotionTextSet.open(folder), GROUPS[name][1]
    key = (seed, list(GROUPS).index(name))
    drawn = sequences(motions, split, count, key, retriever)
    done = list(progress(drawn, total=count, desc=name, unit="sequence"))
    if name == "procedural_val":
        tried = {str(prior): measure(done, LONG_WINDOWS, best_by(prior)) for prior in PRIORS}
        chosen = {
            prior: {key: scores[key] for key in ("accuracy@0.4", "accuracy@0.6", "mean_iou")}
            for prior, scores in tried.items()
        }
        scores: dict[str, Any] = {"pyramid 20-160, by length prior": chosen}
    else:
        scores = {method: measure(done, lengths, choose) for method, (lengths, choose) in methods().items()}
    return {
        "command": command(),
        "set": motions.name, "split": split, "licence": motions.licence,
        "seed": list(key), "sequences": len(done), "blend_frames": BLEND,
        "mean_seconds": round(float(np.mean([sequence.num_frames for sequence in done])) / FPS, 1),
        "mean_true_frames": round(float(np.mean([end - start for start, end in (s.truth for s in done)])), 1),
        "sha256": fingerprint([sequence.digest for sequence in done]),
        "scores": scores,
    }  # fmt: skip


def run_speed(folder: Path, seed: int, retriever: TextMotionRetriever) -> dict[str, Any]:
    """Time whole answers about one minute of motion, best of three: by the clock, and the processor's
    time, to which other work on the machine adds little."""
    motions, rng = MotionTextSet.open(folder), np.random.default_rng((seed, len(GROUPS)))
    clips, joined = motions.clips("test"), np.zeros((0, 22, 3))
    recordings: list[np.ndarray] = []
    while len(joined) <= 60 * FPS:
        recordings.append(joints_of(motions, clips[int(rng.integers(len(clips)))]))
        joined = join_motions(recordings)[0]
    features = joints_to_features(joined)[: int(60 * FPS)]
    captions = [clip.captions[0] for clip in clips[:10]]
    result: dict[str, Any] = {"command": command(), "motion_seconds": len(features) / FPS}
    for name, windows in {"pyramid 10-60": PAPER_WINDOWS, "pyramid 20-160": LONG_WINDOWS}.items():
        for asked in (1, 10):
            times = []
            for _ in range(3):
                start = time.perf_counter(), time.process_time()
                find_moments(retriever, features, captions[:asked], windows)
                times.append((time.perf_counter() - start[0], time.process_time() - start[1]))
            result[f"{name}, curve of every frame, sentences: {asked}"] = {
                "seconds": round(min(wall for wall, _ in times), 2),
                "cpu_seconds": round(min(busy for _, busy in times), 2),
            }
        result[f"{name}, windows"] = len(pyramid(len(features), windows))
    return result | {
        "machine": {"cores": os.cpu_count(), "threads": os.environ.get("OMP_NUM_THREADS"), "cpu": platform.machine(),
                    "load_average": round(os.getloadavg()[0], 1)},
    }  # fmt: skip


def main(words: Sequence[str] | None = None) -> None:
    """Run the groups whose set is named and write each to the JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    for source in ("procedural", "bandai", "utd_mhad"):
        parser.add_argument(f"--{source}", type=Path, default=None, help="set in HumanML3D's layout")
    parser.add_argument("--groups", nargs="+", default=[*GROUPS, "speed"], choices=[*GROUPS, "speed"])
    parser.add_argument("--count", type=int, default=200, help="sequences in a group")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/moments.json"))
    args = parser.parse_args(words)
    retriever = ReMoGPT.from_pretrained().retriever
    result = read_json(args.out) if args.out.is_file() else {}
    result |= {"retriever": "mini (embedded)", "retriever_hash": retriever.hash, "stride": STRIDE,
               "length_prior": LENGTH_PRIOR}  # fmt: skip
    for name in args.groups:
        folder = getattr(args, GROUPS.get(name, ("procedural",))[0])
        if folder is None:
            continue
        group = (
            run_speed(folder, args.seed, retriever)
            if name == "speed"
            else run_group(name, folder, args.count, args.seed, retriever)
        )
        result = result | {"groups": result.get("groups", {}) | {name: group}}
        write_json(args.out, result)
        for method, scores in group.get("scores", {}).items():
            print(name, method, scores)


if __name__ == "__main__":
    main()
