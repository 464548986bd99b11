"""Facts of generated motions: the share that holds, by factor, between the floor and the ceiling of real motions.

Each share stands twice: by the predicates of `remogpt.motion`, and by the second detectors. The facts are the clip's;
of a set that tells what each of its captions claims, the share of what the asked caption itself says stands beside it.
"""

from collections.abc import Iterator, Sequence

from remogpt.data.humanml3d import Clip
from remogpt.eval import detectors, facts
from remogpt.eval.runs.run import Named, Result, Run
from remogpt.eval.runs.samples import Samples
from remogpt.eval.tasks.generation import bodies, sources
from remogpt.motion import features_to_joints
from remogpt.motion.facts import Fact, facts_of_claims


def known_facts(run: Run, clips: Sequence[Clip]) -> list[list[Fact]]:
    """Return the facts of each clip; only whole recordings have facts."""
    return [run.motions.facts(clip) for clip in clips]


def said_facts(run: Run, clips: Sequence[Clip], captions: Sequence[str]) -> list[list[Fact]]:
    """Return what a caption of each clip says; empty where a set does not tell, or a clip has no such caption."""
    found: list[list[Fact]] = []
    for clip, caption in zip(clips, captions, strict=True):
        claims = run.motions.claims(clip) if clip.id == clip.file_id else []  # the same clips as have facts
        said = dict(zip(clip.captions, claims, strict=False)).get(caption)
        found.append([] if said is None else facts_of_claims(said))
    return found


def evaluate(run: Run, split: str) -> Iterator[Named]:
    """Yield the results of a split: one for each mode of the model, or one for somebody's files, and the controls.

    A set without facts yields no results.
    """
    if not any(known_facts(run, run.motions.clips(split))):
        return
    for name, clips, _, samples in sources(run, split):

        def work(clips: Sequence[Clip] = clips, samples: Samples = samples[0]) -> Result:
            return score(run, clips, samples)

        card = run.card(split, clips, **protocol(), **samples[0].protocol)
        yield run.finish(f"facts/{split}/{name}", card, work)


def protocol() -> dict[str, int]:
    """Return card entries of how facts are checked."""
    return {"second_detectors": detectors.VERSION}


def score(run: Run, clips: Sequence[Clip], samples: Samples) -> Result:
    """Check every clip's facts on its sample, by the predicates and by the second detectors."""
    known = known_facts(run, clips)
    said = said_facts(run, clips, [item["caption"] for item in samples.items])
    real = [features_to_joints(run.motions.features(clip)) for clip in clips]
    results: list[Result] = []
    rows = []
    for second in (False, True):
        held = facts.check_all(known, samples.joints, second=second)
        result = facts.summarise(known, held) | {"real": facts.evaluate(known, real, second=second)["share"]}
        if len(clips) > 1:
            result["shuffled"] = facts.floor(known, real, run.config.seed, second=second)["share"]
        if any(said):
            result["said"] = facts.evaluate(said, samples.joints, second=second) | {
                "real": facts.evaluate(said, real, second=second)["share"]
            }
        results.append(result)
        rows.append([[bool(value) for value in row] for row in held])
    items = [
        {**item, "facts_held": first, "facts_held_by_second_detectors": second}
        for item, first, second in zip(samples.items, *rows, strict=True)
    ]
    return results[0] | {"second_detectors": results[1]} | bodies(run, clips, samples) | {"items": items}
