"""Training: it learns, both stages follow each other, and an interrupted run ends like an unbroken one."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from remogpt.lm import DecodeOptions, MotionLanguageModel, Sampling, T5Size, requests_for
from remogpt.lm.training.samples import CodedClip, ExampleBank, SampleMix
from remogpt.lm.training.train import LanguageModelConfig, build_model, train_language_model
from remogpt.prompts import text_to_motion_prompt
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.training.loop import LoopConfig

LOOP = LoopConfig(steps=12, batch_size=8, learning_rate=3e-3, warmup_steps=3, log_every=4, save_every=4, cpu=True)
PRETRAIN = LanguageModelConfig(
    size=T5Size(32, 64, 1, 1, 2, 16, "gated-gelu", 0.1), vocabulary_size=320, num_codes=32, loop=LOOP
)


@pytest.mark.slow
def test_two_stages_learn(clips: list[CodedClip], bank: ExampleBank, tmp_path: Path) -> None:
    pretrain = replace(PRETRAIN, loop=replace(LOOP, steps=120), size=replace(PRETRAIN.size, width=64, dropout=0.0))
    first = train_language_model(pretrain, clips, tmp_path / "lm0", tmp_path / "run0")
    assert first.history[-1]["loss"] < 0.6 * first.history[0]["loss"]
    assert {"accuracy", "valid"} <= first.history[-1].keys()
    instruct = LanguageModelConfig(
        stage="instruct",
        start_from=str(tmp_path / "lm0"),
        mix=SampleMix(trimmed_codes=0.0, forms=(1, 0, 0), motion_share=0.8),
        loop=replace(LOOP, steps=150, evaluate_every=75),
        saved_as="float16",
    )
    second = train_language_model(
        instruct, clips, tmp_path / "lm", tmp_path / "run1", bank, validation=clips, validation_bank=bank
    )
    assert MotionLanguageModel.from_pretrained(tmp_path / "lm0").examples is None
    assert MotionLanguageModel.from_pretrained(tmp_path / "lm").examples == {
        "routes": ["t2m", "t2t", "m2t", "m2m"], "k": 1
    }  # fmt: skip
    assert second.best["val/loss"] < 0.5 * first.history[0]["loss"] and second.best["val/motion_valid"] > 0.9
    model = MotionLanguageModel.from_pretrained(tmp_path / "lm")
    prompts = [text_to_motion_prompt(clip.captions[0]) for clip in clips]
    written = model.generate_codes(requests_for(prompts), DecodeOptions(Sampling(temperature=0.0)))
    known = {tuple(codes.tolist()) for clip in clips for codes in clip.codes}
    assert len({tuple(codes.tolist()) for codes in written} & known) >= 3


@pytest.mark.parametrize(("way", "dies_in_pass"), [("plain", 9), ("lora, bf16, two rounds", 17)])
def test_resumed_run_is_the_unbroken_one(
    way: str, dies_in_pass: int, clips: list[CodedClip], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = PRETRAIN
    if way != "plain":
        loop = replace(LOOP, accumulation=2, mixed_precision="bf16", evaluate_every=4)
        config = replace(PRETRAIN, lora_rank=2, loop=loop, validation_clips=2)

    def train(name: str) -> str:
        train_language_model(config, clips, tmp_path / name, tmp_path / f"run_{name}", validation=clips)
        return MotionLanguageModel.from_pretrained(tmp_path / name).hash

    whole = train("whole")
    calls = iter(range(1000))

    class KilledError(Exception):
        pass

    forward = MotionLanguageModel.forward

    def dying(self, batches):
        if next(calls) == dies_in_pass:
            raise KilledError
        return forward(self, batches)

    monkeypatch.setattr(MotionLanguageModel, "forward", dying)
    with pytest.raises(KilledError):
        train("broken")
    monkeypatch.setattr(MotionLanguageModel, "forward", forward)
    torch.rand(7)
    assert torch.load(tmp_path / "run_broken" / "training.pt", weights_only=True)["step"] in (4, 8)
    assert train("broken") == whole


def test_lora_trains_few_weights_and_merges(clips: list[CodedClip], tmp_path: Path) -> None:
    train_language_model(PRETRAIN, clips, tmp_path / "lm0", tmp_path / "run0")
    config = LanguageModelConfig(
        stage="instruct", start_from=str(tmp_path / "lm0"), lora_rank=2, loop=replace(LOOP, steps=4)
    )
    train_language_model(config, clips, tmp_path / "lm", tmp_path / "run1")
    before, after = (MotionLanguageModel.from_pretrained(tmp_path / name).state_dict() for name in ("lm0", "lm"))
    assert before.keys() == after.keys()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert {name.split(".")[-2] for name in changed} == {"q", "v", "shared"}
    offset = MotionLanguageModel.from_pretrained(tmp_path / "lm").vocabulary.motion_offset
    rows = (before["t5.shared.weight"] != after["t5.shared.weight"]).any(1)
    assert not rows[:offset].any() and rows[offset:].any()


def test_instruct_needs_a_start() -> None:
    with pytest.raises(RemogptError, match="set start_from"):
        build_model(LanguageModelConfig(stage="instruct"), [])
