"""Facts of generated motions: the share that holds, by factor, between the floor and the ceiling of real motions."""

from collections.abc import Iterator, Sequence

from remogpt.data.humanml3d import Clip
from remogpt.eval import facts
from remogpt.eval.runs.run import Named, Result, Run
from remogpt.eval.runs.samples import Samples
from remogpt.eval.tasks.generation import bodies, sources
from remogpt.motion import features_to_joints
from remogpt.motion.facts import Fact


def known_facts(run: Run, clips: Sequence[Clip]) -> list[list[Fact]]:
    """Return the facts of each clip; only whole recordings have facts."""
    return [run.motions.facts(clip.file_id) if clip.id == clip.file_id else [] for clip in clips]


def evaluate(run: Run, split: str) -> Iterator[Named]:
    """Yield the results of a split: one for each mode of the model, or one for somebody's files, and the controls.

    A set without facts yields no results.
    """
    if not any(known_facts(run, run.motions.clips(split))):
        return
    for name, clips, _, samples in sources(run, split):

        def work(clips: Sequence[Clip] = clips, samples: Samples = samples[0]) -> Result:
            return score(run, clips, samples)

        yield run.finish(f"facts/{split}/{name}", run.card(split, clips, **samples[0].protocol), work)


def score(run: Run, clips: Sequence[Clip], samples: Samples) -> Result:
    """Check every clip's facts on its sample."""
    known = known_facts(run, clips)
    held = facts.check_all(known, samples.joints)
    real = [features_to_joints(run.motions.features(clip)) for clip in clips]
    result: Result = facts.summarise(known, held) | {"real": facts.evaluate(known, real)["share"]}
    if len(clips) > 1:
        result["shuffled"] = facts.floor(known, real, run.config.seed)["share"]
    items = [
        {**item, "facts_held": [bool(value) for value in row]} for item, row in zip(samples.items, held, strict=True)
    ]
    return result | bodies(run, clips, samples) | {"items": items}
