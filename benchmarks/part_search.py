"""Search by body parts beside search by the whole body, on procedural clips whose scripts say which part does what.

  OMP_NUM_THREADS=1 python -m benchmarks.part_search runs/mini/set

Two galleries: the clips that the retriever was trained on, and all others. Of every query the average precision of the
ranking is taken, then the mean over the queries of a row. "Elsewhere" leaves out relevant clips in which nothing else
moves: those the whole body finds. Queries with fewer than three relevant clips are left out.
"""

import argparse
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.command import command
from remogpt import ReMoGPT
from remogpt.data.humanml3d import Clip, MotionTextSet
from remogpt.retriever import TextMotionRetriever
from remogpt.retriever.database.part_search import PartSearch
from remogpt.retriever.networks.body_parts import PARTS, named_parts
from remogpt.runtime.files import write_json

SIDED_ARM = {
    "wave": "waves with the {} hand", "raise": "raises the {} arm", "point": "points with the {} hand",
    "swipe": "swipes with the {} arm", "punch": "punches with the {} fist", "throw": "throws with the {} hand",
    "arm_circle": "circles the {} arm", "drink": "drinks with the {} hand", "knock": "knocks with the {} hand",
    "salute": "salutes with the {} hand", "scratch_head": "scratches the head with the {} hand",
    "catch": "catches something with the {} hand",
}  # fmt: skip
PLAIN_ARM = {
    "wave": "waves", "raise": "raises the arm", "point": "points", "swipe": "swipes", "punch": "punches",
    "throw": "throws something", "arm_circle": "circles the arm", "drink": "drinks", "knock": "knocks",
    "salute": "salutes", "scratch_head": "scratches the head", "catch": "catches something",
}  # fmt: skip
SIDED_LEG = {
    "kick": "kicks with the {} leg", "knee_raise": "lifts the {} knee", "step": "steps with the {} foot",
    "hop": "hops on the {} leg", "lunge": "lunges with the {} leg", "kneel": "kneels on the {} knee",
    "balance": "balances on the {} leg",
}  # fmt: skip
LOCOMOTION = {"walk": "walks", "run": "runs", "jump": "jumps", "squat": "squats", "sit": "sits down",
              "sidestep": "steps sideways", "circle": "walks in a circle"}  # fmt: skip
BOTH_ARMS = {"clap": "claps", "cross_arms": "crosses the arms", "guard": "raises both fists to guard",
             "push": "pushes something", "hands_on_hips": "puts the hands on the hips"}  # fmt: skip
OF_ARMS = {*SIDED_ARM, *BOTH_ARMS, "swing", "stretch", "pick_up"}
OF_LEGS = {*SIDED_LEG, *LOCOMOTION, "walk_turn", "walk_curve"}
SIDES = {"right": "left", "left": "right"}
LEAST = 3
"""Relevant clips that a query needs."""
STAND_INS = 16

Query = tuple[str, str, np.ndarray, np.ndarray]
"""Text, part, (E,) relevant clips, (E,) clips that move elsewhere too."""


class Gallery:
    """Clips, what they do, and their parts."""

    def __init__(self, clips: list[Clip], motions: MotionTextSet, retriever: TextMotionRetriever) -> None:
        self.clips, self.retriever = clips, retriever
        self.whole, encodings = retriever.encode_motion_and_parts([motions.features(clip) for clip in clips])
        self.encodings = encodings.astype(np.float16).astype(np.float32)  # as databases keep them
        self.search = PartSearch(self.encodings, retriever)
        self.acts = [
            [(action["name"], action.get("side")) for step in clip.tags["script"]["steps"] for action in step]
            for clip in clips
        ]

    def doing(self, name: str, *sides: str | None) -> np.ndarray:
        """(E,) clips that do an action with one of these sides."""
        return np.array([any(act == name and side in sides for act, side in acts) for acts in self.acts])

    def moving(self, names: set[str]) -> np.ndarray:
        """(E,) clips that do one of these actions."""
        return np.array([any(act in names for act, _ in acts) for acts in self.acts])

    def text_scores(self, text: str, part: str) -> dict[str, np.ndarray]:
        """(E,) scores of every way to ask for a text."""
        chosen = named_parts(part)
        only, query = self.search.scores(text, chosen)
        others = self.encodings.copy()
        others[:, chosen] = self.search.mean[list(chosen)]
        lent = np.zeros(len(self.encodings))
        for row in np.linspace(0, len(self.encodings) - 1, STAND_INS).astype(int):
            mixed = np.repeat(self.encodings[row : row + 1], len(self.encodings), axis=0)
            mixed[:, chosen] = self.encodings[:, chosen]
            lent += self.retriever.embed_parts(mixed) @ query / STAND_INS
        whole = self.whole @ query
        drop = whole - self.retriever.embed_parts(others) @ query
        return {"whole": whole, "only": only, "drop": drop, f"{STAND_INS} stand-ins": lent}


def text_rows(gallery: Gallery) -> dict[str, list[Query]]:
    """Queries in words, by what a row of the table is about."""
    legs, arms = gallery.moving(OF_LEGS), gallery.moving(OF_ARMS)

    def sided(texts: dict[str, str], part: Callable[[str], str], elsewhere: np.ndarray, *both: str) -> list[Query]:
        return [
            (f"a person {text.format(side)}", part(side), gallery.doing(name, side, *both), elsewhere)
            for name, text in texts.items()
            for side in SIDES
        ]

    def plain(texts: dict[str, str], part: str, elsewhere: np.ndarray) -> list[Query]:
        return [(f"a person {text}", part, gallery.doing(name, None), elsewhere) for name, text in texts.items()]

    return {
        "arm and side, by that arm": sided(SIDED_ARM, "{}_arm".format, legs, "both"),
        "arm without side, by one arm": sided(PLAIN_ARM, "{}_arm".format, legs, "both"),
        "leg and side, by the legs": sided(SIDED_LEG, lambda _: "legs", arms, "both"),
        "leg and side, by that leg": sided(SIDED_LEG, "{}_leg".format, arms, "both"),
        "locomotion, by the legs": plain(LOCOMOTION, "legs", arms),
        "both arms, by the arms": plain(BOTH_ARMS, "arms", legs),
        "control: arm and side, by the other arm": sided(SIDED_ARM, lambda side: f"{SIDES[side]}_arm", legs),
        "control: locomotion, by the left arm": plain(LOCOMOTION, "left_arm", arms),
    }


def average_precision(scores: np.ndarray, relevant: np.ndarray) -> float:
    """Mean precision at the places of the relevant clips."""
    hits = relevant[np.argsort(-scores, kind="stable")]
    return float((np.cumsum(hits) / np.arange(1, len(hits) + 1))[hits].mean())


def measure_texts(gallery: Gallery, queries: list[Query]) -> dict[str, Any]:
    """Mean average precision of a row by every way to ask."""
    everywhere: dict[str, list[float]] = {}
    elsewhere: dict[str, list[float]] = {}
    shares = []
    for text, part, relevant, moves in queries:
        if relevant.sum() < LEAST:
            continue
        shares.append(relevant.mean())
        left = ~relevant | moves
        for name, scores in gallery.text_scores(text, part).items():
            everywhere.setdefault(name, []).append(average_precision(scores, relevant))
            if relevant[left].sum() >= LEAST:
                elsewhere.setdefault(name, []).append(average_precision(scores[left], relevant[left]))
    return {"queries": len(shares), "relevant_share": round(float(np.mean(shares or [0])), 4), "map": means(everywhere),
            "map_elsewhere": means(elsewhere)}  # fmt: skip


def motion_queries(gallery: Gallery, part: str, count: int) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """Draw clips in which a part and the rest move at once: row, (E,) relevant, (E,) clips that take part.

    Relevant are clips that do the same with the part; clips whose other parts do the same are out of the race.
    """
    arms = [
        {name for name, side in acts if name in SIDED_ARM and (part == "legs" or side in (part.split("_")[0], "both"))}
        for acts in gallery.acts
    ]
    legs = [{(name, side) for name, side in acts if name in OF_LEGS} for acts in gallery.acts]
    asked, rest = (legs, arms) if part == "legs" else (arms, legs)
    rows = [
        row
        for row, clip in enumerate(gallery.clips)
        if len(asked[row]) == 1 and rest[row] and len(clip.tags["script"]["steps"]) == 1
    ]
    for row in np.random.default_rng(0).permutation(rows)[:count]:
        relevant = np.array([bool(asked[row] & others) for others in asked])
        racing = np.array([not rest[row] & others for others in rest])
        racing[row] = False
        if relevant[racing].sum() >= LEAST:
            yield int(row), relevant, racing


def measure_motions(gallery: Gallery, motions: MotionTextSet, part: str, count: int) -> dict[str, Any]:
    """Mean average precision of clips as queries, by the whole body and by a part."""
    found: dict[str, list[float]] = {}
    shares = []
    for row, relevant, racing in motion_queries(gallery, part, count):
        shares.append(relevant[racing].mean())
        by_part = gallery.search.scores(motions.features(gallery.clips[row]), named_parts(part))[0]
        for name, scores in (("whole", gallery.whole @ gallery.whole[row]), ("part", by_part)):
            found.setdefault(name, []).append(average_precision(scores[racing], relevant[racing]))
    return {"queries": len(shares), "relevant_share": round(float(np.mean(shares or [0])), 4), "map": means(found)}


def means(found: dict[str, list[float]]) -> dict[str, float]:
    """Mean of each list."""
    return {name: round(float(np.mean(values)), 4) for name, values in found.items()}


def main(words: Sequence[str] | None = None) -> None:
    """Measure both galleries and write the JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("set", type=Path, help="procedural set whose training split trained the retriever")
    parser.add_argument("--count", type=int, default=120, help="clips that ask in a row")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/part_search.json"))
    args = parser.parse_args(words)
    retriever, motions = ReMoGPT.from_pretrained().retriever, MotionTextSet.open(args.set)
    result: dict[str, Any] = {"command": command(), "retriever": "mini (embedded)", "retriever_hash": retriever.hash,
                              "set": motions.name, "licence": motions.licence, "parts": list(PARTS)}  # fmt: skip
    seen = {clip.id for clip in motions.clips("train")}
    everything = motions.clips("all")
    for name, clips in (("train", [clip for clip in everything if clip.id in seen]),
                        ("held out", [clip for clip in everything if clip.id not in seen])):  # fmt: skip
        gallery = Gallery(clips, motions, retriever)
        rows = {title: measure_texts(gallery, queries) for title, queries in text_rows(gallery).items()}
        rows |= {f"clip, by the {part}": measure_motions(gallery, motions, part, args.count)
                 for part in ("right_arm", "left_arm", "legs")}  # fmt: skip
        result[name] = {"clips": len(clips), "rows": rows}
        for title, row in rows.items():
            print(name, title, row)
    write_json(args.out, result)


if __name__ == "__main__":
    main()
