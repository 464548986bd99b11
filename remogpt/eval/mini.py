"""The whole evaluation of a model folder on a set: reconstruction, retrieval, generation by facts, captioning.

Everything is judged by the set itself (joints, captions, facts), so no evaluator network is needed. Each part of a
split is one result with its protocol card; it is written to the output folder when it is done, and a second run with
the same card reads it instead of computing it again. Generation and captioning run with and without retrieval.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from remogpt.data.humanml3d import Clip, MotionTextSet
from remogpt.eval import facts as fact_scores
from remogpt.eval import physical, reconstruction
from remogpt.eval.captioning import caption_metrics, three_references
from remogpt.eval.generation import mean_interval
from remogpt.eval.protocols import Card, Model, protocol_card, sha256_of
from remogpt.eval.report import write_report
from remogpt.eval.retrieval import RECALL_AT, retrieval_metrics, retrieval_ranks
from remogpt.eval.rouge import lcs_length
from remogpt.motion import features_to_joints
from remogpt.motion.motion import Motion
from remogpt.motion.skeleton import FPS
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import read_json, write_json, write_npy
from remogpt.runtime.progress import progress

PARTS = ("reconstruction", "retrieval", "generation", "captioning")
LONGEST_FRAMES = 196
"""Longest motion that a generator is asked for, as in the field's evaluations; HumanML3D's clips reach 199."""
Result = dict[str, Any]


@dataclass(frozen=True)
class EvalConfig:
    """What is evaluated, and on how many items."""

    splits: tuple[str, ...] = ("test", "test_unseen")
    """Split files; one that the set lacks, or that is empty, is left out and named in the report."""
    parts: tuple[str, ...] = PARTS
    """Any of reconstruction, retrieval, generation, captioning."""
    num_reconstruction: int = 500
    """Clips of a split; 0 for all. Subsets are drawn with the seed."""
    num_retrieval: int = 0
    """Clips of the gallery; 0 for all."""
    num_generation: int = 200
    """Captions for which a motion is written; 0 for all."""
    num_captioning: int = 200
    """Motions for which a caption is written; 0 for all."""
    batch_size: int = 16
    """Motions or captions written at a time."""
    best_of: tuple[int, ...] = (1, 8)
    """Candidates for each generated motion, of which the model's retriever keeps the best; each reported apart."""
    true_length: bool = False
    """Give the generator the real motion's length (9.8 s at most), as some published evaluations do."""
    seed: int = 0
    """Of subsets, captions and sampling."""

    def __post_init__(self) -> None:
        unknown = [part for part in self.parts if part not in PARTS]
        if unknown or not self.parts:
            raise RemogptError(f"parts must be some of {', '.join(PARTS)}, came {', '.join(self.parts) or 'none'}")
        if not self.splits:
            raise RemogptError("no split to evaluate; give at least one, such as test")
        for name in ("num_reconstruction", "num_retrieval", "num_generation", "num_captioning", "seed"):
            if getattr(self, name) < 0:
                raise RemogptError(f"{name} must be 0 (all) or more, came {getattr(self, name)}")
        if not self.best_of or min(self.best_of) < 1:
            raise RemogptError(f"best_of must be numbers of at least 1, came {self.best_of}")
        if self.batch_size < 1:
            raise RemogptError(f"batch_size must be at least 1, came {self.batch_size}")


def evaluate_model(
    model: Model,
    motions: MotionTextSet,
    out: str | Path,
    config: EvalConfig | None = None,
    *,
    database: Any = None,
    database_hash: str | None = None,
) -> Result:
    """Evaluate a model on a set and write `results.json` and `report.md`.

    Args:
        out: folder for results; parts that it already holds with the same card are not computed again.
        database: passed to the model's generate and caption; None for the model's own.
        database_hash: hash of that database for the cards, where it is not the model's own.

    Returns:
        {"config", "missing_splits", "results": {"<part>/<split>[/retrieval|/no_retrieval]": {"card", "scores"}}}.

    Raises:
        RemogptError: if the set has none of the splits, or a split has no clip of usable length.
    """
    config, out = config or EvalConfig(), Path(out)
    present = [split for split in config.splits if split in motions.splits() and motions.ids(split)]
    if not present:
        raise RemogptError(
            f"{motions.folder} has none of the splits {', '.join(config.splits)}; it has {motions.splits()}"
        )
    run = _Run(model, motions, out, config, database, database_hash or model.manifest.get("hashes", {}).get("database"))
    results = {name: result for split in present for part in config.parts for name, result in run.part(part, split)}
    report = {
        "config": asdict(config),
        "missing_splits": [split for split in config.splits if split not in present],
        "results": results,
    }
    write_report(report, out)
    return report


@dataclass(frozen=True)
class _Run:
    model: Model
    motions: MotionTextSet
    out: Path
    config: EvalConfig
    database: Any
    database_hash: str | None

    def part(self, part: str, split: str) -> Iterator[tuple[str, Result]]:
        """Yield the named results of one part on one split."""
        clips = self.subset(split, getattr(self.config, f"num_{part}"))
        if part == "reconstruction":
            yield self.cached(f"{part}/{split}", split, clips, {}, self.reconstruct)
        elif part == "retrieval":
            gallery = {"captions": "first", "gallery": "all items"}
            yield self.cached(f"{part}/{split}", split, clips, gallery, self.retrieve)
        else:
            for retrieval in (True, False):
                name = f"{part}/{split}/{'retrieval' if retrieval else 'no_retrieval'}"
                protocol: dict[str, Any] = {
                    "retrieval": retrieval,
                    "database_sha256": self.database_hash if retrieval else None,
                }
                protocol["batch_size"] = self.config.batch_size  # sampling is seeded by batch
                if part == "captioning":
                    work = self.caption
                    protocol |= {"references": "three (first; a, b, a; a, a, a)"}
                else:
                    work = self.generate
                    protocol |= {"captions": "one, drawn with the seed", "true_length": self.config.true_length}
                own_sampling = self.model.manifest.get("generation", {})  # no part's hash covers it
                protocol["sampling"] = {key: value for key, value in own_sampling.items() if key != "best_of"}
                for count in self.config.best_of:
                    own = name if count == 1 else f"{name}_best_of_{count}"
                    yield self.cached(own, split, clips, {**protocol, "best_of": count}, work)

    def subset(self, split: str, count: int) -> list[Clip]:
        """Draw clips of a split, sorted by id."""
        clips = sorted(self.motions.clips(split), key=lambda clip: clip.id)
        if not count or count >= len(clips):
            return clips
        chosen = np.random.default_rng(self.config.seed).choice(len(clips), count, replace=False)
        return [clips[place] for place in np.sort(chosen)]

    def cached(
        self,
        name: str,
        split: str,
        clips: list[Clip],
        protocol: dict[str, Any],
        work: Callable[[str, list[Clip], Card], Result],
    ) -> tuple[str, Result]:
        """Read a finished result if its card is this run's, else compute and write it."""
        card = protocol_card(self.model, self.motions, split, clips, seed=self.config.seed, **protocol)
        path = self.out / "parts" / f"{name.replace('/', '_')}.json"
        if path.is_file():
            done = read_json(path)
            if done["card"] == card:
                return name, done
        result = {"card": card, "scores": work(name, clips, card)}
        write_json(path, result)
        return name, result

    def reconstruct(self, name: str, clips: list[Clip], card: Card) -> Result:
        """Encode and decode each clip and compare joints with the clip's own."""
        made: list[np.ndarray] = []
        real: list[np.ndarray] = []
        used: list[np.ndarray] = []
        for batch in self.batches(clips, name):
            features = [self.motions.features(clip) for clip in batch]
            codes = self.model.tokenizer.encode_batch(features)
            used += codes
            made += [features_to_joints(row) for row in self.model.tokenizer.decode_batch(codes)]
            real += [features_to_joints(row) for row in features]
        scores = reconstruction.evaluate(made, real)
        return scores | {"codes_used": len(np.unique(np.concatenate(used)))}

    def retrieve(self, name: str, clips: list[Clip], card: Card) -> Result:
        """Rank every clip's first caption against every motion, in the protocols that need nothing else."""
        captions = [clip.captions[0] for clip in clips]
        text = self.model.retriever.encode_text(captions)
        motion = self.model.retriever.encode_motion([self.motions.features(clip) for clip in clips])
        similarity = np.asarray(text, dtype=np.float64) @ np.asarray(motion, dtype=np.float64).T
        scores: Result = {
            "normal": retrieval_metrics(similarity, "normal"),
            "identical": retrieval_metrics(similarity, "identical", captions=captions),
        }
        ranks = retrieval_ranks(similarity)
        scores["normal"] |= {
            f"{way}/R@{k}_ci95": round(100 * mean_interval(ranks[way] < k)["ci95"], 2) for way in ranks for k in (1, 10)
        }
        if len(clips) >= 32:
            scores["guo"] = retrieval_metrics(similarity, "guo", seed=self.config.seed)
        chance = {f"R@{k}": round(min(100.0, 100.0 * k / len(clips)), 2) for k in RECALL_AT}
        return scores | {"chance": chance | {"MedR": (len(clips) + 1) / 2}}

    def generate(self, name: str, clips: list[Clip], card: Card) -> Result:
        """Write a motion for one caption of each clip; score facts, physics, and how much was copied."""
        rng = np.random.default_rng(self.config.seed)
        texts = {clip.id: clip.captions[rng.integers(len(clip.captions))] for clip in clips}
        joints: list[np.ndarray] = []
        items: list[dict[str, Any]] = []
        for start, batch in zip(range(0, len(clips), self.config.batch_size), self.batches(clips, name), strict=True):
            seconds = (
                [min(clip.num_frames, LONGEST_FRAMES) / FPS for clip in batch] if self.config.true_length else None
            )
            written = self.model.generate_batch(
                [texts[clip.id] for clip in batch], self.database, seconds, self.batch_seed(start),
                card["retrieval"], [_own_ids(clip) for clip in batch], card["best_of"],
            )  # fmt: skip
            for clip, one in zip(batch, written, strict=True):
                joints.append(one.motion.joints)
                overlap = max((_overlap(one.codes, example.codes) for example in one.examples), default=0.0)
                items.append({"id": clip.id, "caption": texts[clip.id], "frames": one.motion.num_frames,
                              "examples": [example.id for example in one.examples], "overlap": overlap})  # fmt: skip
                folder = self.out / "motions" / name.replace("/", "_")
                write_npy(folder / f"{clip.id.replace(':', '_')}.npy", one.motion.joints)
        real = [features_to_joints(self.motions.features(clip)) for clip in clips]
        scores: Result = {
            "facts": self.facts(clips, joints, real, items),
            "physical": physical.evaluate(joints),
            "worse_than_95_percent_of_real": physical.against_real(joints, real),
            "frames": mean_interval(np.array([len(row) for row in joints])),
            "frames_real": mean_interval(np.array([len(row) for row in real])),
            "copied_share": float(np.mean([item["overlap"] == 1.0 for item in items])),
            "overlap_with_examples": mean_interval(np.array([item["overlap"] for item in items])),
        }
        return scores | {"num_items": len(items), "items": items}

    def facts(
        self, clips: list[Clip], made: list[np.ndarray], real: list[np.ndarray], items: list[dict[str, Any]]
    ) -> Result | None:
        """Score facts of generated motions between floor and ceiling of real ones; None where there are none."""
        known = [self.motions.facts(clip.file_id) if clip.id == clip.file_id else [] for clip in clips]
        if not any(known):
            return None
        held = fact_scores.check_all(known, made)
        for item, row in zip(items, held, strict=True):
            item["facts_held"] = [bool(value) for value in row]
        limits = {"real": fact_scores.evaluate(known, real)["share"]}
        if len(clips) > 1:
            limits["shuffled"] = fact_scores.floor(known, real, self.config.seed)["share"]
        return fact_scores.summarise(known, held) | limits

    def caption(self, name: str, clips: list[Clip], card: Card) -> Result:
        """Write a caption for each clip and compare it with the clip's own."""
        items: list[dict[str, Any]] = []
        for start, batch in zip(range(0, len(clips), self.config.batch_size), self.batches(clips, name), strict=True):
            motions = [Motion.from_features(self.motions.features(clip), name=clip.id) for clip in batch]
            written = self.model.caption_batch(
                motions, self.database, card["retrieval"], self.batch_seed(start), [_own_ids(clip) for clip in batch],
                card["best_of"],
            )  # fmt: skip
            items += [
                {"id": clip.id, "caption": one.text, "examples": [example.id for example in one.examples],
                 "copied": any(one.text.strip() == example.caption.strip() for example in one.examples)}
                for clip, one in zip(batch, written, strict=True)
            ]  # fmt: skip
        hypotheses = [item["caption"] for item in items]
        references = [three_references(clip.captions) for clip in clips]
        scores: Result = {protocol: caption_metrics(hypotheses, references, protocol) for protocol in ("raw", "ptb")}
        return scores | {
            "copied_share": float(np.mean([item["copied"] for item in items])),
            "distinct_share": len(set(hypotheses)) / len(hypotheses),
            "num_items": len(items),
            "items": items,
        }

    def batches(self, clips: Sequence[Clip], name: str) -> Iterator[list[Clip]]:
        """Yield the clips in batches behind a progress bar that counts clips."""
        size = self.config.batch_size
        with progress(total=len(clips), desc=name, unit="clip") as bar:
            for start in range(0, len(clips), size):
                batch = list(clips[start : start + size])
                yield batch
                bar.update(len(batch))

    def batch_seed(self, start: int) -> int:
        """Return the sampling seed of the batch that begins at item `start`."""
        return int(sha256_of([self.config.seed, start])[:7], 16)


def _own_ids(clip: Clip) -> set[str]:
    """Ids under which a database could hold the clip itself or its mirror image."""
    own = {clip.id, clip.file_id, clip.source_id, f"M{clip.file_id}"}
    return own | ({clip.mirror_of} if clip.mirror_of else set())


def _overlap(codes: np.ndarray, example: np.ndarray) -> float:
    """Longest common subsequence of two code sequences over the longer one; 1 means a copy."""
    left, right = [str(code) for code in codes], [str(code) for code in example]
    return lcs_length(left, right) / max(len(left), len(right), 1)
