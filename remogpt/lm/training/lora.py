"""LoRA through peft: low-rank updates of the attention's q and v, and the embeddings of the motion ids in full.

Source: Hu et al. 2021, arXiv 2106.09685. `trainable_token_indices` trains only the motion rows of the embedding matrix,
and of the output's where that is a matrix of its own; `modules_to_save` would copy whole matrices and untie them from
each other when merged.
"""

from typing import cast

from transformers import T5ForConditionalGeneration

from remogpt.lm.model import MotionLanguageModel
from remogpt.lm.transformers_t5 import is_tied, keep_own_output


def add_lora(model: MotionLanguageModel, rank: int) -> None:
    """Freeze the T5 and add trainable updates of the given rank, in place; until a step it answers as before."""
    from peft import LoraConfig, get_peft_model  # slow to import, and few trainings ask for it

    words = model.vocabulary
    motion_ids = list(range(words.motion_offset, words.size))
    keep_own_output(model.t5)
    # An output of its own is updated on its own: left out, it would get the input's rows before a single step.
    trained = ["shared"] if is_tied(model.t5) else ["shared", "lm_head"]
    config = LoraConfig(
        r=rank,
        lora_alpha=2 * rank,
        target_modules=["q", "v"],
        trainable_token_indices=dict.fromkeys(trained, motion_ids),
        task_type="SEQ_2_SEQ_LM",
    )
    model.t5 = cast(T5ForConditionalGeneration, get_peft_model(model.t5, config))


def merge_lora(model: MotionLanguageModel) -> None:
    """Write the updates into the T5's own weights and remove the LoRA layers, in place."""
    model.t5 = model.t5.merge_and_unload()  # type: ignore[operator]
