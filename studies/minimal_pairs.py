"""Does a retriever see what decides? Pairs of clips that differ in one factor, and a caption of each that says so.

    python -m studies.minimal_pairs --retriever runs/retriever
    python -m studies.minimal_pairs --retriever runs/retriever --data runs/mini/set
    python -m studies.minimal_pairs --finder runs/finder --out studies/results/minimal_pairs_found.json

Clips are of the procedural set's unseen combinations, of a seed that trained nothing; each is paired with a variant
that differs from it in its count, order, speed, side or direction. With `--data` the pairs are those of a set's
training families, which a retriever may have learnt by heart. A caption is asked only if it claims a fact that the
other clip does not show. Right is a caption that lies nearer to its own motion than to the other, and a motion that
lies nearer to its own caption; chance is half. Beside that, the cosine of the two captions, and of two captions of one
clip. With `--finder` also by what ranks the database where no predicate runs: the cosine, and the share of what mini's
reader reads in a caption that a finder finds in a motion.
"""

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count, islice
from pathlib import Path
from typing import Any

import numpy as np

from remogpt import ReMoGPT
from remogpt.data.humanml3d import MotionTextSet
from remogpt.data.procedural.clip import ProceduralClip
from remogpt.data.procedural.make import is_unseen, make_clip, make_variants
from remogpt.data.procedural.sample import sample_script
from remogpt.data.procedural.vocabularies import VOCABULARIES, WIDE
from remogpt.finder import FactFinder
from remogpt.motion.facts import Steps, facts_correct, facts_of_claims
from remogpt.motion.features import features_to_joints
from remogpt.pipeline.judge import Judge
from remogpt.retriever import TextMotionRetriever
from remogpt.runtime.files import write_json
from remogpt.runtime.progress import progress

RESULTS = Path(__file__).parent / "results" / "minimal_pairs.json"
FACTORS = ("count", "order", "speed", "side", "direction")
SEED = 700


@dataclass(frozen=True)
class Pair:
    """Two clips, and of each a caption that is true of it alone."""

    motions: tuple[np.ndarray, np.ndarray]
    """(T, 263) raw features of each."""
    captions: tuple[str, str]
    paraphrases: tuple[str, str] | None = field(compare=False)
    """Two captions of the first clip that claim the same; None where it has no such two."""


Ranks = Callable[[Sequence[Pair]], np.ndarray]
"""Gives scores (pairs, captions, motions)."""


def pairs(factor: str, vocabulary: str) -> Iterator[Pair]:
    """Yield pairs of a factor, endlessly."""
    for index in count():
        if not is_unseen(sample_script(np.random.default_rng((SEED, index)), vocabulary)):
            continue
        base = make_clip(SEED, index, vocabulary=vocabulary)
        variant = make_variants(SEED, base, factors=(factor,), vocabulary=vocabulary).get(factor)
        if variant is None:
            continue
        yield from _paired(_described(base), _described(variant))


def learnt_pairs(factor: str, motions: MotionTextSet) -> Iterator[Pair]:
    """Yield pairs of a factor that a set's training clips and their variants make."""
    clips = {clip.id: clip for clip in motions.clips("train")}
    for variant in motions.clips("families"):
        base = clips.get(variant.tags["family"])
        if base is not None and variant.tags["changed"] == factor:
            yield from _paired(*(
                Described(motions.features(clip), list(clip.captions), motions.claims(clip)) for clip in (base, variant)
            ))  # fmt: skip


@dataclass(frozen=True)
class Described:
    """A motion, (T, 263) raw features, its captions, and what each claims."""

    features: np.ndarray
    captions: list[str]
    claims: Sequence[Steps]


def _described(clip: ProceduralClip) -> Described:
    return Described(clip.features, [caption.text for caption in clip.captions], clip.claims)


def _paired(base: Described, variant: Described) -> Iterator[Pair]:
    """Yield a pair, if each has a caption that is true of it alone."""
    said = _true_of_one(base, variant), _true_of_one(variant, base)
    if all(said):
        same = [text for text, claims in zip(base.captions, base.claims, strict=True) if claims == base.claims[0]]
        yield Pair((base.features, variant.features), said, (same[0], same[1]) if len(same) > 1 else None)


def _true_of_one(clip: Described, other: Described) -> str:
    """Return the first caption of a clip that holds for it and not for another; empty if there is none."""
    own, others = features_to_joints(clip.features), features_to_joints(other.features)
    for caption, claims in zip(clip.captions, clip.claims, strict=True):
        facts = facts_of_claims(claims)
        if facts and all(facts_correct(facts, own)) and not all(facts_correct(facts, others)):
            return caption
    return ""


def score(retriever: TextMotionRetriever, found: Sequence[Pair], ranks: Ranks | None = None) -> dict[str, Any]:
    """Return the shares of captions and of motions that find their own, in percent, and the captions' cosines.

    Args:
        retriever: embeds captions and motions.
        found: pairs.
        ranks: scores that rank motions where facts count too.
    """
    motions = retriever.encode_motion([motion for pair in found for motion in pair.motions]).reshape(len(found), 2, -1)
    texts = retriever.encode_each_text([text for pair in found for text in pair.captions])
    captions = np.array(list(texts)).reshape(len(found), 2, -1)
    alike = [pair.paraphrases for pair in found if pair.paraphrases is not None]
    paraphrases = [np.stack(list(retriever.encode_each_text(two))) for two in alike]
    return {
        "pairs": len(found),
        **_right(np.einsum("pcd,pmd->pcm", captions, motions)),
        **({} if ranks is None else {"with_facts": _right(ranks(found))}),
        "cosine_of_captions": float((captions[:, 0] * captions[:, 1]).sum(-1).mean()),
        "cosine_of_paraphrases": float(np.mean([two[0] @ two[1] for two in paraphrases])) if alike else None,
    }


def _right(scores: np.ndarray) -> dict[str, float]:
    """Return how many of (pairs, captions, motions) scores are the largest for what belongs together, in percent."""
    own = np.einsum("pcc->pc", scores)
    others = np.stack([scores[:, 0, 1], scores[:, 1, 0]], axis=1)
    return {
        "caption_to_motion": 100 * float((own > others).mean()),
        "motion_to_caption": 100 * float((own > others[:, ::-1]).mean()),
    }


def ranked(model: ReMoGPT, finder: FactFinder) -> Ranks:
    """Return the scores by which a model with a finder ranks motions."""
    judge = Judge(model.retriever, model.generation["fact_weight"], finder)

    def ranks(found: Sequence[Pair]) -> np.ndarray:
        texts = [text for pair in found for text in pair.captions]
        readings = model.reader.read(texts) if model.reader is not None else [None] * len(texts)
        motions = [pair.motions for pair in found for _ in pair.captions]
        return np.stack(judge.scores(texts, readings, motions)).reshape(len(found), 2, 2)

    return ranks


def main(words: Sequence[str] | None = None) -> None:
    """Score a retriever and write the results."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--retriever", type=Path, default=None, help="default: the embedded model's")
    parser.add_argument("--finder", type=Path, default=None, help="rank by facts too, with the embedded model's reader")
    parser.add_argument("--data", type=Path, default=None, help="set with families: pairs of what it trains on")
    parser.add_argument("--factors", nargs="+", choices=FACTORS, default=FACTORS)
    parser.add_argument("--pairs", type=int, default=200, help="of each factor")
    parser.add_argument("--vocabulary", choices=VOCABULARIES, default=WIDE)
    parser.add_argument("--out", type=Path, default=RESULTS)
    args = parser.parse_args(words)
    retriever = TextMotionRetriever.from_pretrained(args.retriever)
    ranks = None if args.finder is None else ranked(ReMoGPT.from_pretrained(), FactFinder.from_pretrained(args.finder))
    motions, found = None if args.data is None else MotionTextSet.open(args.data), {}
    for factor in args.factors:
        every = pairs(factor, args.vocabulary) if motions is None else learnt_pairs(factor, motions)
        drawn = list(progress(islice(every, args.pairs), total=args.pairs, desc=factor, unit="pair"))
        if not drawn:
            continue
        found[factor] = score(retriever, drawn, ranks)
        print(factor, found[factor], flush=True)
    options = " --data SET" * (motions is not None) + " --finder runs/finder" * (ranks is not None)
    command = f"python -m studies.minimal_pairs --retriever runs/retriever{options}"
    write_json(args.out, {"command": command, "retriever": retriever.hash, "seed": SEED, "factors": found})


if __name__ == "__main__":
    main()
