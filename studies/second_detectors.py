"""Measure how well the second detectors agree with what is known of motions, and with the predicates.

  OMP_NUM_THREADS=1 python -m studies.second_detectors

Clips of the procedural set with seed 777, which nothing was tuned on (the detectors were, on seeds 101 to 109). What is
known: the facts of each clip's script are true of its animation, and the facts that `studies.contradictions` makes of
them are not: another side, direction, angle or style, a count off by one (by two from five on), half or 1.8 times the
distance, the order exchanged, an action that is not there, actions of different steps at the same time.

Three tables: agreement with this truth on the animation; the same after encoding and decoding by mini's tokenizer,
which loses some of what the script says, so that a refused true fact may be right there; and on motions that mini
generates from the clips' captions, where nothing is known, how often the two give the same answer. Balanced agreement
is the mean of true facts found and wrong facts refused. Results: studies/results/second_detectors.json, and the tables
beside it.
"""

import argparse
import os
import sys
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is loaded

import numpy as np

from remogpt import ReMoGPT
from remogpt.data.procedural.clip import ProceduralClip
from remogpt.data.procedural.make import make_clip
from remogpt.eval.detectors import VERSION, facts_hold
from remogpt.motion import features_to_joints
from remogpt.motion.facts import Fact, facts_correct
from remogpt.options import GenerationOptions
from remogpt.runtime.files import write_json, write_text
from studies.contradictions import contradictions

SEED, CLIPS, GENERATED = 777, 200, 100
RESULTS = Path(__file__).parent / "results" / "second_detectors.json"
Judge = Callable[[Sequence[Fact], np.ndarray], list[bool]]
JUDGES: dict[str, Judge] = {"second_detectors": facts_hold, "predicates": facts_correct}
Claims = list[tuple[Fact, bool]]
"""Facts, and whether they are true of the clip."""


def claims_of(clip: ProceduralClip, seed: int) -> Claims:
    """Return a clip's true facts and those that it contradicts."""
    rng = np.random.default_rng((seed, int(clip.id)))
    wrong = contradictions(clip.script, clip.facts, rng)
    return [(fact, True) for fact in clip.facts] + [(fact, False) for fact in wrong]


def agreement(claims: Sequence[Claims], joints: Sequence[np.ndarray], judge: Judge) -> dict[str, dict[str, Any]]:
    """Return how often a judge finds true facts and refuses wrong ones: in all, by factor and by name."""
    outcomes: dict[str, dict[bool, list[bool]]] = defaultdict(lambda: {True: [], False: []})
    for own, motion in zip(claims, joints, strict=True):
        for (fact, truth), held in zip(own, judge([fact for fact, _ in own], motion), strict=True):
            for group in ("all", f"factor {fact.factor}", f"name {fact.name}"):
                outcomes[group][truth].append(held == truth)
    return {group: _rates(values) for group, values in sorted(outcomes.items())}


def _rates(values: dict[bool, list[bool]]) -> dict[str, Any]:
    shares = [float(np.mean(values[truth])) if values[truth] else None for truth in (True, False)]
    known = [share for share in shares if share is not None]
    return {
        "found": shares[0], "refused": shares[1], "balanced": float(np.mean(known)),
        "num_true": len(values[True]), "num_wrong": len(values[False]),
    }  # fmt: skip


def same_answers(claims: Sequence[Claims], joints: Sequence[np.ndarray]) -> dict[str, dict[str, Any]]:
    """Return how often the two judges agree, and what each of them finds: in all and by factor.

    `kappa` is Cohen's: the agreement beyond what their two shares alone would give, 1 for full agreement.
    """
    pairs: dict[str, list[tuple[bool, bool]]] = defaultdict(list)
    for own, motion in zip(claims, joints, strict=True):
        facts = [fact for fact, _ in own]
        for fact, *held in zip(facts, *(judge(facts, motion) for judge in JUDGES.values()), strict=True):
            for group in ("all", f"factor {fact.factor}"):
                pairs[group].append((held[0], held[1]))
    return {group: _common(np.array(values)) for group, values in sorted(pairs.items())}


def _common(held: np.ndarray) -> dict[str, Any]:
    first, second = held.mean(axis=0)
    same, chance = float((held[:, 0] == held[:, 1]).mean()), float(first * second + (1 - first) * (1 - second))
    kappa = (same - chance) / (1 - chance) if chance < 1 else None
    return {"same": same, "kappa": kappa, **dict(zip(JUDGES, (float(first), float(second)), strict=True)),
            "num_facts": len(held)}  # fmt: skip


def measure(seed: int, num_clips: int, num_generated: int) -> dict[str, Any]:
    """Return every table, as numbers."""
    clips = [make_clip(seed, index) for index in range(num_clips)]
    claims = [claims_of(clip, seed) for clip in clips]
    model = ReMoGPT.from_pretrained()
    decoded = model.tokenizer.decode_batch(model.tokenizer.encode_batch([clip.features for clip in clips]))
    motions = {
        "animation": [clip.take.joints for clip in clips],
        "decoded": [features_to_joints(features) for features in decoded],
    }
    captions = [clip.captions[0].text for clip in clips[:num_generated]]
    answers = model.generate(captions, seed=seed, options=GenerationOptions(best_of=1)) if captions else []
    return {
        "command": f"OMP_NUM_THREADS=1 python -m studies.second_detectors {' '.join(sys.argv[1:])}".strip(),
        "detectors": VERSION, "seed": seed, "clips": num_clips, "generated": num_generated,
        "model": model.manifest.get("hashes", {}),
        **{
            kind: {name: agreement(claims, joints, judge) for name, judge in JUDGES.items()}
            for kind, joints in motions.items()
        },
        "generated_by_mini": {
            kind: same_answers(
                [[claim for claim in own if claim[1] == truth] for own in claims[:num_generated]],
                [answer.motion.joints for (answer,) in answers],
            )
            for kind, truth in (("claimed", True), ("contradicted", False))
        },
    }  # fmt: skip


def markdown(results: dict[str, Any]) -> str:
    """Write the tables."""
    lines = [
        "# Second detectors", "",
        f"{results['clips']} clips of seed {results['seed']}, detectors version {results['detectors']}. Percent: true "
        "facts found / contradicted facts refused (their numbers).", "",
    ]  # fmt: skip
    for kind in ("animation", "decoded"):
        own, others = (results[kind][name] for name in JUDGES)
        lines += [f"## {kind.capitalize()}", "", "| | second detectors | balanced | predicates | balanced |"]
        lines += ["|---|---:|---:|---:|---:|"]
        for group in own:
            numbers = f"({own[group]['num_true']} / {own[group]['num_wrong']})"
            cells = [_pair(own[group]) + f" {numbers}", _percent(own[group]["balanced"])]
            cells += [_pair(others[group]), _percent(others[group]["balanced"])]
            lines.append(f"| {group} | " + " | ".join(cells) + " |")
        lines.append("")
    lines += ["## Generated by mini", "", f"{results['generated']} captions, one sample each.", ""]
    for kind, table in results["generated_by_mini"].items():
        lines += [f"### Facts {kind}", "", "| | same answer | kappa | by second detectors | by predicates | facts |"]
        lines += ["|---|---:|---:|---:|---:|---:|"]
        for group, row in table.items():
            kappa = "" if row["kappa"] is None else f"{row['kappa']:.2f}"
            held = " | ".join(_percent(row[name]) for name in JUDGES)
            lines.append(f"| {group} | {_percent(row['same'])} | {kappa} | {held} | {row['num_facts']} |")
        lines.append("")
    return "\n".join(lines)


def _percent(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.1f}"


def _pair(row: dict[str, Any]) -> str:
    return f"{_percent(row['found'])} / {_percent(row['refused'])}"


def main(words: Sequence[str] | None = None) -> int:
    """Measure, and write the results and the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--seed", type=int, default=SEED, help="of the clips")
    parser.add_argument("--clips", type=int, default=CLIPS, help="number of clips")
    parser.add_argument("--generated", type=int, default=GENERATED, help="captions for which mini writes a motion")
    parser.add_argument("--out", type=Path, default=RESULTS, help="JSON of the results; the tables lie beside it")
    args = parser.parse_args(words)
    results = measure(args.seed, args.clips, min(args.generated, args.clips))
    write_json(args.out, results)
    table = markdown(results)
    write_text(args.out.with_suffix(".md"), table)
    print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
