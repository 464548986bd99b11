"""Import MotionGPT's released language model: the same T5, the same ids.

MotionGPT adds `<motion_id_0>` to `<motion_id_514>` behind the ids of flan-t5's text tokenizer, and so does
`Vocabulary.from_t5`: code k has one and the same id in both, as have motion start (512), end (513) and mask (514). The
weights are therefore taken as they are, row for row, under transformers' names (in a checkpoint behind
`lm.language_model.`); sizes are read off their shapes.

Such a model was trained on MotionGPT's prompts, one line without retrieved examples, so it is saved with `prompt_form`
"motiongpt" and gets prompts in those words (`remogpt.prompts.forms`, where small departures are named). It has never
seen our own prompts, with headings and examples; `remogpt train lm --start-from` teaches it.
"""

import re
from collections.abc import Mapping
from typing import Any

from torch import Tensor
from transformers import AutoTokenizer

from remogpt.lm.model import MotionLanguageModel
from remogpt.lm.t5_size import T5Size
from remogpt.lm.transformers_t5 import untie_output
from remogpt.lm.vocabulary import NUM_MOTION_MARKS, Vocabulary
from remogpt.runtime.errors import RemogptError

SHARED, OUTPUT = "shared.weight", "lm_head.weight"
_INPUTS = ("encoder.embed_tokens.weight", "decoder.embed_tokens.weight")
_QUERIES = "encoder.block.0.layer.0.SelfAttention.q.weight"
_BIAS = "encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight"
_FF = "encoder.block.0.layer.1.DenseReluDense."


def read_text_tokenizer(name_or_path: str) -> Any:
    """Load the text tokenizer of the T5 that a model was made from, without motion tokens.

    Raises:
        RemogptError: if it is neither a folder nor to be had, or holds motion tokens already.
    """
    try:
        tokenizer = AutoTokenizer.from_pretrained(name_or_path)
    except (OSError, ValueError) as error:
        raise RemogptError(
            f"no text tokenizer {name_or_path!r}: it is neither a folder nor in the local cache, and the hub gave no "
            f"answer ({str(error).strip().splitlines()[0]}); give the folder of the T5 that the weights were made "
            "from (flan-t5-base) with --text-tokenizer"
        ) from error
    if not getattr(tokenizer, "is_fast", False) or tokenizer.pad_token_id is None or tokenizer.eos_token_id is None:
        raise RemogptError(f"the text tokenizer {name_or_path} is not a T5's; give the folder of flan-t5-base")
    if "<motion_id_0>" in tokenizer.get_vocab():
        raise RemogptError(
            f"the text tokenizer {name_or_path} holds motion tokens already; give the plain one of flan-t5-base, to "
            "which they are added here"
        )
    return tokenizer


def language_model_from_reference(
    state: Mapping[str, Tensor], tokenizer: Any, num_codes: int | None = None
) -> MotionLanguageModel:
    """Build our language model with the weights of MotionGPT's.

    Args:
        state: a T5's, under transformers' names, embeddings of the motion tokens included.
        tokenizer: the text tokenizer of the T5 that it was made from (`read_text_tokenizer`).
        num_codes: K of the motion tokenizer that the weights belong to, if known.

    Raises:
        RemogptError: if names are missing or unknown, a shape is another one, the encoder and the decoder do not share
            their input embeddings, or the number of embeddings is not that of the tokenizer's and the motion's ids.

    Source: MotionGPT, arXiv 2306.14795, whose published base is flan-t5: its output embedding is a matrix of its own
        and its output is not scaled.
    """
    size = _read_size(state)
    vocabulary = Vocabulary.from_t5(tokenizer, _read_num_codes(state, len(tokenizer), num_codes))
    model = MotionLanguageModel.build(vocabulary, size, prompt_form="motiongpt")
    if not _is_tied(state):
        untie_output(model.t5)
    filled = dict.fromkeys((*_INPUTS, OUTPUT), state[SHARED]) | dict(state)
    _check_names(filled, model)
    for name in _INPUTS:
        if not filled[name].equal(state[SHARED]):
            raise RemogptError(
                f"{name} is not {SHARED}, but in a T5 the encoder, the decoder and their embeddings are tied; is this "
                "another network's checkpoint?"
            )
    model.t5.load_state_dict({name: tensor.float() for name, tensor in filled.items()})
    return model.eval()


def _read_num_codes(state: Mapping[str, Tensor], num_text_ids: int, num_codes: int | None) -> int:
    rows = len(state[SHARED])
    found = rows - num_text_ids - NUM_MOTION_MARKS
    if found < 1 or (num_codes is not None and found != num_codes):
        wanted = "" if num_codes is None else f" and {num_codes} codes, start, end and mask of the motions"
        raise RemogptError(
            f"the checkpoint has {rows} embeddings, but the text tokenizer has {num_text_ids} ids{wanted}; give the "
            "tokenizer of the T5 that the weights were made from (flan-t5-base: 32100) with --text-tokenizer"
        )
    return found


def _read_size(state: Mapping[str, Tensor]) -> T5Size:
    """Read the T5's shape off its weights. Dropout, which leaves no trace in them, is T5's own."""
    is_gated = f"{_FF}wi_0.weight" in state
    widths = (SHARED, _QUERIES, _BIAS, f"{_FF}wo.weight")
    missing = [name for name in widths if name not in state or state[name].ndim != 2 or not state[name].numel()]
    if missing:
        raise RemogptError(
            f"the checkpoint is not a T5: no {', '.join(missing)} among its {len(state)} tensors (first: "
            f"{sorted(state)[:3]}); wanted transformers' names, alone or behind 'lm.language_model.'"
        )
    heads = state[_BIAS].shape[1]
    return T5Size(
        width=state[SHARED].shape[1],
        ff=state[f"{_FF}wo.weight"].shape[1],
        layers=_count_layers(state, "encoder"),
        decoder_layers=_count_layers(state, "decoder"),
        heads=heads,
        head_dim=state[_QUERIES].shape[0] // heads,
        activation="gated-gelu" if is_gated else "relu",
        # The first T5 ties its output and scales it; T5 1.1 and flan-t5 have gates and do neither.
        scaled_output=not is_gated and _is_tied(state),
    )


def _count_layers(state: Mapping[str, Tensor], half: str) -> int:
    return len({found[0] for name in state if (found := re.match(rf"{half}\.block\.\d+\.", name))})


def _is_tied(state: Mapping[str, Tensor]) -> bool:
    return OUTPUT not in state or state[OUTPUT].equal(state[SHARED])


def _check_names(state: Mapping[str, Tensor], model: MotionLanguageModel) -> None:
    """Refuse a name too many or too few, and a shape that does not fit the others."""
    wanted = model.t5.state_dict()
    missing = [name for name in wanted if name not in state]
    unknown = [name for name in state if name not in wanted]
    if missing or unknown:
        raise RemogptError(
            f"the checkpoint is not a T5 of {model.size.layers} and {model.size.decoder_layers} layers: wanted "
            f"{len(wanted)} tensors, {len(missing)} are missing (first: {missing[:3]}), {len(unknown)} are unknown "
            f"(first: {unknown[:3]}); is it a whole checkpoint of a plain T5 (no adapters)?"
        )
    for name, tensor in wanted.items():
        if state[name].shape != tensor.shape:
            raise RemogptError(
                f"{name} has shape {tuple(state[name].shape)}, wanted {tuple(tensor.shape)} in a T5 {model.size.width} "
                f"wide with {model.size.heads} heads of {model.size.head_dim}; this is another network than a T5"
            )
