"""Swap the database: the same model, captions and seeds with other databases, with none, and with its own.

Nothing is trained anew; another database must have been built with the model's retriever and tokenizer.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from remogpt.data.humanml3d import Clip
from remogpt.eval.runs.modes import Mode
from remogpt.eval.runs.run import Named, Result, Run
from remogpt.eval.runs.samples import Samples, by_model
from remogpt.eval.tasks import captioning, facts, generation
from remogpt.runtime.errors import RemogptError


def evaluate(run: Run, split: str) -> Iterator[Named]:
    """Yield a result for each database: `own` where the model has one, `none`, and the others by their names.

    Raises:
        RemogptError: if no other database was given.
    """
    run.needs_model("swapping databases")
    if not run.others:
        raise RemogptError("swapping needs databases to swap in; name them with --databases FOLDER FOLDER ...")
    best_of = run.config.best_of[0]
    own: dict[str, Any] = {"own": None} if run.own_database_hash else {}
    for name, database in {**own, "none": None, **run.others}.items():
        wanted = run.subset(split, run.config.num_generation)
        described = run.subset(split, run.config.num_captioning)
        answers = {"own": "retrieval", "none": "no_retrieval"}.get(name, f"swap_{name}")
        answers = answers if best_of == 1 else f"{answers}_best_of_{best_of}"
        mode = Mode(answers, retrieval=name != "none", best_of=best_of)
        made = by_model(run, split, wanted, mode, database=database)
        items, _ = captioning.by_model(run, split, described, mode, database=database)
        card = run.card(
            split, wanted, **made.protocol, **generation.protocol(run, wanted, [made]),
            captioning={"num_items": len(described), **captioning.protocol(run, described)}, **facts.protocol(),
            **run.evaluator_card(),
        )  # fmt: skip

        def work(
            made: Samples = made, items: captioning.Items = items, wanted: Sequence[Clip] = wanted,
            described: Sequence[Clip] = described,
        ) -> Result:  # fmt: skip
            return _score(run, split, wanted, made, described, items)

        yield run.finish(f"swap/{split}/{name}", card, work)


def _score(
    run: Run, split: str, wanted: Sequence[Clip], made: Samples, described: Sequence[Clip], items: captioning.Items
) -> Result:
    scores: Result = {"captioning": captioning.score(run, described, items)}
    if any(facts.known_facts(run, wanted)):
        scores["facts"] = facts.score(run, wanted, made)
    if run.evaluator is not None:
        scores["generation"] = generation.score(run, split, wanted, run.queries(wanted), [made])
    return scores
