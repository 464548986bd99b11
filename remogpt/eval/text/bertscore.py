"""BERTScore of captions with a named model.

The value depends on the model, its layer and the rescaling, so the caller names the model and the number travels with
that name. Papers use roberta-large, idf weights and rescaling with a baseline that ships with bert-score.
"""

from collections.abc import Sequence

from remogpt.eval.text.tokenize import Caption, raw_tokens
from remogpt.runtime.errors import RemogptError


def bert_score_f1(
    hypotheses: Sequence[Caption],
    references: Sequence[Sequence[Caption]],
    model: str,
    *,
    num_layers: int | None = None,
    rescale: bool = False,
    idf: bool = True,
    batch_size: int = 64,
) -> float:
    """Return the mean idf-weighted F1 over items, each with its best reference.

    Args:
        model: hub name that bert-score knows, or a folder with a transformers model.
        num_layers: layer to read; None for bert-score's choice, or the last one of an unknown model.
        rescale: subtract the language baseline; only for models that bert-score has one for.

    Raises:
        RemogptError: if the model cannot be loaded.
    """
    from bert_score import BERTScorer  # slow to import, and few evaluations ask for it
    from bert_score.utils import model2layers
    from transformers import AutoConfig

    try:
        if num_layers is None and model not in model2layers:
            num_layers = int(AutoConfig.from_pretrained(model).num_hidden_layers)
        sentences = [_text(caption) for item in references for caption in item]
        scorer = BERTScorer(
            model_type=model,
            num_layers=num_layers,
            lang="en",
            idf=idf,
            idf_sents=sentences if idf else None,
            rescale_with_baseline=rescale,
            batch_size=batch_size,
            device="cpu",
        )
    except OSError as error:
        raise RemogptError(
            f"BERTScore cannot load the model {model!r} ({error}); give the folder of a local one."
        ) from error
    candidates = [_text(caption) for caption in hypotheses]
    _, _, f1 = scorer.score(candidates, [[_text(caption) for caption in item] for item in references])
    return float(f1.mean())


def _text(caption: Caption) -> str:
    return caption if isinstance(caption, str) else " ".join(raw_tokens(caption))
