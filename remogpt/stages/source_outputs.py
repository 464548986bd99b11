"""Compare an imported component with answers that its source gave: `remogpt import … --expect FILE`.

Weights that fit by name and shape may still be read otherwise than their author read them (statistics, number of heads,
an output tied away). FILE is a .npz of numeric arrays and texts that a user made with the source's own code. Cases are
numbered from 0, and a case needs only the answers to be compared:

| component | asked | answers |
|---|---|---|
| retriever | `text_0`, a caption | `text_embedding_0` (D,), of any length |
| retriever, evaluator | `motion_0`, raw features (T, F) | `motion_embedding_0` (D,) |
| evaluator | `text_0`, tokens with spaces between: "a/DET person/NOUN walk/VERB" | `text_embedding_0` (D,) |
| tokenizer | `motion_0` | `codes_0` (N,) |
| tokenizer | `codes_0` | `decoded_0` (4N, F), raw features |
| language model | `input_ids_0` (L,), `decoder_ids_0` (M,) | `logits_0` (M, vocabulary) |
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from remogpt.eval.evaluators.guo import GuoEvaluator
from remogpt.lm import MotionLanguageModel
from remogpt.motion.files.archives import open_npz
from remogpt.retriever.retriever import TextMotionRetriever
from remogpt.runtime.errors import MissingPathError, RemogptError
from remogpt.tokenizer_vqvae import MotionTokenizer

Array = np.ndarray
TOLERANCE = 1e-3
"""Largest difference allowed, as a share of the largest value of the answer: float32 on other machines."""
CODES_EQUAL = 0.99
"""Smallest share of equal codes: a vector midway between two codes may fall to either on another machine."""

_ASKED = {
    "text_embedding": ("text",),
    "motion_embedding": ("motion",),
    "codes": ("motion",),
    "decoded": ("codes",),
    "logits": ("input_ids", "decoder_ids"),
}
"""Answers, and what each is the answer to."""


def read_source_outputs(path: str | Path) -> dict[str, Array]:
    """Read a file of a source's answers.

    Raises:
        MissingPathError: if it is not there.
        RemogptError: if it is no .npz of plain arrays, holds an unknown name, or an answer whose question is missing.
    """
    path = Path(path)
    if not path.is_file():
        raise MissingPathError(f"--expect {path}: no such file; wanted a .npz of the source's answers")
    with open_npz(path) as archive:
        content = {name: archive.read(name) for name in archive.keys}
    known = {*_ASKED, *(name for names in _ASKED.values() for name in names)}
    for name in content:
        what, number = _split(name)
        if what not in known:
            wanted = ", ".join(f"{one}_0" for one in sorted(known))
            raise RemogptError(f"{path} holds {name!r}; wanted {wanted} and so on")
        for needed in _ASKED.get(what, ()):
            # Codes may be given alone, as the question that `decoded` answers.
            if f"{needed}_{number}" not in content and not (what == "codes" and f"decoded_{number}" in content):
                raise RemogptError(f"{path} holds the answer {name} without {needed}_{number}, which was asked")
    if not any(_split(name)[0] in _ASKED for name in content):
        raise RemogptError(f"{path} holds no answer to compare with; wanted {', '.join(_ASKED)}, numbered (codes_0)")
    return content


def compare_with_source(component: Any, outputs: Mapping[str, Array]) -> list[str]:
    """Compare a component's answers with its source's.

    Args:
        component: a retriever, tokenizer, language model or evaluator.
        outputs: from `read_source_outputs`; answers of other kinds of components are passed over.

    Returns:
        one line for each kind of answer: number of cases and largest difference.

    Raises:
        RemogptError: if an answer has another shape or is off by more than `TOLERANCE`; the message names the case.
    """
    answers = _answers(component)
    lines = []
    for what, answer in answers.items():
        differences = []
        for name in sorted(one for one in outputs if _split(one)[0] == what):
            number = _split(name)[1]
            if all(f"{needed}_{number}" in outputs for needed in _ASKED[what]):
                asked = [outputs[f"{needed}_{number}"] for needed in _ASKED[what]]
                differences.append(_difference(name, answer(*asked), outputs[name]))
        if differences:
            largest = max(differences)
            lines.append(f"{what}: {len(differences)} as the source gave them, largest difference {largest:.1e}")
    if not lines:
        kind = type(component).__name__
        raise RemogptError(f"the expected outputs hold none of a {kind}: {', '.join(answers)}, numbered")
    return lines


def _split(name: str) -> tuple[str, str]:
    found = re.fullmatch(r"(.*)_(\d+)", name)
    return (found[1], found[2]) if found else (name, "")


def _answers(component: Any) -> dict[str, Callable[..., Array]]:
    if isinstance(component, TextMotionRetriever):
        return {
            "text_embedding": lambda text: component.encode_text([str(text)])[0],
            "motion_embedding": lambda motion: component.encode_motion([motion])[0],
        }
    if isinstance(component, GuoEvaluator):
        return {
            "text_embedding": lambda text: component.encode_text([str(text).split()])[0],
            "motion_embedding": lambda motion: component.encode_motion([motion])[0],
        }
    if isinstance(component, MotionTokenizer):
        return {"codes": component.encode, "decoded": component.decode}
    if isinstance(component, MotionLanguageModel):
        return {"logits": lambda asked, written: _logits(component, asked, written)}
    raise TypeError(f"no answers of a {type(component).__name__}")


@torch.inference_mode()
def _logits(lm: MotionLanguageModel, input_ids: Array, decoder_ids: Array) -> Array:
    asked, written = (torch.as_tensor(ids.astype(np.int64))[None] for ids in (input_ids, decoder_ids))
    return lm.t5(input_ids=asked, decoder_input_ids=written).logits[0].numpy()


def _difference(name: str, came: Array, wanted: Array) -> float:
    """Return how far an answer is from the wanted one; codes are counted, embeddings compared by direction."""
    if came.shape != wanted.shape or not np.issubdtype(wanted.dtype, np.number) or not np.isfinite(wanted).all():
        raise RemogptError(
            f"{name} has shape {wanted.shape} of {wanted.dtype}, wanted finite numbers of shape {came.shape}; was it "
            "made with this component's source?"
        )
    if name.startswith("codes"):
        difference, allowed = float((came != wanted).mean()), 1 - CODES_EQUAL
    else:
        if "embedding" in name and abs(np.linalg.norm(came) - 1) < 1e-3:  # a retriever's rows have unit length
            wanted = wanted / max(float(np.linalg.norm(wanted)), 1e-12)
        difference, allowed = float(np.abs(came - wanted).max() / max(np.abs(wanted).max(), 1e-12)), TOLERANCE
    if difference > allowed:
        raise RemogptError(
            f"{name} is not what the source gave: off by {difference:.2g} of its largest value, allowed {allowed:.2g}; "
            "these weights are not read as their source reads them: check the statistics, the text model and --heads"
        )
    return difference
