"""Two evaluations side by side, refused where they were made by different protocols."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from remogpt.eval.protocols import check_comparable
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import read_json

LISTS = ("items", "rarest", "rareness", "recall_curve")
"""Entries of scores that are no single numbers."""


def compare(
    left: Path, right: Path, *, left_name: str = "", right_name: str = "", force: bool = False
) -> dict[str, dict[str, Any]]:
    """Compare results of two folders (or `results.json` files).

    Args:
        left_name, right_name: of one result on each side; without them every name that both have is compared.
        force: compare even where the protocols differ.

    Returns:
        name (or "left | right" where they differ) -> {"differing": entries of the cards, "scores": {metric: (left,
        right)}}.

    Raises:
        RemogptError: if nothing is common, a name is unknown, or protocols differ; the message shows both cards.
    """
    sides = _results(left), _results(right)
    pairs = _pairs(sides, left_name, right_name, (left, right))
    answer = {}
    for first, second in pairs:
        one, other = sides[0][first], sides[1][second]
        differing = check_comparable(one["card"], other["card"], force)
        scores, others = dict(numbers(one["scores"])), dict(numbers(other["scores"]))
        common = {name: (scores[name], others[name]) for name in scores if name in others}
        answer[first if first == second else f"{first} | {second}"] = {"differing": differing, "scores": common}
    return answer


def numbers(scores: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, float]]:
    """Yield every single number of a result's scores by its path; a mean stands for its {"mean", "ci95"}."""
    for name, value in scores.items():
        if name in LISTS:
            continue
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
            lines += [f"**Protocols differ in {', '.join(result['differing'])}; the comparison was forced.**", ""]
        lines += ["| metric | left | right | difference |", "|---|---:|---:|---:|"]
        for metric, (one, other) in result["scores"].items():
            lines.append(f"| {metric} | {one:.4g} | {other:.4g} | {other - one:+.4g} |")
        lines.append("")
    return "\n".join(lines)


def _results(path: Path) -> dict[str, Any]:
    path = path / "results.json" if path.is_dir() else path
    report = read_json(path)
    if not isinstance(report, dict) or not isinstance(report.get("results"), dict):
        raise RemogptError(f"{path} is not the results.json of an evaluation; give a folder written by 'remogpt eval'")
    return dict(report["results"])


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
            f"{', '.join(list(sides[1])[:3])} ...); name one of each with --left and --right"
        )
    return common
