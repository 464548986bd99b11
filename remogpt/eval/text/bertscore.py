"""BERTScore of captions with a named model.

The value depends on the model, its layer and the rescaling, so the caller names the model and the number travels with
that name. Papers use roberta-large, idf weights and rescaling with a baseline that ships with bert-score.
"""

from collections.abc import Sequence
from pathlib import Path

from remogpt.eval.text.tokenize import Caption, raw_tokens
from remogpt.runtime.device import chosen_device
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

    Runs on the chosen device (`remogpt.runtime.device`).

    Args:
        model: hub name that bert-score knows, or a folder with a transformers model. A folder that is called as a known
            model (roberta-large) is read as that model.
        num_layers: layer to read; None for bert-score's choice, or the last one of an unknown model.
        rescale: subtract the language baseline, as the papers do; only for models that bert-score has one for.

    Raises:
        RemogptError: if the model cannot be loaded, or has no baseline.
    """
    from bert_score import BERTScorer  # slow to import, and few evaluations ask for it

    layers, baseline = check_bert_model(model, rescale=rescale)
    try:
        sentences = [_text(caption) for item in references for caption in item]
        scorer = BERTScorer(
            model_type=model,
            num_layers=num_layers or layers,
            lang="en",
            idf=idf,
            idf_sents=sentences if idf else None,
            rescale_with_baseline=rescale,
            baseline_path=baseline,
            batch_size=batch_size,
            device=str(chosen_device()),
        )
    except OSError as error:
        raise RemogptError(
            f"BERTScore cannot load the model {model!r} ({error}); give the folder of a local one."
        ) from error
    candidates = [_text(caption) for caption in hypotheses]
    _, _, f1 = scorer.score(candidates, [[_text(caption) for caption in item] for item in references])
    return float(f1.mean())


def check_bert_model(model: str, *, rescale: bool = False) -> tuple[int, str | None]:
    """Return the layer to read and the file of the baseline, before any work is done for a model that is not there.

    Raises:
        RemogptError: if the model cannot be had, or has no baseline and `rescale` wants one.
    """
    import bert_score
    from bert_score.utils import model2layers
    from transformers import AutoConfig

    known = model if model in model2layers else Path(model).name
    try:
        last = int(AutoConfig.from_pretrained(model).num_hidden_layers)
    except (OSError, ValueError) as error:
        raise RemogptError(
            f"BERTScore cannot load the model {model!r} ({error}); give the folder of a local one."
        ) from error
    baseline = Path(bert_score.__file__).parent / "rescale_baseline" / "en" / f"{known}.tsv"
    if rescale and not baseline.is_file():
        raise RemogptError(
            f"bert-score has no baseline for {model!r}, so that its scores cannot be rescaled; take roberta-large (a "
            "folder of it must bear that name), or leave the rescaling off"
        )
    return model2layers.get(known, last), str(baseline) if rescale else None


def _text(caption: Caption) -> str:
    return caption if isinstance(caption, str) else " ".join(raw_tokens(caption))
