"""Look for what a recipe will need from elsewhere: published models, evaluator files, packages, disk."""

import importlib.util
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from remogpt.eval.evaluators.import_guo import find_released
from remogpt.retriever.text.frozen_text_model import PACKAGED
from remogpt.runtime.errors import MissingPathError, RemogptError
from remogpt.stages.evaluators import evaluator_folder

MODEL_FIELDS = ("text_model", "vision_model", "filter_model", "hub")
"""Settings that name a published model: a folder, an installed package, or a name on the hub."""
SPACY_MODEL = "en_core_web_sm"


@dataclass(frozen=True)
class Need:
    """Something that is used and does not come with this package."""

    what: str
    used_by: str
    found: str
    """Where it is; empty if it is missing."""
    remedy: str
    """How to get it."""


def find_needs(
    configs: Sequence[Sequence[str | Path]], *, evaluator: Sequence[str | Path] | None = None, bertscore: str = "",
    lemmas: bool = False, sentence_model: str = "", out: str | Path | None = None, gigabytes: float = 0.0,
) -> list[Need]:  # fmt: skip
    """Look for everything that a recipe needs; nothing is downloaded or loaded.

    Args:
        configs: settings files of the stages, for each the files that are laid over each other.
        evaluator: folder of an evaluator, or the files that Guo et al. released; None: not used.
        bertscore: model of BERTScore. sentence_model: of rareness and of retrieval's threshold protocol.
        lemmas: whether captions are lemmatised or tagged.
        out: folder of the results. gigabytes: what they take.

    Raises:
        MissingPathError, RemogptError: if a settings file is missing or is no YAML of settings.
    """
    named, is_rescaled = dict[str, str](), False
    for stack in configs:
        settings: dict[str, object] = {}
        for path in stack:
            settings |= _settings(Path(path))
        is_rescaled |= bool(settings.get("bertscore_rescaled"))
        for field in MODEL_FIELDS:
            if settings.get(field) and (field != "filter_model" or settings.get("filter_threshold", True) is not None):
                named.setdefault(str(settings[field]), f"{Path(stack[0]).stem} ({field})")
    named |= {name: use for name, use in ((sentence_model, "evaluation"), (bertscore, "BERTScore")) if name}
    found = [_model(name, use) for name, use in named.items()]
    if bertscore and is_rescaled:
        found.append(_baseline(bertscore))
    if evaluator is not None:
        found.append(_evaluator(evaluator))
    if lemmas:
        found += _lemmas()
    return found + ([_disk(Path(out), gigabytes)] if out is not None and gigabytes else [])


def _settings(path: Path) -> dict[str, object]:
    if not path.is_file():
        raise MissingPathError(f"no settings file {path}")
    try:
        read = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise RemogptError(f"{path} is no YAML file of settings ({str(error).splitlines()[0]})") from error
    return read if isinstance(read, dict) else {}


def _model(name: str, used_by: str) -> Need:
    remedy = f"hf download {name}, or name a local folder of it in the settings"
    if name in PACKAGED:
        spec = importlib.util.find_spec(PACKAGED[name])
        return Need(f"model {name}", used_by, "installed" if spec else "", f"pip install {name}")
    if Path(name).is_dir():
        there = (Path(name) / "config.json").is_file()
        return Need(f"model {name}", used_by, name if there else "", "a folder with config.json and safetensors")
    return Need(f"model {name}", used_by, _in_cache(name), remedy)


def _baseline(model: str) -> Need:
    """Look for what BERTScore is rescaled with; it ships with bert-score, for models that it knows by name."""
    spec = importlib.util.find_spec("bert_score")
    files = [] if spec is None or spec.origin is None else [
        Path(spec.origin).parent / "rescale_baseline" / "en" / f"{name}.tsv" for name in (model, Path(model).name)
    ]  # fmt: skip
    there = next((str(file) for file in files if file.is_file()), "")
    remedy = "take roberta-large (a folder of it must bear that name), or set bertscore_rescaled: false"
    return Need(f"a baseline of {model}", "BERTScore, rescaled", there, remedy)


def _in_cache(name: str) -> str:
    """Return where the hub's local cache holds a model, empty where it does not."""
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        found = try_to_load_from_cache(name, "config.json")
    except HFValidationError:
        return ""
    return str(Path(found).parent) if isinstance(found, str) else ""


def _evaluator(given: Sequence[str | Path]) -> Need:
    what, used_by = "Guo et al.'s evaluator", "generation, captions, rare prompts"
    remedy = (
        "text_mot_match/model/finest.tar and Comp_v6_KLD01/meta of the checkpoints of EricGuo5513/text-to-motion, and "
        "its glove/our_vab_* files; name their folders, or a folder that 'remogpt import guo' made"
    )
    try:
        if len(given) == 1:
            return Need(what, used_by, str(evaluator_folder(given[0])[0]), remedy)
    except RemogptError:
        pass
    try:
        return Need(what, used_by, ", ".join(str(path) for path in find_released(given).values()), remedy)
    except RemogptError as error:
        return Need(f"{what} ({error})", used_by, "", remedy)


def _lemmas() -> Iterator[Need]:
    use = "captions without lemma/POS tokens"
    for name, remedy in (
        ("spacy", "pip install 'remogpt[spacy]'"),
        (SPACY_MODEL, f"python -m spacy download {SPACY_MODEL}"),
    ):
        yield Need(f"package {name}", use, "installed" if importlib.util.find_spec(name) else "", remedy)


def _disk(out: Path, gigabytes: float) -> Need:
    above = next(parent for parent in (out.absolute(), *out.absolute().parents) if parent.exists())
    free = shutil.disk_usage(above).free / 1e9
    found = f"{free:.0f} GB free" if free >= gigabytes else ""
    return Need(
        f"{gigabytes:.0f} GB in {out}", "all stages", found, f"{free:.0f} GB are free there; name another folder"
    )
