"""Measure honest answers: warnings on ordinary and on odd captions, numbers in captions, reliability of confidence.

  python -m studies.honest_answers --data runs/mini/set --work runs/honest --people ../shared/data/text

Writes studies/results/honest_answers.json and .md. Warnings: 100 captions each of the split `test`, in the order of
their CRC-32, of people (HumanML3D test captions, drawn alike, of which the model knows every word; their texts are not
passed on), and of `odd_captions.txt`, written by hand. Numbers and confidence: clips of the split `val` in the order of
their ids' CRC-32. Facts are checked by the predicates, and for captions by the second detectors too, which checking
numbers does not use. Motions are the best of those written, without facts, and, as `checked motions`, the model's
own answers, which retrieved motions compete for and whose facts are verified; with joined motions, which hold nearly
all of what is claimed, there is little to fit, and the weights of the answers without them are taken. `checked
captions` are the model's own, chosen among its candidates by what they claim; what holds of their claims, as the reader
understands them, is told by the second detectors, which choose nothing. Confidence is fitted on one half of the clips
and read off the other half, both ways round; the printed weights, of all clips, are those of
`remogpt.pipeline.confidence`.
"""

import argparse
import re
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from remogpt.data.humanml3d import MotionTextSet
from remogpt.eval import detectors
from remogpt.eval.captioning import caption_metrics, three_references
from remogpt.motion import Motion, features_to_joints
from remogpt.motion.facts import Fact, facts_correct
from remogpt.notices import notices_of_caption
from remogpt.options import GenerationOptions
from remogpt.pipeline import ReMoGPT, generation
from remogpt.pipeline.checked_numbers import with_checked_numbers
from remogpt.pipeline.confidence import log_odds
from remogpt.pipeline.notices import doubts
from remogpt.pipeline.number_claims import COUNTED, GOING, alternatives, direction_claims, number_claims
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import read_json, write_json, write_text

ODD = Path(__file__).with_name("odd_captions.txt")
RESULTS = Path(__file__).parent / "results" / "honest_answers.json"
DRAWN, BATCH, BINS = 100, 20, 10
LEARNT = GenerationOptions(retrieved=0, verify=False, fact_weight=0.0)
"""Without facts."""
OF_WORDS = ("unknown_word", "misspelling", "language")


def main() -> None:
    """Run what is asked for and write the results."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--model", default=None, help="model folder; default: the embedded mini")
    parser.add_argument("--data", type=Path, required=True, help="procedural set")
    parser.add_argument("--people", type=Path, default=None, help="folder of humanml3d_test_captions.json")
    parser.add_argument("--work", type=Path, required=True, help="folder of answers, which a later call goes on from")
    parser.add_argument("--clips", type=int, default=200, help="validation clips")
    args = parser.parse_args()
    model, motions = ReMoGPT.from_pretrained(args.model), MotionTextSet.open(args.data)
    answers = gather(model, motions, args.work, args.clips)
    results = {
        "model": model.manifest["hashes"], "warnings": warnings(model, motions, args.people),
        "numbers": numbers(motions, answers), "confidence": confidence(motions, answers, args.work),
    }  # fmt: skip
    write_json(RESULTS, results)
    write_text(RESULTS.with_suffix(".md"), markdown(results))
    print(markdown(results))


def by_crc(texts: Sequence[str]) -> list[str]:
    """Return different texts in the order of their CRC-32."""
    return sorted(dict.fromkeys(texts), key=lambda text: (zlib.crc32(text.encode()), text))


def odd_captions() -> dict[str, list[str]]:
    """Return the odd captions by their kind."""
    found: dict[str, list[str]] = {}
    for line in ODD.read_text(encoding="utf-8").splitlines():
        if line.startswith("# "):
            found[line[2:]] = []
        else:
            found[list(found)[-1]].append(line)
    return found


def kinds_of(model: ReMoGPT, texts: Sequence[str]) -> list[list[str]]:
    """Return the kinds of warnings of each caption, without writing a motion."""
    options = GenerationOptions().with_defaults(model.generation)
    segments = generation.plan(texts, None, 1, options.excluded(len(texts)), known=model.known_words)
    if model.reader is not None:
        generation.read(segments, model.reader)
    options = replace(options, retrieved=0)  # no motions that compete: nothing is judged
    generation.retrieve(segments, model.database(), model.retriever, options, model.tokenizer)
    following, known = model._following(options), model.known_words
    meanings = None if known is None else model.retriever.word_meanings(known.meaningful)
    return [[notice.kind for notice in doubts([one], following, known, meanings)] for one in segments]


def warnings(model: ReMoGPT, motions: MotionTextSet, people: Path | None) -> dict[str, Any]:
    """Count captions with warnings: ordinary ones, people's, odd ones."""
    lists = {"procedural test": by_crc([text for clip in motions.clips("test") for text in clip.captions])[:DRAWN]}
    if people is not None:
        captions = read_json(people / "humanml3d_test_captions.json")["captions"]
        drawn = by_crc([text for key, texts in captions.items() if not key.startswith("M") for text in texts])
        known = [text for text in drawn if not set(_of_words(model, text)) & set(OF_WORDS)]
        lists |= {"people, all words known": known[:DRAWN]}
    lists |= {f"odd: {kind}": texts for kind, texts in odd_captions().items()}
    rows = {}
    for name, texts in lists.items():
        kinds = kinds_of(model, texts)
        counts = Counter(kind for one in kinds for kind in set(one))
        rows[name] = {"captions": len(texts), "warned": sum(map(bool, kinds)), "kinds": dict(sorted(counts.items()))}
    return rows


def _of_words(model: ReMoGPT, text: str) -> list[str]:
    if model.known_words is None:
        raise RemogptError("the model does not tell the words of its training captions; train its lm anew")
    return [notice.kind for notice in notices_of_caption(text, model.known_words)]


def gather(model: ReMoGPT, motions: MotionTextSet, work: Path, count: int) -> list[dict[str, Any]]:
    """Answer the first captions of validation clips, and caption their motions, without a check of numbers."""
    clips = sorted(motions.clips("val"), key=lambda clip: zlib.crc32(clip.id.encode()))[:count]
    path = work / "answers.json"
    rows: list[dict[str, Any]] = read_json(path) if path.is_file() else []
    (work / "motions").mkdir(parents=True, exist_ok=True)
    for first in range(len(rows), len(clips), BATCH):
        part = clips[first : first + BATCH]
        following = model._following(GenerationOptions(strength=model.generation["strength"]))
        given = [Motion.from_features(motions.features(clip), name=clip.id) for clip in part]
        asked = [clip.captions[0] for clip in part]
        hidden = replace(LEARNT, check_numbers=False, exclude=[[clip.id] for clip in part])
        captions = model.caption(given, seed=first, options=hidden)
        chosen = model.caption(given, seed=first, options=GenerationOptions(exclude=[[clip.id] for clip in part]))
        made = [one for (one,) in model.generate(asked, seed=first, options=LEARNT)]
        cosines = _cosines(model, asked, [one.motion.features for one in made])
        own = GenerationOptions(exclude=[[clip.id] for clip in part])
        best = {
            kind: [one for (one,) in model.generate(asked, seed=first, options=options)]
            for kind, options in (("k", replace(own, joined=0)), ("j", own))
        }
        of_best = {kind: _cosines(model, asked, [one.motion.features for one in own]) for kind, own in best.items()}
        of_captions = _cosines(model, [one.text for one in captions], [one.features for one in given])
        of_chosen = _cosines(model, [one.text for one in chosen], [one.features for one in given])
        for index, (clip, one, caption) in enumerate(zip(part, made, captions, strict=True)):
            np.save(work / "motions" / f"g_{clip.id}.npy", one.motion.features)
            row: dict[str, Any] = {}
            for kind, answers in best.items():
                checks = answers[index].checks
                np.save(work / "motions" / f"{kind}_{clip.id}.npy", answers[index].motion.features)
                row |= {
                    f"{kind}cos": float(of_best[kind][index]),
                    f"{kind}ch": following.chance_for_text(answers[index].examples),
                    f"{kind}held": np.mean([check.holds for check in checks]) if checks else None,
                }
            claims = chosen[index].checks
            row |= {
                "vcos": float(of_chosen[index]), "vch": following.chance_for_motion(chosen[index].examples),
                "vheld": float(np.mean([check.holds for check in claims])) if claims else None,
                "vsecond": detectors.facts_hold([one.fact for one in claims], given[index].joints) if claims else [],
            }  # fmt: skip
            rows.append({
                **row, "id": clip.id, "gcos": float(cosines[index]), "gch": following.chance_for_text(one.examples),
                "cap": caption.text, "ccos": float(of_captions[index]),
                "cch": following.chance_for_motion(caption.examples),
            })  # fmt: skip
        write_json(path, rows)
    return rows[:count]


def _cosines(model: ReMoGPT, texts: Sequence[str], features: Sequence[np.ndarray]) -> np.ndarray:
    return np.einsum("nd,nd->n", model.retriever.encode_text(texts), model.retriever.encode_motion(features))


def claimed(caption: str) -> list[Fact]:
    """Return what a caption's numbers and directions claim."""
    return [one.fact for one in number_claims(caption)] + [one.fact for one in direction_claims(caption)]


def said(caption: str) -> list[Fact]:
    """Return what a caption claims, as far as a table of verbs can tell: its actions, numbers and directions."""
    verbs = {**COUNTED, **GOING}
    actions = [Fact(name) for name, pattern in verbs.items() if re.search(rf"\b(?:{pattern})", caption, re.IGNORECASE)]
    return actions + claimed(caption)


def held(facts: Sequence[Fact], joints: np.ndarray) -> list[bool]:
    """Return which facts the second detectors find, whichever side does it."""
    return [any(detectors.facts_hold(alternatives(fact), joints)) for fact in facts]


def numbers(motions: MotionTextSet, answers: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Compare captions as written and as checked, and reference captions: CIDEr, and how many of their numbers hold."""
    clips = {clip.id: clip for clip in motions.clips("val")}
    joints = [features_to_joints(motions.features(clips[row["id"]])) for row in answers]
    written = [row["cap"] for row in answers]
    checked = [with_checked_numbers(text, one) for text, one in zip(written, joints, strict=True)]
    references = [three_references(clips[row["id"]].captions) for row in answers]
    results: dict[str, Any] = {"clips": len(answers)}
    results["changed"] = sum(a != b for a, b in zip(written, checked, strict=True))
    texts = {"written": written, "checked": checked, "first reference": [one[0] for one in references]}
    for name, own in texts.items():
        facts = [claimed(text) for text in own]
        by_joints = [
            any(facts_correct(alternatives(fact), one))
            for some, one in zip(facts, joints, strict=True)
            for fact in some
        ]
        by_detectors = [found for some, one in zip(facts, joints, strict=True) for found in held(some, one)]
        results[name] = {
            "claims": len(by_joints), "hold": float(np.mean(by_joints)),
            "hold by detectors": float(np.mean(by_detectors)), "CIDEr": caption_metrics(own, references)["cider"],
        }  # fmt: skip
    return results


def confidence(motions: MotionTextSet, answers: Sequence[dict[str, Any]], work: Path) -> dict[str, Any]:
    """Fit confidence to the share of facts that hold, and tell its reliability in ten bins."""
    clips = {clip.id: clip for clip in motions.clips("val")}
    shown: dict[str, list[list[bool]]] = {"g": [], "k": [], "j": []}
    holding = []
    for row in answers:
        real = features_to_joints(motions.features(clips[row["id"]]))
        facts = motions.facts(clips[row["id"]])
        for kind, found in shown.items():
            made = features_to_joints(np.load(work / "motions" / f"{kind}_{row['id']}.npy"))
            found.append(facts_correct(facts, made) if row.get(f"{kind}held", 0) is not None else [])
        holding.append(held(said(with_checked_numbers(row["cap"], real)), real))
    checked = _reliability(answers, shown["k"], "k")
    return {
        "motions": _reliability(answers, shown["g"], "g"), "checked motions": checked,
        "checked motions, joined ones among them": _reliability(answers, shown["j"], "j", checked["weights"]),
        "captions": _reliability(answers, holding, "c"),
        "checked captions": _reliability(answers, [row["vsecond"] for row in answers], "v"),
    }  # fmt: skip


def _reliability(
    answers: Sequence[dict[str, Any]], found: Sequence[Sequence[bool]], kind: str, given: Sequence[float] | None = None
) -> dict[str, Any]:
    inputs = np.array([[1.0, row[f"{kind}cos"], log_odds(row[f"{kind}ch"])] for row in answers])
    if kind in "kjv":
        inputs = np.column_stack([inputs, [row[f"{kind}held"] or 0.0 for row in answers]])
    told = np.array([bool(one) for one in found])
    share = np.array([np.mean(one) if one else 0.0 for one in found])
    halves = np.arange(len(answers)) % 2
    rated = np.zeros(len(answers))
    for half in (0, 1):
        own = told & (halves != half)
        weights = fit(inputs[own], share[own]) if given is None else np.array(given)
        rated[halves == half] = 1 / (1 + np.exp(-inputs[halves == half] @ weights))
    rows = []
    for number in range(BINS):
        inside = told & (np.minimum((rated * BINS).astype(int), BINS - 1) == number)
        if inside.any():
            rows.append({
                "from": number / BINS, "answers": int(inside.sum()), "confidence": float(rated[inside].mean()),
                "share": float(share[inside].mean()),
            })  # fmt: skip
    gaps = [row["answers"] * abs(row["confidence"] - row["share"]) for row in rows]
    return {
        "weights": [round(float(one), 3) for one in (fit(inputs[told], share[told]) if given is None else given)],
        "answers": int(told.sum()),
        "share": float(share[told].mean()), "bins": rows, "calibration error": float(sum(gaps) / told.sum()),
        "correlation": float(np.corrcoef(rated[told], share[told])[0, 1]),
    }  # fmt: skip


def fit(inputs: np.ndarray, share: np.ndarray, ridge: float = 0.1, steps: int = 50) -> np.ndarray:
    """Fit a logistic regression to shares in [0, 1] by Newton's steps, with a ridge on all weights but the bias."""
    weights, penalty = np.zeros(inputs.shape[1]), ridge * np.diag([0.0] + [1.0] * (inputs.shape[1] - 1))
    for _ in range(steps):
        rated = 1 / (1 + np.exp(-inputs @ weights))
        slope = inputs.T @ (rated - share) + penalty @ weights
        weights -= np.linalg.solve((inputs.T * (rated * (1 - rated))) @ inputs + penalty, slope)
    return weights


def markdown(results: dict[str, Any]) -> str:
    """Write the tables."""
    warned, own = results["warnings"], results["numbers"]
    rows = [[name, row["captions"], row["warned"], _joined(row["kinds"])] for name, row in warned.items()]
    odd = [row for name, row in warned.items() if name.startswith("odd")]
    rows.append(["all odd", sum(row["captions"] for row in odd), sum(row["warned"] for row in odd), ""])
    parts = ["# Honest answers", "Captions with warnings, and their kinds.", _table("captions n warned kinds", rows)]
    rows = []
    for name in ("written", "checked", "first reference"):
        row = own[name]
        cider = "" if name == "first reference" else f"{100 * row['CIDEr']:.1f}"
        rows.append([name, row["claims"], f"{row['hold']:.1%}", f"{row['hold by detectors']:.1%}", cider])
    parts += [
        f"Numbers and directions in captions of {own['clips']} clips; {own['changed']} captions changed. Share that "
        "holds by the predicates and by the second detectors.",
        _table("captions claims predicates detectors CIDEr", rows),
    ]
    for name, row in results["confidence"].items():
        parts += [
            f"Confidence of {name}: {row['answers']} answers, {row['share']:.1%} of what they claim holds, correlation "
            f"{row['correlation']:.2f}, calibration error {row['calibration error']:.3f}. Weights of bias, cosine, "
            f"log-odds (and the share of checked facts): {', '.join(map(str, row['weights']))}.",
            _table("confidence answers mean share_that_holds", [
                [f"{one['from']:.1f} to {one['from'] + 1 / BINS:.1f}", one["answers"], f"{one['confidence']:.2f}",
                 f"{one['share']:.2f}"]
                for one in row["bins"]
            ]),
        ]  # fmt: skip
    return "\n\n".join(parts) + "\n"


def _joined(kinds: dict[str, int]) -> str:
    return ", ".join(f"{kind} {count}" for kind, count in kinds.items())


def _table(columns: str, rows: Sequence[Sequence[Any]]) -> str:
    names = [name.replace("_", " ") for name in columns.split()]
    lines = [names, ["---"] * len(names), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


if __name__ == "__main__":
    main()
