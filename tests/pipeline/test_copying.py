"""Examples that answer are followed, others change nothing."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from remogpt.lm.copying.copy_head import CopyHead
from remogpt.motion import Motion
from remogpt.options import GenerationOptions
from remogpt.pipeline import ReMoGPT, captioning
from remogpt.pipeline.examples import TextSearch
from remogpt.retriever import RetrievedExample
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import read_json

ALONE = GenerationOptions(examples="none")


def followed(strength: float) -> GenerationOptions:
    return GenerationOptions(strength=strength, temperature=0.0)


@pytest.fixture(scope="module")
def copying(tiny_components: Any, tmp_path_factory: pytest.TempPathFactory) -> ReMoGPT:
    """The tiny model with a copy head that takes every example whose cosines are above one half for an answer."""

    from remogpt.runtime.folders.model_folder import assemble
    from remogpt.tokenizer_vqvae import MotionTokenizer

    folder = tmp_path_factory.mktemp("copying")
    tokenizer = MotionTokenizer.from_pretrained(tiny_components.tokenizer)
    head = CopyHead(tokenizer.code_vectors)
    with torch.no_grad():
        for match in (head.text_match, head.motion_match):
            for layer, weight in ((match.layers[0], 4.0), (match.layers[2], 1.0)):
                layer.weight.fill_(weight)
                layer.bias.zero_()
    components = {
        "tokenizer": tiny_components.tokenizer,
        "retriever": tiny_components.retriever,
        "lm": tiny_components.lm,
    }
    head.config = {kind: read_json(components[kind] / "config.json")["hash"] for kind in ("tokenizer", "retriever")}
    head.save_pretrained(folder / "copy")
    assemble(folder / "model", {**components, "copy": folder / "copy"}, tiny_components.database, "tiny", "MIT")
    return ReMoGPT.from_pretrained(folder / "model", device="cpu")


def examples_of(model: ReMoGPT, closeness: float, text: str = "a person walks") -> tuple[RetrievedExample, ...]:
    """What the model retrieves, as close as is said."""
    return tuple(replace(one, to_motion=closeness, to_caption=closeness) for one in model.examples_for_texts([text])[0])


def test_an_example_says_how_close_it_is_both_ways(model: ReMoGPT) -> None:
    text = "a person walks"
    first, second = model.examples_for_texts([text])[0]
    assert first.to_motion == pytest.approx(first.score, abs=1e-6) and first.route == "t2m"
    assert second.to_caption == pytest.approx(second.score, abs=1e-6) and second.route == "t2t"
    own = model.retriever.encode_text([text])[0] @ model.retriever.encode_text([first.caption])[0]
    assert first.to_caption == pytest.approx(float(own), abs=1e-4)


def test_a_model_copies_from_examples_that_answer(copying: ReMoGPT, monkeypatch: pytest.MonkeyPatch) -> None:
    found = examples_of(copying, 0.95)[:1]
    monkeypatch.setattr(TextSearch, "examples", found)
    length = len(found[0].codes) / 5
    (copied,) = copying.generate("a person walks", seconds=length, seed=0, options=followed(50.0))
    (plain,) = copying.generate("a person walks", seconds=length, seed=0, options=followed(0.0))
    near = [np.mean(answer.codes == found[0].codes[: len(answer.codes)]) for answer in (copied, plain)]
    assert near[0] > 0.5 > near[1], near


def test_examples_that_do_not_answer_change_nothing(copying: ReMoGPT, monkeypatch: pytest.MonkeyPatch) -> None:
    found = examples_of(copying, -1.0)
    monkeypatch.setattr(TextSearch, "examples", found)
    (answer,) = copying.generate("a person walks", seconds=3, seed=0, options=followed(2.0))
    (alone,) = copying.generate("a person walks", seconds=3, seed=0, options=replace(ALONE, temperature=0.0))
    assert np.array_equal(answer.codes, alone.codes) and answer.prompt == alone.prompt
    assert answer.examples == found  # what was found is told all the same, as not used
    (shown,) = copying.generate("a person walks", seconds=3, seed=0, options=GenerationOptions(examples="show"))
    assert all(example.caption in shown.prompt.text() for example in found)


def test_captions_read_the_examples_that_answer(copying: ReMoGPT, motion: Motion, monkeypatch: Any) -> None:
    (real,) = copying.examples_for_motions([motion.features])
    for closeness, strength, number in ((-1.0, None, 0), (0.95, None, 2), (-1.0, 0.0, 2)):
        found = tuple(replace(one, to_motion=closeness, to_caption=closeness) for one in real)
        monkeypatch.setattr(
            captioning, "examples_for_motions", lambda rows, *_, found=found, **how: [found] * len(rows)
        )
        answer = copying.caption(motion, options=GenerationOptions(strength=strength))
        assert sum(example.caption in answer.prompts[0].text() for example in found) == number
        assert sum(example.used for example in answer.examples) == number


def test_a_strength_below_zero_is_refused() -> None:
    with pytest.raises(RemogptError, match="strength must be 0 or more, got -1"):
        GenerationOptions(strength=-1.0)


def test_one_candidate_alone_may_follow_more_than_several(copying: ReMoGPT, monkeypatch: pytest.MonkeyPatch) -> None:
    own = {"copy_strength": 0.0, "copy_strength_alone": 40.0}
    monkeypatch.setitem(copying.manifest, "generation", own)
    assert copying.generation["strength"] == 0.0 and "copy_strength_alone" not in copying.generation

    def codes(**options: Any) -> list[int]:
        (made,) = copying.generate("a person walks", seed=0, options=GenerationOptions(temperature=0.0, **options))
        return list(made.codes)

    assert codes() == codes(strength=40.0) != codes(strength=0.0)
    assert codes(best_of=2) == codes(best_of=2, strength=0.0)


def test_long_motions_copy_in_every_segment(copying: ReMoGPT) -> None:
    (answer,) = copying.generate(
        "a person walks", seconds=15, seed=0, options=GenerationOptions(strength=2.0, best_of=2)
    )
    assert answer.motion.num_frames == 300 and len(answer.segments) == 2
