"""Captions that somebody else generated, read from a JSON file.

Either `{"<clip id>": "caption", ...}`, or a list of objects with `id`, `caption` and, where no set holds them,
`references` (one or more captions).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from remogpt.data.humanml3d import Clip
from remogpt.eval.captioning import caption_metrics, three_references
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import read_json


@dataclass(frozen=True)
class GivenCaption:
    """A caption from a file."""

    id: str
    """Id of the clip."""
    caption: str
    """May be empty, and then scores 0."""
    references: tuple[str, ...] = ()
    """Reference captions, where the file brings its own."""


def read_captions(path: Path, left_out: dict[str, str]) -> list[GivenCaption]:
    """Read a file of captions.

    Args:
        path: the file.
        left_out: gets the reason of each item that cannot be used, by its place.

    Raises:
        MissingPathError: if there is no such file.
        RemogptError: if it is not such a JSON, or none of its items can be used.
    """
    found = read_json(path)
    rows = [{"id": key, "caption": value} for key, value in found.items()] if isinstance(found, dict) else found
    if not isinstance(rows, list) or not rows:
        raise RemogptError(f"{path} should hold {{id: caption}} or a list of {{id, caption, references}}; it is empty")
    given: dict[str, GivenCaption] = {}
    for index, row in enumerate(rows):
        try:
            one = _given(row, index, path)
            if one.id in given:
                raise RemogptError(f"item {index} of {path} is a second caption for {one.id!r}; keep one")
            given[one.id] = one
        except RemogptError as error:
            left_out[f"{path}, item {index}"] = str(error)
    if not given:
        raise RemogptError(left_out[f"{path}, item 0"])
    return list(given.values())


def _given(row: Any, index: int, path: Path) -> GivenCaption:
    row = row if isinstance(row, dict) else {"caption": None}
    caption, references = row.get("caption"), row.get("references", [])
    if not isinstance(caption, str) or not isinstance(references, list) or not all(map(_is_text, references)):
        raise RemogptError(
            f"item {index} of {path} should have id, caption (text) and, where no set is given, references (a list of "
            f"texts); came {str(row)[:80]!r}"
        )
    return GivenCaption(str(row.get("id", index)), caption, tuple(references))


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def for_clips(given: Sequence[GivenCaption], clips: Sequence[Clip], path: Path) -> list[tuple[Clip, str]]:
    """Pair the clips of a split with their captions; clips without one are left out.

    Raises:
        RemogptError: if no clip has a caption.
    """
    captions = {one.id: one.caption for one in given}
    pairs = [(clip, captions[clip.id]) for clip in clips if clip.id in captions]
    if not pairs:
        raise RemogptError(
            f"{path} has captions of {len(given)} ids (first {given[0].id!r}), none of them a clip of this split "
            f"(first {clips[0].id!r}); give captions of its clips, or a list with references of its own and no --data"
        )
    return pairs


def score_alone(
    given: Sequence[GivenCaption], protocols: Sequence[str], bertscore: str = "", rescaled: bool = False
) -> dict[str, Any]:
    """Score captions whose references stand in the file itself.

    Raises:
        RemogptError: naming the first one without references.
    """
    lacking = next((one.id for one in given if not one.references), None)
    if lacking is not None:
        raise RemogptError(f"the caption of {lacking!r} has no references; add them, or give the set with --data")
    return score_texts(
        [one.caption for one in given], [three_references(one.references) for one in given], protocols, bertscore,
        rescaled,
    )  # fmt: skip


def score_texts(
    hypotheses: Sequence[Any], references: Sequence[Sequence[Any]], protocols: Sequence[str], bertscore: str = "",
    rescaled: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """Score captions in several protocols.

    Returns:
        protocol -> `caption_metrics`; `bertscore` {"model", "rescaled", "f1"} where a model is named.
    """
    scores: dict[str, Any] = {name: caption_metrics(hypotheses, references, name) for name in protocols}
    if bertscore:
        from remogpt.eval.text.bertscore import bert_score_f1

        f1 = bert_score_f1(hypotheses, references, bertscore, rescale=rescaled)
        scores["bertscore"] = {"model": bertscore, "rescaled": rescaled, "f1": f1}
    return scores
