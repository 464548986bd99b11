"""How near two motions have to be to be called the same: planted copies, and pairs that are no copies.

    python -m studies.overlap --data runs/mini/set --mocap sets/bandai

Planted, under other names and captions: clips of a training split as they are, mirrored, without their first half
second, and played 10 % slower.
No copies: procedural clips of another seed, which have other factors and chance; and takes of Bandai-Namco whose labels
differ. Each query meets a database that holds the original of the first, and none of the second. Written: the share of
copies that are found and of reports that are right, at several distances.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from remogpt.data.humanml3d import MotionTextSet
from remogpt.data.procedural.make import make_clip
from remogpt.motion import features_to_joints, joints_to_features
from remogpt.motion.mirror import mirror_joints
from remogpt.motion.resample import resample
from remogpt.retriever.database.entry import EntryInfo
from remogpt.retriever.database.overlap import find_overlaps
from remogpt.runtime.files import write_json, write_text

RESULTS = Path(__file__).parent / "results"
DISTANCES = (0.0025, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.04)
SEED = 77
CHANGES = ("as it is", "mirrored", "shifted by 0.5 s", "10 % slower")


@dataclass(frozen=True)
class Clips:
    """Motions in memory, with what a database knows about them."""

    rows: list[tuple[EntryInfo, np.ndarray]]

    def infos(self) -> Iterator[EntryInfo]:
        return (info for info, _ in self.rows)

    def features(self, row: int) -> np.ndarray:
        return self.rows[row][1]


def of_set(motions: MotionTextSet, split: str, count: int) -> list[tuple[EntryInfo, np.ndarray]]:
    """Return clips of a split, evenly spaced."""
    clips = [clip for clip in motions.clips(split) if 50 <= clip.num_frames <= 199]
    chosen = [clips[index * len(clips) // count] for index in range(min(count, len(clips)))]
    return [
        (EntryInfo(clip.id, clip.source_id, None, clip.captions, clip.num_frames, "", "", {}), motions.features(clip))
        for clip in chosen
    ]


def changed(features: np.ndarray, how: str) -> np.ndarray:
    """Return a motion as somebody may have copied it."""
    joints = features_to_joints(features)
    if how == "mirrored":
        return joints_to_features(mirror_joints(joints))
    if how == "shifted by 0.5 s":
        return joints_to_features(joints[10:])
    if how == "10 % slower":
        return joints_to_features(resample(joints, 18.0, 20.0))
    return features


def copies(rows: list[tuple[EntryInfo, np.ndarray]], how: str) -> Clips:
    """Return the motions changed, under other names and captions."""
    return Clips([
        (replace(info, id=f"copy {info.id}", source_id=f"copy {info.source_id}", captions=("another caption",)),
         changed(features, how)) for info, features in rows
    ])  # fmt: skip


def found_distances(database: Clips, queries: Clips) -> list[tuple[str, str, float]]:
    """Return all pairs within the largest distance: query, entry, distance."""
    found = find_overlaps(database, queries, kinds=("same motion", "mirrored motion"), max_distance=max(DISTANCES))
    return [(one.query, one.entry, one.distance) for one in found]


def main() -> None:
    """Run the study and write its results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--mocap", type=Path, help="Bandai-Namco as a set ('remogpt data import')")
    parser.add_argument("--entries", type=int, default=1500)
    parser.add_argument("--queries", type=int, default=100)
    parser.add_argument("--out", type=Path, default=RESULTS)
    args = parser.parse_args()
    motions = MotionTextSet(args.data)
    train = of_set(motions, "train", args.entries)
    database = Clips(train)
    step = len(train) // args.queries
    planted = train[::step][: args.queries]
    pairs = {how: found_distances(database, copies(planted, how)) for how in CHANGES}
    others = [make_clip(SEED, index) for index in range(args.queries)]
    strangers = {"procedural, another seed": found_distances(database, Clips([
        (EntryInfo(f"other {index}", f"other {index}", None, ("x",), len(clip.features), "", "", {}), clip.features)
        for index, clip in enumerate(others)
    ]))}  # fmt: skip
    if args.mocap is not None:
        strangers["Bandai-Namco, other labels"] = _other_labels(MotionTextSet(args.mocap), args.queries)
    found: dict[str, dict[str, dict[str, float]]] = {
        str(distance): {
            "copies found": {
                how: len({query for query, entry, apart in rows if apart <= distance and query == f"copy {entry}"})
                / len(planted)
                for how, rows in pairs.items()
            },
            "false reports": {name: sum(apart <= distance for _, _, apart in rows) for name, rows in strangers.items()},
        }
        for distance in DISTANCES
    }
    command = "python -m studies.overlap --data runs/mini/set --mocap sets/bandai"
    write_json(args.out / "overlap.json", {"command": command, "copies": len(planted), "at distance": found})
    write_text(args.out / "overlap.md", f"# Copies of a motion\n\n`{command}`\n\n{table(found, len(planted))}")
    print(table(found, len(planted)))


def _other_labels(motions: MotionTextSet, count: int) -> list[tuple[str, str, float]]:
    """Compare every other take with the rest, and keep pairs whose captions differ."""
    rows = of_set(motions, motions.splits()[0], 8 * count)
    caption = {info.id: set(info.captions) for info, _ in rows}
    database, queries = Clips(rows[::2]), Clips(rows[1::2])
    return [pair for pair in found_distances(database, queries) if not caption[pair[0]] & caption[pair[1]]]


def table(found: dict[str, dict[str, dict[str, float]]], copied: int) -> str:
    """Return the study as Markdown."""
    names = list(next(iter(found.values()))["false reports"])
    lines = [f"| distance (cm) | {' | '.join(f'found: {how} (%)' for how in CHANGES)} "
             f"| {' | '.join(f'false reports: {name}' for name in names)} | precision (%) |"]  # fmt: skip
    lines.append("|---:" * (len(CHANGES) + len(names) + 2) + "|")
    for distance, row in found.items():
        right = sum(copied * share for share in row["copies found"].values())
        false = sum(row["false reports"].values())
        shares = " | ".join(f"{100 * row['copies found'][how]:.0f}" for how in CHANGES)
        counts = " | ".join(f"{row['false reports'][name]:.0f}" for name in names)
        precision = f"{100 * right / max(right + false, 1):.1f}"
        lines.append(f"| {100 * float(distance):g} | {shares} | {counts} | {precision} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
