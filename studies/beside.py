"""Find beside which actions true motions show others, for `remogpt/motion/beside.yaml`, and what that is worth.

    python -m studies.beside table --data sets/procedural sets/later
    python -m studies.beside answers --captions ../shared/data/text/humanml3d_test_captions.json
    python -m studies.beside facts --data sets/procedural

Each line of the table has an action that anyone sees, though predicates find it also where nobody would name it (who
walks fast lunges), and the actions beside which true motions show it. `table` writes it again: clips of the training
split with one action say so, and clips with several try it, by how many of them show what it does not expect.

`answers` answers captions that people wrote, at several costs of what is not expected: how much of what is read the
answers hold, and how much they show that is not expected, by the predicates that choose and by the second detectors.
The captions are of the test ids with an even crc32, by which words of the procedural set were chosen. `facts` answers
captions of a set's validation split at the same costs: how many of the clips' facts the answers hold. All go to
studies/results/beside.json.
"""

import argparse
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import yaml
from tqdm import tqdm

from remogpt import ReMoGPT
from remogpt.data.humanml3d import MotionTextSet
from remogpt.eval.facts import check_all
from remogpt.motion import features_to_joints, unasked
from remogpt.motion.facts import RELATIONS, Fact, Steps, facts_correct
from remogpt.reader import Reading
from remogpt.runtime.files import read_json, write_json, write_text
from studies.honest_answers import by_crc
from studies.people_prompts import half_of

RESULTS = Path(__file__).parent / "results" / "beside.json"
TABLE = Path(unasked.__file__).with_name("beside.yaml")
HEAD = """# Actions that anyone sees, and those beside which true motions show them (by studies/beside.py).

"""
LEAST = 0.01
"""Share of an action's clips from which another action is expected beside it."""
BATCH = 5
COSTS: dict[str, Callable[[Steps], float]] = {
    "slight": lambda _: unasked.SLIGHT, "a quarter": lambda _: unasked.MOST, "half of a fact": unasked.cost_of_strange,
}  # fmt: skip
"""Costs that were tried of what is not expected; the last one is mini's."""
JUDGES = {"predicates": False, "second_detectors": True}
Shown = tuple[frozenset[str], frozenset[str]]
"""Actions that a clip is of, and those that predicates find in it."""


def shown(motions: MotionTextSet, clips: Sequence[str], actions: Collection[str]) -> list[Shown]:
    """Say what clips are of, and which of some actions they show."""
    found = []
    for clip in tqdm(clips, unit="clip", desc="actions"):
        held = facts_correct(map(Fact, actions), features_to_joints(motions.features(clip)))
        own = frozenset(fact.name for fact in motions.facts(clip)) - RELATIONS.keys()
        found.append((own, frozenset(name for name, holds in zip(actions, held, strict=True) if holds) - own))
    return found


def table(clips: Sequence[Shown], actions: Collection[str]) -> dict[str, list[str]]:
    """Return, for each action, those beside which clips of one action show it."""
    count, beside = Counter[str](), Counter[tuple[str, str]]()
    for own, others in clips:
        (name,) = own
        count[name] += 1
        beside.update((other, name) for other in others)
    return {
        action: sorted(name for name in count if beside[action, name] >= max(1, LEAST * count[name]))
        for action in sorted(actions)
    }


def unexpected(clips: Sequence[Shown], expected: Mapping[str, Collection[str]]) -> Counter[str]:
    """Count the clips that show each action where none of their own lets expect it."""
    return Counter(action for own, others in clips for action in others if not own & set(expected[action]))


def captions_of(path: Path, count: int) -> list[str]:
    """Draw captions of the clips with an even crc32, one of each, without mirrored clips and labelled captions."""
    captions = read_json(path)["captions"]
    return [str(captions[key][((crc >> 8) + 1) % len(captions[key])]) for crc, key in half_of(captions, 0)[:count]]


def answers(model: ReMoGPT, texts: Sequence[str], cost: Callable[[Steps], float]) -> dict[str, Any]:
    """Answer captions where what is not expected costs this, and say what the answers hold and show."""
    readings = model.reader.read(list(texts)) if model.reader is not None else ()
    asked = [(reading, motion) for reading, motion in zip(readings, _answered(model, texts, cost), strict=True)
             if _is_understood(reading)]  # fmt: skip
    motions = [motion for _, motion in asked]
    facts = [reading.facts for reading, _ in asked]
    strange = [_not_expected(reading.steps) for reading, _ in asked]
    found: dict[str, Any] = {"captions": len(texts), "understood": len(asked)}
    for name, second in JUDGES.items():
        seen = check_all(strange, motions, second=second)
        found[name] = {
            "held": _share(facts, motions, second), "not_expected": sum(map(sum, seen)),
            "answers_with_it": sum(map(any, seen)),
        }  # fmt: skip
    return found


def held(
    model: ReMoGPT, texts: Sequence[str], facts: Sequence[Sequence[Fact]], cost: Callable[[Steps], float]
) -> dict[str, float]:
    """Answer clips' captions where what is not expected costs this, and say how much of their facts holds."""
    motions = _answered(model, texts, cost)
    return {name: _share(facts, motions, second) for name, second in JUDGES.items()}


def _answered(model: ReMoGPT, texts: Sequence[str], cost: Callable[[Steps], float]) -> list[np.ndarray]:
    with patch.object(unasked, "cost_of_strange", cost):
        batches = [list(texts[start : start + BATCH]) for start in range(0, len(texts), BATCH)]
        return [
            made.motion.joints for batch in tqdm(batches, unit="batch") for made, *_ in model.generate(batch, seed=0)
        ]


def _not_expected(steps: Steps) -> list[Fact]:
    with patch.object(unasked, "cost_of_strange", lambda _: 1.0):
        return [fact for fact, cost in unasked.besides(steps).items() if cost == 1.0]


def _share(facts: Sequence[Sequence[Fact]], motions: Sequence[np.ndarray], second: bool) -> float:
    """Return the mean share of each motion's facts that hold."""
    return float(np.mean([np.mean(own) for own in check_all(facts, motions, second=second)]))


def _is_understood(reading: Reading) -> bool:
    return bool(reading.facts) and not reading.num_unknown


def main() -> None:
    """Write the table, or say what it is worth."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    making = commands.add_parser("table")
    making.add_argument("--data", type=Path, required=True, nargs="+", help="procedural sets with facts")
    making.add_argument(
        "--clips", type=int, default=3000, help="clips of one action, and half as many of several, of each"
    )
    making.add_argument("--table", type=Path, default=TABLE)
    answering = commands.add_parser("answers")
    answering.add_argument("--captions", type=Path, required=True, help="humanml3d_test_captions.json")
    asking = commands.add_parser("facts")
    asking.add_argument("--data", type=Path, required=True, help="procedural set with facts")
    for command in (answering, asking):
        command.add_argument("--count", type=int, default=220)
    for command in (making, answering, asking):
        command.add_argument("--out", type=Path, default=RESULTS)
    args = parser.parse_args()
    results = dict(read_json(args.out)) if args.out.is_file() else {}
    if args.command == "table":
        results["table"] = _made([MotionTextSet.open(data) for data in args.data], args.clips, args.table)
    elif args.command == "answers":
        model, texts = ReMoGPT.from_pretrained(), captions_of(args.captions, args.count)
        results["answers"] = {name: answers(model, texts, cost) for name, cost in COSTS.items()}
    else:
        model, motions = ReMoGPT.from_pretrained(), MotionTextSet.open(args.data)
        clips = by_crc(motions.ids("val"))[: args.count]
        texts, facts = [motions.captions(clip)[0].text for clip in clips], [motions.facts(clip) for clip in clips]
        results["facts"] = {name: held(model, texts, facts, cost) for name, cost in COSTS.items()}
    write_json(args.out, results)


def _made(sets: Sequence[MotionTextSet], num_clips: int, path: Path) -> dict[str, Any]:
    """Write the table, and say what it was made of and how it does."""
    actions = list(yaml.safe_load(TABLE.read_text(encoding="utf-8")))
    one, several = list[Shown](), list[Shown]()
    for motions in sets:
        drawn = by_crc(motions.ids("train"))
        count = {clip: len({fact.name for fact in motions.facts(clip)} - RELATIONS.keys()) for clip in drawn}
        one += shown(motions, [clip for clip in drawn if count[clip] == 1][:num_clips], actions)
        several += shown(motions, [clip for clip in drawn if count[clip] > 1][: num_clips // 2], actions)
    found = table(one, actions)
    tried = unexpected(several, found)
    write_text(path, HEAD + "".join(f"{action}: {' '.join(others)}\n" for action, others in found.items()))
    return {
        "clips": {"one action": len(one), "several": len(several)}, "pairs": sum(map(len, found.values())),
        "unexpected": dict(tried.most_common()), "unexpected_share": sum(tried.values()) / max(1, len(several)),
    }  # fmt: skip


if __name__ == "__main__":
    main()
