"""Numbers of the real-mocap recipe with its own database, none, a wrong one and an empty one, in one table.

  scripts/real_mocap.sh bandai.npz runs/real_mocap
  OMP_NUM_THREADS=1 python -m benchmarks.real_mocap runs/real_mocap --out benchmarks/results/real_mocap_eval.json

Takes `remogpt eval`'s numbers from the recipe's folder, evaluates the same model with examples in its prompt alone
(copy strength 0, as in the paper), and adds labels, which Bandai-Namco's clips have: what is done (content) and in
which manner (style). Its captions are made from them by a few phrases, so that many clips share a caption; R-precision,
CIDEr and BLEU count other clips' words as wrong that are right. Labels count them as right:

- of a motion: the content, or style, whose captions lie nearest in the evaluator's space, the mean over all of the set;
- of a caption: those of all clips that have this very caption; one that no clip has is wrong, and counted.

Labels whose captions are the same are one (`studies.retrieval.sets.SYNONYMS`). Test clips are of takes that were never
trained on; some are of a (content, style) that training has in other takes (`seen`), the others of one that nobody
recorded for training, whose content and style it knows apart or not at all (`new`). Of some of these training has
mirror images (`mirrored`: the same manner of waving, with the other hand), of the others nothing (`apart`).
"""

import argparse
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.command import command
from remogpt import ReMoGPT
from remogpt.data.humanml3d import Clip, MotionTextSet
from remogpt.eval.interval import half_width
from remogpt.eval.runs.config import EvalConfig
from remogpt.eval.runs.evaluate import evaluate
from remogpt.eval.runs.run import Run
from remogpt.eval.runs.samples import INDEX, file_name
from remogpt.retriever import TextMotionRetriever
from remogpt.runtime.files import read_json, read_npy, write_json
from remogpt.runtime.folders.model_folder import read_manifest
from remogpt.stages.evaluators import open_evaluator, why_dependent
from studies.retrieval.sets import SYNONYMS

KINDS = ("content", "style")
SPLIT = "test"
MODES = {
    "own": "retrieval", "none": "no_retrieval", "wrong": "swap_wrong", "empty": "swap_empty", "default": "default",
    "best of 8": "retrieval_best_of_8",
}  # fmt: skip
"""Row -> folder of the motions, and file of the captions, that the evaluation wrote: one candidate with each database,
and with its own the answer that users get, and the best of eight written candidates."""
PROMPT_ALONE = ("own", "wrong")
"""Databases that are tried with examples in the prompt alone too."""


def labels_of(clip: Clip) -> dict[str, str]:
    """Return a clip's content and style, equal names joined."""
    return {kind: SYNONYMS.get(clip.tags[kind], clip.tags[kind]) for kind in KINDS}


class Labels:
    """The labels of a set, as an evaluator and as the captions tell them.

    Args:
        clips: all of the set.
        evaluator: whose space motions and captions are compared in.
    """

    def __init__(self, clips: Sequence[Clip], evaluator: TextMotionRetriever) -> None:
        self.evaluator = evaluator
        self.of_caption: dict[str, dict[str, set[str]]] = defaultdict(lambda: {kind: set() for kind in KINDS})
        for clip in clips:
            for caption in clip.captions:
                for kind, label in labels_of(clip).items():
                    self.of_caption[caption][kind].add(label)
        captions = sorted(self.of_caption)
        vectors = evaluator.encode_text(captions)
        self.names: dict[str, list[str]] = {}
        self.means: dict[str, np.ndarray] = {}
        for kind in KINDS:
            names = sorted({label for caption in captions for label in self.of_caption[caption][kind]})
            has = np.array([[name in self.of_caption[caption][kind] for caption in captions] for name in names])
            means = has @ vectors
            self.names[kind] = names
            self.means[kind] = means / np.linalg.norm(means, axis=1, keepdims=True)

    def of_motions(self, motions: Sequence[np.ndarray]) -> list[dict[str, set[str]]]:
        """Name content and style of raw features (T, 263) each."""
        vectors = self.evaluator.encode_motion(list(motions))
        best = {kind: (vectors @ self.means[kind].T).argmax(axis=1) for kind in KINDS}
        return [{kind: {self.names[kind][best[kind][row]]} for kind in KINDS} for row in range(len(motions))]

    def of_captions(self, captions: Sequence[str]) -> list[dict[str, set[str]]]:
        """Name every content and style that a caption stands for; none where no clip has it."""
        none: dict[str, set[str]] = {kind: set() for kind in KINDS}
        return [self.of_caption.get(caption, none) for caption in captions]


def accuracy(
    found: Sequence[dict[str, set[str]]], clips: Sequence[Clip], groups: Mapping[str, np.ndarray]
) -> dict[str, Any]:
    """Percent of answers with the right content, the right style, and both: of all clips, and of each group (N,)."""
    right = {
        kind: np.array([labels_of(clip)[kind] in one[kind] for one, clip in zip(found, clips, strict=True)])
        for kind in KINDS
    }
    right["both"] = right["content"] & right["style"]
    groups = {"all": np.ones(len(clips), dtype=bool), **groups}
    return {
        group: {kind: round(100 * float(values[rows].mean()), 1) for kind, values in right.items()}
        | {"ci95_content": round(100 * half_width(right["content"][rows]), 1), "clips": int(rows.sum())}
        for group, rows in groups.items()
        if rows.any()
    }


def groups_of(clips: Sequence[Clip], training: Sequence[Clip]) -> dict[str, np.ndarray]:
    """Return (N,) bool of `seen`, `new`, `mirrored` and `apart`: what training has of each content and style."""
    recorded = [clip for clip in training if clip.mirror_of is None]
    is_seen, is_shown = (
        np.array([labels_of(clip) in known for clip in clips])
        for known in (list(map(labels_of, recorded)), list(map(labels_of, training)))
    )
    return {"seen": is_seen, "new": ~is_seen, "mirrored": is_shown & ~is_seen, "apart": ~is_shown}


def picked(scores: dict[str, Any]) -> dict[str, Any]:
    """Take the numbers of one row of `remogpt eval swap`, or of a control."""
    found: dict[str, Any] = {}
    if "generation" in scores or "fid" in scores.get("evaluator", {}):
        motion = scores.get("generation", scores)
        scored = motion["evaluator"]
        found["generation"] = {
            name: {part: round(value, 4) for part, value in scored[name].items()}
            for name in ("t2m/R1", "t2m/R3", "fid", "mm_dist", "diversity")
        } | {"copied_share": round(motion.get("copied_share", 0.0), 4)}
        if "memorisation" in motion:
            found["generation"]["nearer_to_training_than_real"] = round(
                motion["memorisation"]["share_nearer_than_real"], 4
            )
    text = scores.get("captioning", scores if "raw" in scores else None)
    if text is not None:
        found["captioning"] = {name: round(text["raw"][name], 4) for name in ("bleu1", "bleu4", "rougeL", "cider")}
        found["captioning"] |= {
            name: round(text[name], 4) for name in ("distinct_share", "copied_share") if name in text
        }
    return found


def answers_of(folder: Path, clips: Sequence[Clip], database: str) -> tuple[list[np.ndarray], list[str]]:
    """Read the motions and the captions that an evaluation wrote with a database."""
    motions = [read_npy(folder / "motions" / SPLIT / MODES[database] / file_name(clip.id)) for clip in clips]
    items = read_json(folder / "captions" / SPLIT / f"{MODES[database]}.json")["items"]
    captions = {item["id"]: item["caption"] for item in items}
    return motions, [captions[clip.id] for clip in clips]


def prompt_alone(work: Path, motions: MotionTextSet) -> dict[str, Any]:
    """Evaluate the recipe's model as the paper has it: examples stand in the prompt, and are not followed further."""
    model = ReMoGPT.from_pretrained(work / "model", "cpu")
    model.manifest["generation"] = model.manifest["generation"] | {"copy_strength": 0.0, "copy_strength_alone": 0.0}
    wrong = model.database(work / "wrong")
    run = Run(
        motions, work / "eval_prompt_alone", EvalConfig((SPLIT,), num_generation=0, num_captioning=0, best_of=(1,)),
        model, open_evaluator(work / "evaluator"), why_dependent(work / "evaluator", model),
        others={"wrong": (wrong, wrong.hash)},
    )  # fmt: skip
    return dict(evaluate(run, ["swap"])["results"])


def measure(work: Path) -> dict[str, Any]:
    """Put together the rows: one for each database, the real answers, and what is retrieved first, as it is."""
    motions, results = MotionTextSet.open(work / "set"), read_json(work / "eval" / "results.json")["results"]
    clips = sorted(motions.clips(SPLIT), key=lambda clip: clip.id)
    groups = groups_of(clips, motions.clips("train"))
    recorded = [clip for clip in motions.clips("all") if clip.mirror_of is None]
    labels = Labels(recorded, TextMotionRetriever.from_pretrained(work / "evaluator"))
    rows: dict[str, Any] = {}

    def add(name: str, scores: dict[str, Any], made: Sequence[np.ndarray], captions: Sequence[str]) -> None:
        rows[name] = picked(scores)
        for part, found in (("generation", labels.of_motions(made)), ("captioning", labels.of_captions(captions))):
            rows[name].setdefault(part, {})["labels"] = accuracy(found, clips, groups)
        unknown = [caption not in labels.of_caption for caption in captions]
        rows[name]["captioning"]["captions_of_no_clip"] = round(float(np.mean(unknown)), 4)

    answers = {name: answers_of(work / "eval", clips, name) for name in MODES}
    for name, (made, captions) in answers.items():
        add(name, _scores(results, name), made, captions)
    alone = prompt_alone(work, motions)
    for name in PROMPT_ALONE:
        made, captions = answers_of(work / "eval_prompt_alone", clips, name)
        add(f"{name}, prompt alone", alone[f"swap/{SPLIT}/{name}"]["scores"], made, captions)
    order = np.random.default_rng(0).permutation(len(clips))
    real = [motions.features(clip) for clip in clips]
    add("real", results[f"generation/{SPLIT}/real"]["scores"], real, [clip.captions[0] for clip in clips])
    others = dict(zip(order.tolist(), np.roll(order, 1).tolist(), strict=True))
    add("another clip's", {}, [real[others[at]] for at in range(len(clips))],
        [clips[others[at]].captions[0] for at in range(len(clips))])  # fmt: skip
    items = read_json(work / "eval" / "motions" / SPLIT / MODES["own"] / INDEX)["items"]
    told = results[f"captioning/{SPLIT}/retrieved"]["scores"]
    add("retrieved first", told, [motions.features(item["examples"][0]) for item in items],
        [item["caption"] for item in told["items"]])  # fmt: skip
    return {
        "clips": len(clips), "groups": {name: int(own.sum()) for name, own in groups.items()}, "rows": rows,
        "empty_equals_none": _same(answers["empty"], answers["none"]),
        "retriever": {name: results[f"retrieval/{SPLIT}"]["scores"][name] for name in ("identical", "chance")},
        "tokenizer": {name: results[f"tokenizer/{SPLIT}"]["scores"][name] for name in ("mpjpe", "mpjpe_global", "fid")},
        "card": results[f"swap/{SPLIT}/own"]["card"],
    }  # fmt: skip


def _scores(results: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return a row's scores: those of `swap`, or those of generation and captioning together."""
    if f"swap/{SPLIT}/{name}" in results:
        return dict(results[f"swap/{SPLIT}/{name}"]["scores"])
    return {part: results[f"{part}/{SPLIT}/{MODES[name]}"]["scores"] for part in ("generation", "captioning")}


def _same(left: tuple[list[np.ndarray], list[str]], right: tuple[list[np.ndarray], list[str]]) -> dict[str, int]:
    """Count equal motions and equal captions."""
    equal: Callable[..., bool] = np.array_equal
    return {
        "motions": sum(equal(*pair) for pair in zip(left[0], right[0], strict=True)),
        "captions": sum(a == b for a, b in zip(left[1], right[1], strict=True)),
    }


def show(found: dict[str, Any]) -> None:
    """Print the table."""
    for name, row in found["rows"].items():
        one, text = row.get("generation", {}), row.get("captioning", {})
        scored = [f"{one[key]['mean']:6.3f}" if key in one else "     -" for key in ("t2m/R1", "t2m/R3", "fid")]
        words = [f"{100 * text[key]:6.1f}" if key in text else "     -" for key in ("bleu4", "cider")]
        right = [f"{part['labels']['all'][kind]:6.1f}" if "labels" in part else "     -"
                 for part in (one, text) for kind in KINDS]  # fmt: skip
        print(f"{name:<19}", *scored, *right[:2], "|", *words, *right[2:])


def main(words: Sequence[str] | None = None) -> None:
    """Sum up one run of the recipe."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("work", type=Path, help="folder of scripts/real_mocap.sh")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/real_mocap_eval.json"))
    args = parser.parse_args(words)
    manifest = read_manifest(args.work / "model")
    motions = MotionTextSet.open(args.work / "set")
    found = {
        "command": command(), "model": manifest["name"], "hashes": manifest["hashes"], "set": motions.name,
        "licence": motions.licence, "captions": "made from labels, content and style", "split": SPLIT,
        **measure(args.work),
    }  # fmt: skip
    write_json(args.out, found)
    show(found)


if __name__ == "__main__":
    main()
