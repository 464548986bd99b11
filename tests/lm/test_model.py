"""The model: stored once, loaded strictly, and its loss."""

from pathlib import Path

import pytest
import torch

from remogpt.lm import MotionLanguageModel, T5Size, Vocabulary
from remogpt.lm.batch import IGNORED, MOTION, TEXT, Sample, collate, collate_by_length
from remogpt.runtime.errors import MissingPathError, RemogptError


def samples(vocabulary: Vocabulary) -> list[Sample]:
    words = [*vocabulary.encode_text("a person walks"), 1]
    motion = [*vocabulary.encode_codes([3, 4, 5, 6]), 1]
    return [Sample(words, motion, MOTION), Sample(motion, words, TEXT), Sample(words * 2, motion[:4], MOTION)]


def test_save_and_load(model: MotionLanguageModel, tmp_path: Path) -> None:
    saved_hash = model.save_pretrained(tmp_path)
    again = MotionLanguageModel.from_pretrained(tmp_path)
    assert again.hash == saved_hash == model.hash and again.size == model.size
    batch = [collate(samples(model.vocabulary), 0)]
    assert torch.equal(again(batch).total, model(batch).total)
    assert again.t5.lm_head.weight is again.t5.shared.weight
    half = tmp_path / "half"
    model.save_pretrained(half, dtype=torch.float16)
    assert (half / "model.safetensors").stat().st_size < 0.6 * (tmp_path / "model.safetensors").stat().st_size


def test_untied_output_is_kept(vocabulary: Vocabulary, tmp_path: Path) -> None:
    model = MotionLanguageModel.build(vocabulary, T5Size(16, 32, 1, 1, 2, 8, "relu", 0.0, scaled_output=False)).eval()
    assert model.output_scale == 1.0
    model.t5.lm_head.weight = torch.nn.Parameter(torch.randn(vocabulary.size, 16))
    model.save_pretrained(tmp_path)
    again = MotionLanguageModel.from_pretrained(tmp_path)
    assert torch.equal(again.t5.lm_head.weight, model.t5.lm_head.weight)
    assert not torch.equal(again.t5.lm_head.weight, again.t5.shared.weight) and again.output_scale == 1.0


def test_refused_folders(model: MotionLanguageModel, vocabulary: Vocabulary, tmp_path: Path) -> None:
    with pytest.raises(MissingPathError, match="no lm in"):
        MotionLanguageModel.from_pretrained(tmp_path)
    model.save_pretrained(tmp_path)
    Vocabulary.train(["other words"] * 3, num_codes=32, size=300).save(tmp_path)
    with pytest.raises(RemogptError, match="does not belong"):
        MotionLanguageModel.from_pretrained(tmp_path)
    with pytest.raises(RemogptError, match="no T5 "):
        MotionLanguageModel.from_hub(str(tmp_path / "nothing"))


def test_padding_and_grouping_change_nothing(model: MotionLanguageModel) -> None:
    drawn = samples(model.vocabulary)
    batch = collate(drawn, 0)
    assert batch.labels[2, 4:].tolist() == [IGNORED] * 3 and batch.decoder_ids[:, 0].tolist() == [0, 0, 0]
    whole = model([batch])
    alone = model(collate_by_length(drawn, 0, num_groups=3))
    assert whole.num_ids == alone.num_ids == sum(len(sample.target_ids) for sample in drawn)
    assert torch.allclose(whole.total, alone.total, rtol=1e-5)
    theirs = model.t5(input_ids=batch.input_ids, attention_mask=batch.input_mask, labels=batch.labels).loss
    assert torch.allclose(whole.total / whole.num_ids, theirs, rtol=1e-5)


def test_valid_counts_the_right_kind(model: MotionLanguageModel) -> None:
    words = model.vocabulary
    with torch.no_grad():
        # Every hidden state is pushed towards one code: right for a motion, wrong for text.
        model.t5.decoder.final_layer_norm.weight.zero_()
        model.t5.shared.weight.zero_()
    model.t5.lm_head.register_forward_hook(
        lambda _m, _i, out: out.index_fill(1, torch.tensor([words.motion_offset]), 9.0)
    )
    loss = model([collate(samples(words)[:2], 0)])
    assert loss.num_checked == loss.num_ids and loss.num_valid == len(samples(words)[0].target_ids)
    assert loss.rates()["valid"] == loss.num_valid / loss.num_checked
