"""Two evaluations side by side, refused where they were made by different protocols."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from remogpt.eval.cards import Card, ReportFile, check_comparable, short
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import read_json


def compare(
    left: Path, right: Path, *, left_name: str = "", right_name: str = "", force: bool = False
) -> dict[str, dict[str, Any]]:
    """Compare results of two folders (or `results.json` files).

    Args:
        left_name, right_name: of one result on each side; without them every name that both have is compared.
        force: compare even where the protocols differ.

    Returns:
        name (or "left | right" where they differ) -> {"differing": {entry of the cards: (left, right)}, "scores":
        {metric: (left, right)}}.

    Raises:
        RemogptError: if nothing is common, a name is unknown, or protocols differ; the message says where.
    """
    sides = _results(left), _results(right)
    pairs = _pairs(sides, left_name, right_name, (left, right))
    answer = {}
    for first, second in pairs:
        one, other = sides[0][first], sides[1][second]
        what = first if first == second else f"{first} | {second}"
        cards: tuple[Card, Card] = one["card"], other["card"]
        differing = check_comparable(*cards, force, f"results {what}")
        scores, others = dict(numbers(one["scores"])), dict(numbers(other["scores"]))
        answer[what] = {
            "differing": {name: tuple(card.get(name) for card in cards) for name in differing},
            "scores": {name: (scores[name], others[name]) for name in scores if name in others},
        }
    return answer


def numbers(scores: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, float]]:
    """Yield every single number of a result's scores by its path; a mean stands for its {"mean", "ci95"}."""
    for name, value in scores.items():
        if isinstance(value, dict):
            if "mean" in value:
                yield f"{prefix}{name}", float(value["mean"])
            else:
                yield from numbers(value, f"{prefix}{name}.")
        elif isinstance(value, int | float) and not isinstance(value, bool) and not name.endswith("ci95"):
            yield f"{prefix}{name}", float(value)


def to_markdown(compared: dict[str, dict[str, Any]]) -> str:
    """Return the comparison as Markdown tables."""
    lines: list[str] = []
    for name, result in compared.items():
        lines += [f"## {name}", ""]
        if result["differing"]:
            lines += ["**The protocols differ; the comparison was forced.**", ""]
            lines += ["| card | left | right |", "|---|---|---|"]
            lines += [
                f"| {entry} | {short(one)} | {short(other)} |" for entry, (one, other) in result["differing"].items()
            ]
            lines.append("")
        lines += ["| metric | left | right | difference |", "|---|---:|---:|---:|"]
        for metric, (one, other) in result["scores"].items():
            lines.append(f"| {metric} | {one:.4g} | {other:.4g} | {other - one:+.4g} |")
        lines.append("")
    return "\n".join(lines)


def _results(path: Path) -> dict[str, Any]:
    path = path / "results.json" if path.is_dir() else path
    results: dict[str, Any] = read_json(path, ReportFile)["results"]
    return results


def _pairs(
    sides: tuple[dict[str, Any], dict[str, Any]], left_name: str, right_name: str, paths: tuple[Path, Path]
) -> list[tuple[str, str]]:
    if left_name or right_name:
        names = left_name or right_name, right_name or left_name
        for results, name, path in zip(sides, names, paths, strict=True):
            if name not in results:
                raise RemogptError(f"{path} has no result {name!r}; it has {', '.join(results)}")
        return [names]
    common = [(name, name) for name in sides[0] if name in sides[1]]
    if not common:
        raise RemogptError(
            f"{paths[0]} and {paths[1]} have no result of one name ({', '.join(list(sides[0])[:3])} ... against "
            f"{', '.join(list(sides[1])[:3])} ...); name one of each with --left-result and --right-result"
        )
    return common
