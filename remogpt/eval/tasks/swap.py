"""Swap the database: the same model, captions and seeds with other databases, with none, and with its own.

Nothing is trained anew; another database must have been built with the model's retriever and tokenizer. Each database
after the first is compared with it item by item.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from remogpt.data.humanml3d import Clip
from remogpt.eval.captioning import item_scores
from remogpt.eval.cards import show_order
from remogpt.eval.paired import paired_differences
from remogpt.eval.runs.modes import Mode
from remogpt.eval.runs.run import Named, Result, Run
from remogpt.eval.runs.samples import Samples, by_model, file_name
from remogpt.eval.tasks import captioning, facts, generation
from remogpt.runtime.errors import RemogptError

NUM_SHOWN = 8
"""Captions whose motions are shown side by side."""


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
    first: tuple[str, Result] | None = None
    for name, database in {**own, "none": None, **run.others}.items():
        wanted = run.subset(split, run.config.num_generation)
        described = run.subset(split, run.config.num_captioning)
        answers = {"own": "retrieval", "none": "no_retrieval"}.get(name, f"swap_{name}")
        answers = answers if best_of == 1 else f"{answers}_best_of_{best_of}"
        mode = Mode(answers, retrieval=name != "none", best_of=best_of)
        made = by_model(run, split, wanted, mode, database=database)
        items, _ = captioning.by_model(run, split, described, mode, database=database)
        against = (
            None
            if first is None
            else {"database": first[0], "database_sha256": first[1]["card"].get("database_sha256")}
        )
        card = run.card(
            split, wanted, **made.protocol, **generation.protocol(run, wanted, [made]),
            captioning={"num_items": len(described), **captioning.protocol(run, described)}, **facts.protocol(),
            **run.evaluator_card(), against=against, shown=NUM_SHOWN,
        )  # fmt: skip

        def work(
            made: Samples = made, items: captioning.Items = items, wanted: Sequence[Clip] = wanted,
            described: Sequence[Clip] = described, first: tuple[str, Result] | None = first, answers: str = answers,
        ) -> Result:  # fmt: skip
            scores = _score(run, split, wanted, made, described, items)
            if first is not None:
                before, now = _by_item(first[1]["scores"]), _by_item(scores)
                scores["against"] = {"database": first[0], **paired_differences(before, now, seed=run.config.seed)}
            return scores | {"shown": _shown(made, f"motions/{split}/{answers}")}

        finished = run.finish(f"swap/{split}/{name}", card, work)
        first = first or (name, finished[1])
        yield finished


def _score(
    run: Run, split: str, wanted: Sequence[Clip], made: Samples, described: Sequence[Clip], items: captioning.Items
) -> Result:
    scores: Result = {"captioning": captioning.score(run, described, items)}
    if any(facts.known_facts(run, wanted)):
        scores["facts"] = facts.score(run, wanted, made)
    if run.evaluator is not None:
        scores["generation"] = generation.score(run, split, wanted, run.queries(wanted), [made])
    return scores


def _by_item(scores: Result) -> dict[str, dict[str, float]]:
    """Return measure -> clip -> value: facts that hold, MM-dist, and the captions' ROUGE-L and CIDEr (protocol raw)."""
    found: dict[str, dict[str, float]] = {}
    for measure, key in (("facts", "facts_held"), ("second_detectors", "facts_held_by_second_detectors")):
        items = scores.get("facts", {}).get("items", ())
        found[measure] = {item["id"]: float(np.mean(item[key])) for item in items if item[key]}
    items = scores.get("generation", {}).get("items", ())
    found["mm_dist"] = {item["id"]: item["mm_dist"] for item in items}
    items = scores["captioning"]["items"]
    written = item_scores([item["caption"] for item in items], [item["references"] for item in items])
    for measure, values in written.items():
        found[measure] = dict(zip([item["id"] for item in items], values.tolist(), strict=True))
    return found


def _shown(made: Samples, folder: str) -> list[dict[str, str]]:
    """Name the motions to be shown: of clips that only their ids choose, the same for each database."""
    captions = {item["id"]: item["caption"] for item in made.items}
    return [
        {"id": name, "caption": captions[name], "motion": f"{folder}/{file_name(name)}"}
        for name in show_order(captions)[:NUM_SHOWN]
    ]
