"""One run of the retrieval study: a set, a variant and a seed, trained, scored and written to a folder of its own.

    <work>/runs/<set>/<variant>/seed<N>-<digest>/result.json
                                                 run/log.jsonl, and run/training.pt while it lasts

The digest stands for the settings, so that runs of other settings lie side by side. A run that was killed goes on from
its last checkpoint when it is started again, and a finished one is not run again. Two processes never work on one run:
whoever comes second leaves it alone.
"""

import fcntl
import os
import platform
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from remogpt.eval.cards import sha256_of
from remogpt.retriever.retriever import TextMotionRetriever
from remogpt.retriever.text.frozen_text_model import FrozenText
from remogpt.retriever.training.pl_tmr import RetrieverConfig, train_retriever
from remogpt.retriever.training.tmr import TMRTrainingConfig, train_tmr
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import read_json, write_json
from studies.retrieval.scores import evaluate
from studies.retrieval.sets import SEED, VERSION, StudySet, prepare
from studies.retrieval.texts import prepare_texts, tested_texts
from studies.retrieval.variants import MAX_PARAMETERS, PATCH, TEXT_MODEL, VARIANTS, settings_of, training_config


@dataclass(frozen=True)
class Study:
    """What all runs of a study share."""

    work: Path
    """Where sets and runs are kept."""
    data: Path | None = None
    """Folder of the packed recordings; only sets made from them need it."""
    num_clips: int = 3200
    """Of the procedural set."""
    text_model: str = TEXT_MODEL
    """Frozen; its token states are computed once a set."""
    changes: Mapping[str, Any] = field(default_factory=dict)
    """Of every variant's settings."""


@dataclass(frozen=True)
class Run:
    """One training."""

    set: str
    variant: str
    seed: int

    def settings(self, study: Study) -> dict[str, Any]:
        """Everything that is set; see `settings_of`."""
        return settings_of(VARIANTS[self.variant], self.seed, study.text_model, study.changes)

    def folder(self, study: Study) -> Path:
        """Where it is kept."""
        size = [VERSION, study.num_clips, SEED] if self.set == "procedural" else [VERSION]
        digest = sha256_of([VARIANTS[self.variant].network, self.settings(study), size, PATCH])[:8]
        return study.work / "runs" / self.set / self.variant / f"seed{self.seed}-{digest}"

    def result(self, study: Study) -> dict[str, Any] | None:
        """Return what it found, None where it has not ended."""
        path = self.folder(study) / "result.json"
        return read_json(path) if path.is_file() else None


def prepare_runs(runs: Sequence[Run], study: Study) -> None:
    """Make what several runs share and none should make for itself: sets and token states."""
    for name in dict.fromkeys(run.set for run in runs):
        own = [run for run in runs if run.set == name]
        configs = [training_config(VARIANTS[run.variant], run.settings(study)) for run in own]
        prepare_texts(prepare(name, study.work, study.data, study.num_clips), configs, study.text_model)


def carry_out(run: Run, study: Study) -> dict[str, Any] | None:
    """Train and score, or return the result that is there; None where another process is at it."""
    torch.set_num_threads(1)
    folder = run.folder(study)
    with _claim(folder) as is_ours:
        if not is_ours:
            return None
        result = run.result(study)
        if result is None:
            result = _train_and_score(run, study, folder)
            write_json(folder / "result.json", result)
            for name in ("training.pt", "best.safetensors"):
                (folder / "run" / name).unlink(missing_ok=True)
    return result


@contextmanager
def _claim(folder: Path) -> Iterator[bool]:
    """Hold a run's lock; the system lets go of it when the process ends, however that comes."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


def _train_and_score(run: Run, study: Study, folder: Path) -> dict[str, Any]:
    settings = run.settings(study)
    config = training_config(VARIANTS[run.variant], settings)
    # TMR knows no patches: frames are laid side by side before it, so that both networks read tokens of as many frames.
    patch = PATCH if isinstance(config, TMRTrainingConfig) else 1
    clips = StudySet(prepare(run.set, study.work, study.data, study.num_clips).folder, patch)
    was_begun = (folder / "run" / "training.pt").is_file()
    start = time.perf_counter(), time.process_time()
    retriever = _trained(config, clips, folder)
    trained = time.perf_counter(), time.process_time()
    parameters = count_parameters(retriever)
    if parameters > MAX_PARAMETERS:
        raise RemogptError(f"{run.variant} trains {parameters:,} parameters, wanted at most {MAX_PARAMETERS:,}")
    assert isinstance(retriever.text, FrozenText)
    retriever.text = tested_texts(clips, retriever.caption_form, retriever.text)
    scores = evaluate(retriever, clips)
    return {
        "set": run.set,
        "variant": run.variant,
        "seed": run.seed,
        "parameters": parameters,
        "settings": settings,
        "training_clips": len(clips.numbers("train", None)),
        "seconds": {
            "training_cpu": round(trained[1] - start[1], 1),
            "training": round(trained[0] - start[0], 1),
            "scoring_cpu": round(time.process_time() - trained[1], 1),
            "is_whole": not was_begun,  # a run that was killed and went on knows its last part's time alone
        },
        "machine": {"cpu": platform.machine(), "torch": torch.__version__, "load": round(os.getloadavg()[0], 1)},
        "scores": scores,
    }


def _trained(config: TMRTrainingConfig | RetrieverConfig, clips: StudySet, folder: Path) -> TextMotionRetriever:
    train, val = (clips.pairs(split, is_grouped=config.same_tag is not None) for split in ("train", "val"))
    if isinstance(config, TMRTrainingConfig):
        return train_tmr(config, train, val, folder / "run", folder / "retriever")
    return train_retriever(config, train, val, folder / "run", folder / "retriever")


def count_parameters(retriever: TextMotionRetriever) -> int:
    """Count the numbers that training moved."""
    return sum(parameter.numel() for parameter in retriever.network.parameters() if parameter.requires_grad)
