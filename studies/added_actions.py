"""Measure the facts of the actions that the wide vocabulary adds: true of their own motions, and not of others.

    OMP_NUM_THREADS=1 python -m studies.added_actions --data runs/mini/set

For each fact that an added action claims: the share of the clips that state it whose joints hold it, and the same of
another clip's joints, drawn at random (the score of a model that ignores its caption). A set states only what the
predicates see in a clip (see `remogpt.data.procedural.make`), so that they hold on its own clips by construction; the
second detectors have no part in that.
"""

import argparse
from collections import defaultdict
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from remogpt.data.humanml3d import MotionTextSet
from remogpt.data.procedural.actions import descriptions
from remogpt.eval.facts import check_all
from remogpt.motion import features_to_joints
from remogpt.motion.facts import Fact
from remogpt.runtime.files import write_json

RESULTS = Path(__file__).parent / "results" / "added_actions.json"
SPLITS = ("val", "test", "test_unseen", "train")
JUDGES = {"predicates": False, "second_detectors": True}


def measure(facts: Sequence[Sequence[Fact]], joints: Sequence[np.ndarray], seed: int = 0) -> dict[str, dict[str, Any]]:
    """Return, for each added action's fact, how often it holds on its own and on other clips, by each judge.

    Args:
        facts: of each clip.
        joints: (T, 22, 3) metres of each.
        seed: of the other clips.
    """
    names = {one.claim[0] for one in descriptions().values()}
    own = [index for index, stated in enumerate(facts) if any(fact.name in names for fact in stated)]
    rng = np.random.default_rng(seed)
    others = [(index + int(rng.integers(1, len(facts)))) % len(facts) for index in own]
    stated = [[fact for fact in facts[index] if fact.name in names] for index in own]
    found: dict[str, dict[str, Any]] = defaultdict(dict)
    for judge, second in JUDGES.items():
        for rate, motions in (("own", own), ("shuffled", others)):
            held = check_all(stated, [joints[index] for index in motions], second=second)
            by_name = defaultdict[str, list[bool]](list)
            for fact, holds in zip(chain(*stated), chain(*held), strict=True):
                by_name[fact.name].append(holds)
            for name, values in by_name.items():
                found[name] |= {f"{judge}_{rate}": float(np.mean(values)), "facts": len(values)}
    return dict(sorted(found.items()))


def main(words: Sequence[str] | None = None) -> None:
    """Measure a set and write the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="procedural set of the wide vocabulary")
    parser.add_argument(
        "--clips", type=int, default=6000, help="of the splits val, test, test_unseen and train, in order"
    )
    parser.add_argument("--out", type=Path, default=RESULTS)
    args = parser.parse_args(words)
    motions = MotionTextSet.open(args.data)
    ids = list(chain(*(motions.ids(split) for split in SPLITS)))[: args.clips]
    facts = [motions.facts(name) for name in ids]
    found = measure(facts, [features_to_joints(motions.features(name)) for name in ids])
    for name, row in found.items():
        print(
            f"{name:22s}", " ".join(f"{row[f'{judge}_{rate}']:.3f}" for judge in JUDGES for rate in ("own", "shuffled"))
        )
    write_json(
        args.out,
        {"command": f"python -m studies.added_actions --data SET --clips {len(ids)}", "facts": found},
    )


if __name__ == "__main__":
    main()
