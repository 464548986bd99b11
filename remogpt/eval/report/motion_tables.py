"""Tables about motions: the tokenizer, generation, facts, physical quality, swapped databases."""

from collections.abc import Callable, Iterable, Sequence

from remogpt.eval.captioning import PROTOCOLS
from remogpt.eval.physical import NAMES
from remogpt.eval.report.tables import Column, Entry, Row, Table, column, number, rounded, score, table

POOL = 32
"""Gallery of R-precision where a card does not name it."""


def tokenizer_tables(found: Sequence[Entry]) -> Iterable[Table | None]:
    """Return tables of the errors of encoding and decoding."""
    yield table("Reconstruction error", found, [
        column("MPJPE (mm)", "mpjpe"), column("global (mm)", "mpjpe_global"), column("PA-MPJPE (mm)", "pa_mpjpe"),
        column("ACCEL (mm/frame²)", "accel", 2), column("FID", "fid", 3),
        column("facts kept (%)", "share", scale=100, of="facts"), column("of real (%)", "real", scale=100, of="facts"),
        column("codes used", "codes_used", 0), column("perplexity", "perplexity", 0),
    ], column("clips", "num_items", 0))  # fmt: skip


def _evaluator_scores(found: Sequence[Entry]) -> Iterable[Table | None]:
    yield table("Distances by the evaluator network", found, [
        column("FID", "fid", 3, of="evaluator"), column("Diversity", "diversity", 3, of="evaluator"),
        column("MultiModality", "multimodality", 3, of="evaluator"),
    ], column("motions", "num_items", 0),
        note="Lower is better for FID; Diversity should be near that of the real motions.")  # fmt: skip
    yield precision_table(found)


def precision_table(found: Sequence[Entry]) -> Table | None:
    """Return a table of R-precision both ways and MM-dist, beside chance."""
    pools = {entry.split: entry.card.get("pool") or POOL for entry in found}
    sizes = " or ".join(sorted({str(pool) for pool in pools.values()}))

    def chance(split: str) -> list[Row]:
        cells = [number(min(1.0, k / pools[split]), 3) for _ in ("t2m", "m2t") for k in (1, 2, 3)]
        return [Row((split, "chance", *cells, ""), kind="chance")]

    columns = [column(f"{way} R@{k}", f"{way}/R{k}", 3, of="evaluator") for way in ("t2m", "m2t") for k in (1, 2, 3)]
    return table(
        "R-precision by the evaluator network", found, [*columns, column("MM-dist", "mm_dist", 3, of="evaluator")],
        extra=chance,
        note=f"A fraction: the right one is among the first k of a pool of {sizes}. Lower is better for MM-dist.",
    )  # fmt: skip


_UNITS = {
    "foot_skating": "skating (share)", "penetration": "penetration (mm)", "floating": "floating (mm)",
    "foot_slide": "foot slide (cm/s)", "jerk": "jerk (m/s³)", "bone_drift": "bone drift (mm)",
}  # fmt: skip


def generation_tables(found: Sequence[Entry]) -> Iterable[Table | None]:
    """Return tables of the evaluator network's scores of motions, and of how much is copied."""
    yield from _evaluator_scores(found)
    yield table("Copies and novelty", found, [
        column("copies of an example (%)", "copied_share", scale=100),
        column("overlap with examples", "overlap_with_examples", 3),
        column("distance to training", "nearest_generated", 3, of="memorisation"),
        column("of real motions", "nearest_real", 3, of="memorisation"),
        column("ratio", "ratio", 2, of="memorisation"),
        column("nearer than real (%)", "share_nearer_than_real", scale=100, of="memorisation"),
    ], column("motions", "num_items", 0),
        note="Nearer than real: share of motions that lie nearer to a training motion than 95 % of real ones do; "
        "5 is as novel as reality, near 100 is copying.")  # fmt: skip


def physical_tables(found: Sequence[Entry]) -> Iterable[Table | None]:
    """Return the size of physical faults, and how they compare with those of real motions."""

    def size(name: str) -> Callable[[Entry], str]:
        def value(entry: Entry) -> str:
            own = entry.scores["physical"].get(name)
            return rounded(own["mean"], own["ci95"]) if own else ""

        return value

    yield table("Size of the fault", found, [
        *((_UNITS[name], size(name)) for name in NAMES),
        ("frames", lambda entry: score(entry.scores, "frames", 0)),
        ("of the real", lambda entry: score(entry.scores, "frames_real", 0)),
    ], note="Lower is better, but real motions are not 0 either.")  # fmt: skip
    yield table("Motions worse than 95 % of the real ones, percent", found, [
        column(_UNITS[name].split(" (")[0], name, scale=100, of="worse_than_95_percent_of_real") for name in NAMES
    ], note="5 is as good as real.")  # fmt: skip


def facts_tables(found: Sequence[Entry]) -> Iterable[Table | None]:
    """Return the share of facts that hold, in all and by factor."""
    yield table("Facts that hold, percent", found, [
        column("facts", "share", scale=100), column("all of a caption's", "all_hold", scale=100),
        column("real motions", "real", scale=100), column("other captions' motions", "shuffled", scale=100),
        *(column(f"{head}by second detectors", name, scale=100, of="second_detectors")
          for head, name in (("", "share"), ("real, ", "real"), ("others', ", "shuffled"))),
        column("of what the caption says", "share", scale=100, of="said"),
        column("of that, by second detectors", "share", scale=100, of="second_detectors/said"),
        column("facts checked", "num_facts", 0),
    ], column("captions", "num_items", 0),
        note="Read a share between other captions' motions (the floor) and real motions (the ceiling). The second "
        "detectors share nothing with the predicates, by which a model may have chosen its answers. A clip's facts may "
        "say more than the caption that was asked for: no model can know those.")  # fmt: skip
    factors = sorted({factor for entry in found for factor in entry.scores.get("by_factor", {})})
    yield _by_factor("By factor, percent (facts checked)", found, factors)
    yield _by_factor("By factor, by second detectors, percent (facts checked)", found, factors, "second_detectors")


def _by_factor(title: str, found: Sequence[Entry], factors: Sequence[str], of: str = "") -> Table | None:
    """Return a table of shares with a column for each factor; `of` names scores within those of an entry."""

    def factor_column(factor: str) -> Column:
        def value(entry: Entry) -> str:
            scores = entry.scores.get(of, {}) if of else entry.scores
            own = scores.get("by_factor", {}).get(factor)
            return f"{number(own['share'], 0, 100)} ({own['num_facts']})" if own else ""

        return factor, value

    return table(title, found, [factor_column(factor) for factor in factors], shown="folded")


def swap_tables(found: Sequence[Entry]) -> Iterable[Table | None]:
    """Return motions' and captions' scores for each database."""
    yield table("Motions written with another database", found, [
        column("FID", "fid", 3, of="generation/evaluator"),
        *(column(f"t2m R@{k}", f"t2m/R{k}", 3, of="generation/evaluator") for k in (1, 3)),
        column("MM-dist", "mm_dist", 3, of="generation/evaluator"),
        column("copies (%)", "copied_share", scale=100, of="generation"),
        column("facts that hold (%)", "share", scale=100, of="facts"),
        column("by second detectors (%)", "share", scale=100, of="facts/second_detectors"),
    ], column("motions", "num_items", 0, of="generation"), labels=("split", "database"))  # fmt: skip
    known = {name for entry in found for name in entry.scores.get("captioning", {})}
    protocol = next((name for name in PROTOCOLS if name in known), PROTOCOLS[0])
    heads = {"bleu1": "BLEU-1", "bleu4": "BLEU-4", "rougeL": "ROUGE-L", "cider": "CIDEr"}
    yield table(f"Captions written with another database, times 100 (protocol {protocol})", found, [
        *(column(head, name, scale=100, of=f"captioning/{protocol}") for name, head in heads.items()),
        column("m2t R@1", "m2t/R1", 3, of="captioning/evaluator"),
        column("copies (%)", "copied_share", scale=100, of="captioning"),
    ], column("captions", "num_items", 0, of="captioning"), labels=("split", "database"))  # fmt: skip
    yield table("Differences from the first database, item by item", found, [
        _difference("facts that hold (%)", "facts", 1, 100),
        _difference("by second detectors (%)", "second_detectors", 1, 100),
        _difference("MM-dist", "mm_dist", 3), _difference("ROUGE-L × 100", "rougeL", 1, 100),
        _difference("CIDEr × 100", "cider", 1, 100),
    ], labels=("split", "database"), note="Mean difference and, in brackets, its 95 % interval by resampling the items "
        "(10,000 times). An asterisk: 0 lies outside. MM-dist is better where it is lower.")  # fmt: skip


def _difference(head: str, measure: str, digits: int, scale: float = 1.0) -> Column:
    """Make a column of a paired difference: `+1.2 (-0.3 to 2.7)`."""

    def value(entry: Entry) -> str:
        own = entry.scores.get("against", {}).get(measure)
        if own is None:
            return ""
        low, high = (number(own[name], digits, scale) for name in ("low", "high"))
        return f"{scale * own['mean']:+.{digits}f} ({low} to {high})" + (" *" if own["low"] * own["high"] > 0 else "")

    return head, value
