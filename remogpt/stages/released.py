"""Turn released weights into components: TMR, T2M-GPT, MotionGPT, and the evaluator of Guo et al.

Files are PyTorch's or safetensors, and are opened without running their code. Every name and every shape has
to fit. Statistics are a folder of the mean and std (.pt or .npy) that the weights were trained with. `expect` names a
file of answers that the source gave (`remogpt.stages.source_outputs`): where ours differ, nothing is written.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from torch import Tensor

from remogpt.eval.evaluators.guo_words import KIND as GUO
from remogpt.eval.evaluators.import_guo import load_released
from remogpt.lm.import_motiongpt import language_model_from_reference, read_text_tokenizer
from remogpt.retriever.import_tmr import from_reference, join_modules
from remogpt.retriever.training.new_retriever import new_tmr_retriever
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import check_output_folder
from remogpt.runtime.folders.envelope import read_envelope
from remogpt.runtime.folders.safe_torch_load import read_released, read_statistics, strip_prefix
from remogpt.runtime.folders.training_record import TrainingRecord, write_record
from remogpt.stages.source_outputs import compare_with_source, read_source_outputs
from remogpt.tokenizer_vqvae.import_t2mgpt import CODEBOOK, tokenizer_from_reference

_T2MGPT_PREFIXES = ("vqvae.",)
_MOTIONGPT_PREFIXES = ("vae.", "motion_vae.")
"""Prefixes of the tokenizer's weights in a checkpoint."""
_LM_PREFIX = "lm.language_model."


@dataclass(frozen=True)
class Imported:
    """A component made from released weights."""

    folder: Path
    """Folder of the component."""
    component: Any
    """The retriever, tokenizer, language model or evaluator."""
    left_aside: tuple[str, ...] = ()
    """Further networks of the checkpoint, not imported."""
    compared: tuple[str, ...] = ()
    """What was compared with the source's answers, one line each."""


def import_tmr_retriever(
    files: Sequence[str | Path],
    *,
    out: str | Path,
    statistics: str | Path,
    text_model: str = "distilbert-base-uncased",
    heads: int = 4,
    expect: str | Path | None = None,
) -> Imported:
    """Make a retriever from TMR's released weights.

    Args:
        files: text_encoder, motion_encoder and motion_decoder, or one checkpoint with all of them.
        out: folder of the retriever.
        statistics: folder of mean and std.
        text_model: text model whose token states TMR reads.
        heads: number of attention heads, which the weights do not tell.
        expect: file of the source's answers.
    """
    folder = check_output_folder(out)
    outputs = _expected(expect)
    found: dict[str, dict[str, Tensor]] = {}
    for path in map(Path, files):
        if path.stem in found:
            raise RemogptError(f"two of the files are named {path.stem}; give each module once")
        found[path.stem] = read_released(path)
    network, config = from_reference(join_modules(found), heads)
    retriever = new_tmr_retriever(config, text_model, *read_statistics(statistics), network)
    return _saved(retriever, folder, outputs)


def import_t2mgpt(
    file: str | Path, *, out: str | Path, statistics: str | Path, expect: str | Path | None = None
) -> Imported:
    """Make a tokenizer from T2M-GPT's released checkpoint.

    Args:
        file: the checkpoint.
        out: folder of the tokenizer.
        statistics: folder of the mean and std that it was trained with.
        expect: file of answers that its source gave, which the tokenizer must give too.
    """
    folder = check_output_folder(out)
    outputs = _expected(expect)
    state, others = strip_prefix(read_released(file), _T2MGPT_PREFIXES)
    return _saved(tokenizer_from_reference(state, *read_statistics(statistics)), folder, outputs, others)


def import_motiongpt(
    file: str | Path,
    *,
    out: str | Path,
    statistics: str | Path | None = None,
    text_tokenizer: str | Path = "google/flan-t5-base",
    part: Literal["tokenizer", "lm"] | None = None,
    expect: str | Path | None = None,
) -> dict[str, Imported]:
    """Make a tokenizer and a language model from MotionGPT's checkpoint; both are built before one is written.

    Args:
        file: the checkpoint.
        out: folder of `tokenizer/` and `lm/`, or of the one that `part` names.
        statistics: folder of the mean and std that the tokenizer was trained with.
        text_tokenizer: folder or hub name of MotionGPT's T5.
        part: which of them; default: both.
        expect: file of the source's answers, of each component that is imported.

    Returns:
        Imported components by kind: tokenizer, lm.
    """
    folder = check_output_folder(out)
    outputs = _expected(expect)
    has_tokenizer, has_lm = part != "lm", part != "tokenizer"
    if has_tokenizer and statistics is None:
        raise RemogptError(
            "the tokenizer needs --statistics, the folder of the mean and std that it was trained with; give it, or "
            "import the language model alone with --part lm"
        )
    # Read small files first, so that errors come before reading a checkpoint of a gigabyte.
    mean_and_std = read_statistics(statistics) if has_tokenizer and statistics is not None else None
    words = read_text_tokenizer(str(text_tokenizer)) if has_lm else None
    released = read_released(file, skip_objects=True)
    state, others = strip_prefix(released, _MOTIONGPT_PREFIXES)
    made: dict[str, Any] = {}
    if mean_and_std is not None:
        made["tokenizer"] = tokenizer_from_reference(state, *mean_and_std)
    if has_lm:
        num_codes = len(state[CODEBOOK]) if CODEBOOK in state else None
        weights, _ = strip_prefix(released, (_LM_PREFIX,))
        made["lm"] = language_model_from_reference(weights, words, num_codes)
        others = [name for name in others if name != "lm"]
    compared = {kind: _compared(one, outputs) for kind, one in made.items()}
    return {
        kind: _written(one, folder if part else folder / kind, others, compared[kind]) for kind, one in made.items()
    }


def import_guo(
    files: Sequence[str | Path],
    *,
    out: str | Path,
    variant: Literal["packed", "unpacked"] = "packed",
    trained_on: str = "HumanML3D",
    expect: str | Path | None = None,
) -> Imported:
    """Make an evaluator from the weights, statistics and word vectors of Guo et al.

    Args:
        files: the released files, or folders that hold them.
        out: folder of the evaluator.
        variant: the original, or MotionGPT's; can be changed when opening the evaluator.
        trained_on: name of its training set.
        expect: file of the source's answers.
    """
    folder = check_output_folder(out)
    outputs = _expected(expect)
    evaluator = load_released(files, variant)
    imported = _saved(evaluator, folder, outputs)
    write_record(folder, TrainingRecord(trained_on, part=read_envelope(folder, GUO)["hash"]))
    return imported


def _expected(path: str | Path | None) -> dict[str, Any] | None:
    return None if path is None else read_source_outputs(path)


def _saved(component: Any, folder: Path, outputs: dict[str, Any] | None, left_aside: Sequence[str] = ()) -> Imported:
    return _written(component, folder, left_aside, _compared(component, outputs))


def _compared(component: Any, outputs: dict[str, Any] | None) -> tuple[str, ...]:
    return () if outputs is None else tuple(compare_with_source(component, outputs))


def _written(component: Any, folder: Path, left_aside: Sequence[str], compared: tuple[str, ...]) -> Imported:
    component.save_pretrained(folder)
    return Imported(folder, component, tuple(left_aside), compared)
