"""Read sentence vectors through sentence-transformers where `frozen_text_model` has no way of its own.

A transformer, mean or first-token pooling, and unit length are read in `frozen_text_model`, faster and to the last
digit alike. Anything else is the library's: other poolings, layers behind the pooling, a prompt before every
sentence, lower case, or fewer tokens than `MAX_TOKENS`.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import fingerprint, read_json, sha256_file

Pooling = Literal["mean", "first", "library"]
_PLAIN = (["Transformer", "Pooling"], ["Transformer", "Pooling", "Normalize"])


def library_folder(folder: Path) -> Path | None:
    """Return the folder of sentence-transformers that a transformer's folder is, or lies in; None if there is none."""
    for root in (folder, folder.parent):
        if (root / "modules.json").is_file() and folder in [root / module["path"] for module in _modules(root)]:
            return root
    return None


def pooling_of(folder: Path, max_tokens: int) -> Pooling:
    """Say how the model in a transformer's folder makes a sentence's vector of its token states.

    Args:
        folder: of the transformer.
        max_tokens: tokens of a sentence that are read; a model that reads fewer is left to the library.
    """
    root = library_folder(folder)
    if root is None:  # a plain transformers folder, perhaps with the pooling beside it
        return "first" if _pooling_modes(folder / "1_Pooling") == {"cls"} else "mean"
    modules = _modules(root)
    reading = _settings(folder / "sentence_bert_config.json")
    about = _settings(root / "config_sentence_transformers.json")
    if (
        [module["type"].rpartition(".")[2] for module in modules] not in _PLAIN
        or reading.get("do_lower_case")
        or (reading.get("max_seq_length") or max_tokens) < max_tokens
        or about.get("prompts", {}).get(about.get("default_prompt_name"))
    ):
        return "library"
    modes = _pooling_modes(root / modules[1]["path"])
    return "mean" if modes == {"mean"} else "first" if modes == {"cls"} else "library"


def vectors_sha256(folder: Path, weights: str) -> str:
    """Return what identifies the library's vectors: the transformer's weights (64 digits) and all that follows."""
    root = library_folder(folder)
    assert root is not None
    names = ("modules.json", "config_sentence_transformers.json", "sentence_bert_config.json")
    files = {root / name for name in names} | {folder / names[2]}
    for module in _modules(root)[1:]:
        files |= set((root / module["path"]).rglob("*"))
    parts = [(path.relative_to(root).as_posix(), sha256_file(path)) for path in sorted(files) if path.is_file()]
    return fingerprint([weights, *(part for pair in parts for part in pair)])


class LibraryModel:
    """Sentence vectors as sentence-transformers makes them.

    Args:
        folder: of the transformer.

    Raises:
        RemogptError: if the model runs code of its own, or keeps weights as pickles.
    """

    def __init__(self, folder: Path, device: Any) -> None:
        root = library_folder(folder)
        assert root is not None
        for module in _modules(root):
            if not module["type"].startswith("sentence_transformers."):
                raise RemogptError(
                    f"the text model in {root} brings code of its own ({module['type']}), which is never run; name "
                    "one that is made of sentence-transformers' own modules"
                )
            place = root / module["path"]
            if (place / "pytorch_model.bin").is_file() and not list(place.glob("model*.safetensors")):
                raise RemogptError(
                    f"{place} keeps its weights as a pickle, which is never loaded; save the model again with "
                    "sentence-transformers 3 or later, which writes safetensors"
                )
        from sentence_transformers import SentenceTransformer  # slow to import, and few models ask for it

        self._model = SentenceTransformer(
            str(root), device=str(device), local_files_only=True, model_kwargs={"use_safetensors": True}
        ).float()

    def vectors(self, sentences: Sequence[str], batch_size: int) -> np.ndarray:
        """N sentences -> (N, D) float32 unit rows."""
        encoded = self._model.encode(
            list(sentences), batch_size=batch_size, normalize_embeddings=True, show_progress_bar=False
        )
        return np.asarray(encoded, dtype=np.float32)


def _modules(root: Path) -> list[dict[str, Any]]:
    return list(read_json(root / "modules.json"))


def _settings(file: Path) -> dict[str, Any]:
    return dict(read_json(file)) if file.is_file() else {}


def _pooling_modes(folder: Path) -> set[str]:
    """Names of the poolings that are joined; older files have a switch for each, newer ones a name or several."""
    settings = _settings(folder / "config.json")
    if "pooling_mode" in settings:
        named = settings["pooling_mode"]
        return {named} if isinstance(named, str) else set(named)
    switches = {name.removeprefix("pooling_mode_") for name, is_on in settings.items() if is_on is True}
    return {{"cls_token": "cls", "mean_tokens": "mean"}.get(name, name) for name in switches - {"include_prompt"}}
