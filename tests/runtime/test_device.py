"""The device on which networks run: the one that was asked for, everywhere."""

from pathlib import Path
from typing import Any

import pytest
import torch

from remogpt.eval.evaluators.guo import GuoEvaluator
from remogpt.pipeline import ReMoGPT
from remogpt.runtime import device as devices
from remogpt.runtime.device import chosen_device, named_device, on_device, usable
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.training.loop import LoopConfig, trains_on_cpu
from remogpt.stages.evaluation import SentenceEncoder
from remogpt.stages.evaluators import open_evaluator
from remogpt.stages.inputs import open_retriever, open_tokenizer


def test_the_device_asked_for_is_chosen_while_the_block_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    assert named_device() is None
    with on_device("cpu"):
        assert chosen_device() == named_device() == torch.device("cpu")
        monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
        assert trains_on_cpu(LoopConfig()), "--device cpu holds for a training too"
    assert chosen_device().type == "cuda" and not trains_on_cpu(LoopConfig()) and trains_on_cpu(LoopConfig(cpu=True))
    monkeypatch.setattr(devices, "_named", [torch.device("cuda")])
    assert not trains_on_cpu(LoopConfig(cpu=True)), "--device cuda holds against the settings"


@pytest.mark.parametrize(
    ("name", "words"),
    [("gpu", "no device 'gpu'; give cpu, cuda"), ("meta", "PyTorch has no device 'meta' on this machine")],
)
def test_a_device_that_is_none_is_refused(name: str, words: str) -> None:
    with pytest.raises(RemogptError, match=words), on_device(name):
        pass


def test_a_gpu_that_is_not_there_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.version, "cuda", None)
    with pytest.raises(RemogptError, match=r"PyTorch \S+ is a build for the CPU and cannot use cuda; install"):
        usable("cuda")
    monkeypatch.setattr(torch.version, "cuda", "12.6")
    with pytest.raises(RemogptError, match="PyTorch finds no GPU for cuda:0"):
        usable("cuda:0")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert usable("cuda:1") == torch.device("cuda:1")
    with pytest.raises(RemogptError, match="no device cuda:2: this machine has 2 GPUs"):
        usable("cuda:2")


def test_everything_that_is_opened_runs_there(
    monkeypatch: pytest.MonkeyPatch, tiny_components: Any, tiny_model: Path, tiny_text_model: Path, guo_release: Path,
    tmp_path: Path,
) -> None:  # fmt: skip
    """The meta device stands for a GPU: it has no numbers, but networks can be there."""
    from remogpt import stages

    stages.import_guo([guo_release], out=tmp_path / "guo")
    monkeypatch.setattr(GuoEvaluator, "hash", "0" * 64)  # which takes numbers
    meta = torch.device("meta")
    monkeypatch.setattr(devices, "_named", [meta])
    model = ReMoGPT(tiny_model)
    model_parts = [model.retriever.network, model.tokenizer.vqvae]
    alone = [
        open_retriever(tiny_components.retriever).network, open_tokenizer(tiny_components.tokenizer, "x").vqvae,
        open_evaluator(tmp_path / "guo").evaluator, open_evaluator(tiny_components.retriever).retriever.network,
    ]  # fmt: skip
    for network in [*model_parts, *alone]:
        assert {parameter.device for parameter in network.parameters()} == {meta}, type(network).__name__
    assert model.device == model.lm.device == meta
    assert SentenceEncoder(str(tiny_text_model))._model._model.device == meta
    assert model.retriever.text._model.device == meta, "token states are computed where the retriever runs"


def test_the_option_is_read_by_commands_that_run_networks(run: Any, tiny_model: Path, tmp_path: Path) -> None:
    words = ("generate", "a person walks", "--seconds", 1, "--out", tmp_path / "m.npy", "--model", tiny_model)
    assert run(*words, "--device", "cpu").code == 0
    refused = run(*words, "--device=cuda")
    assert refused.code == 2 and "PyTorch" in refused.complaint and "\n" not in refused.complaint.strip()
    assert "--device wants a name" in run(*words, "--device").complaint
    assert "device" in run("convert", tmp_path / "m.npy", tmp_path / "m.bvh", "--device", "cpu").complaint
    assert named_device() is None
