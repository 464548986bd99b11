"""The tokenizer: joints of encoded and decoded motions against their own, codes in use, skating, and FID."""

from collections.abc import Iterator, Sequence

import numpy as np

from remogpt.data.humanml3d import Clip
from remogpt.eval import facts, physical, reconstruction
from remogpt.eval.evaluators.embeddings import embed_motions
from remogpt.eval.generation import frechet_distance
from remogpt.eval.runs.run import Named, Result, Run
from remogpt.eval.tasks.facts import known_facts
from remogpt.motion.features import joints_in_metres
from remogpt.runtime.files import fingerprint


def evaluate(run: Run, split: str) -> Iterator[Named]:
    """Yield the one result of a split."""
    run.needs_model("the tokenizer's evaluation")
    clips = run.subset(split, run.config.num_tokenizer)
    card = run.card(split, clips, fid="decoded clips against the same real clips", **run.evaluator_card())
    yield run.finish(f"tokenizer/{split}", card, lambda: score(run, split, clips))


def score(run: Run, split: str, clips: Sequence[Clip]) -> Result:
    """Encode and decode each clip and compare it with itself."""
    tokenizer = run.needs_model("the tokenizer's evaluation").tokenizer
    codes: list[np.ndarray] = []
    decoded: list[np.ndarray] = []
    for _, batch in run.batches(clips, f"{split} tokenizer"):
        codes += tokenizer.encode_batch([run.motions.features(clip) for clip in batch])
        decoded += tokenizer.decode_batch(codes[len(decoded) :])
    made = [joints_in_metres(row) for row in decoded]
    real = [joints_in_metres(run.motions.features(clip)) for clip in clips]
    counts = np.bincount(np.concatenate(codes))
    shares = counts[counts > 0] / counts.sum()
    result: Result = reconstruction.evaluate(made, real) | {
        "codes_used": len(shares),
        "perplexity": float(np.exp(-(shares * np.log(shares)).sum())),
        "physical": physical.evaluate(made),
        "worse_than_95_percent_of_real": physical.against_real(made, real),
    }
    known = known_facts(run, clips)
    if any(known):
        kept, ceiling = facts.evaluate(known, made), facts.evaluate(known, real)
        result["facts"] = kept | {"real": ceiling["share"]}
    if run.evaluator is not None and len(clips) > 1:
        embedded = embed_motions(
            run.cache, run.evaluator, fingerprint(decoded), len(decoded), decoded.__getitem__, "decoded motions"
        )
        result["fid"] = frechet_distance(run.embed_clips(clips), embedded)
    return result
