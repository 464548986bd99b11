"""A small reader learns a few captions, reads each alone, and comes back from its folder as it was."""

import re
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from remogpt.motion.facts import Fact, describe
from remogpt.reader.claim_writer import ClaimWriter
from remogpt.reader.network import ReaderSize
from remogpt.reader.reader import KIND, CaptionReader
from remogpt.reader.train import Example, ReaderConfig, exact_readings, train_reader
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.folders.component import save_component
from remogpt.runtime.training.loop import LoopConfig
from remogpt.runtime.vector_cache import VectorCache
from remogpt.stages import join_readers

WAVE = ((Fact("waves", {"side": "left", "count": 2}),),)
SIT_AND_WALK = ((Fact("sits"),), (Fact("walks", {"direction": "forward"}),))
CAPTIONS: list[Example] = [
    ("a person waves twice with the left hand", WAVE, 0),
    ("someone waves his left hand two times", WAVE, 0),
    ("a man sits down and then walks forward", SIT_AND_WALK, 0),
    ("the woman takes a seat, then she walks ahead", SIT_AND_WALK, 0),
    ("a person climbs a ladder", (), 1),
    ("someone swims", (), 1),
]
CONFIG = ReaderConfig(
    size=ReaderSize(width=32, layers=1, decoder_layers=1, heads=2, feedforward=64, dropout=0.0),
    loop=LoopConfig(steps=150, batch_size=6, learning_rate=5e-3, cpu=True, seed=0),
)


def trained(folder: Path) -> CaptionReader:
    return train_reader(CONFIG, CAPTIONS, CAPTIONS, VectorCache(folder / "cache"), folder / "run", folder)


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> CaptionReader:
    return trained(tmp_path_factory.mktemp("reader"))


def test_what_was_learnt_is_read(reader: CaptionReader) -> None:
    texts = [caption for caption, _, _ in CAPTIONS]
    for reading, (text, steps, unknown) in zip(reader.read(texts), CAPTIONS, strict=True):
        assert (reading.text, reading.steps, reading.num_unknown) == (text, steps, unknown)
        assert 0.5 < reading.confidence <= 1
    other: Example = (texts[0], SIT_AND_WALK, 0)
    assert exact_readings(reader.writers[0], reader.text, [*CAPTIONS, other, other]) == {"val/exact": 6 / 8}
    facts = reader.read([texts[2]])[0].facts
    assert [describe(fact) for fact in facts] == ["sits down", "walks forward", "sits down before walks forward"]
    assert reader.vocabulary == "core"


def test_a_reading_does_not_depend_on_its_neighbours(reader: CaptionReader) -> None:
    texts = [caption for caption, _, _ in CAPTIONS]
    assert reader.read(texts) == [reader.read([text])[0] for text in texts]


def test_the_reading_of_most_wordings_is_believed(reader: CaptionReader, monkeypatch: pytest.MonkeyPatch) -> None:
    says(reader.writers[0], monkeypatch, ("walks", 0.5), ("sits", 0.4), ("sits", 0.4))
    (reading,) = reader.read(["the man sits"])  # with a full stop, and of "a person"
    assert reading.steps == ((Fact("sits"),),) and reading.num_unknown == 0
    assert reading.confidence == pytest.approx(0.8 / 3) and reading.text == "the man sits"


def test_what_most_networks_read_is_believed(reader: CaptionReader, monkeypatch: pytest.MonkeyPatch) -> None:
    other = ClaimWriter(reader.writers[0].network, reader.writers[0].language)
    both = CaptionReader([reader.writers[0], other], reader.text, reader.config)
    says(both.writers[0], monkeypatch, ("walks", 0.6), ("walks", 0.6), ("sits", 0.4))
    says(both.writers[1], monkeypatch, ("sits", 0.7), ("walks", 0.3), ("sits", 0.5))
    (reading,) = both.read(["the man sits"])
    assert reading.steps == ((Fact("sits"),),) and reading.confidence == pytest.approx(1.6 / 6)


def test_readings_that_share_claims_support_each_other(reader: CaptionReader, monkeypatch: pytest.MonkeyPatch) -> None:
    """ "Walks, sits" claims three things with the order, one of them shared with "walks", none with "waves"."""
    both = ((Fact("walks"),), (Fact("sits"),))
    read = [((Fact("waves"),),), both, ((Fact("walks"),),)]
    found = [((steps, 0), probability) for steps, probability in zip(read, (0.5, 0.4, 0.3), strict=True)]
    monkeypatch.setattr(reader.writers[0], "readings", lambda *_: found)
    (reading,) = reader.read(["the man sits"])
    assert reading.steps == both, "not the single reading with the largest probability"
    assert reading.confidence == pytest.approx((0.4 + 0.3 * 2 / 4) / 3)
    assert reading.sureness == pytest.approx(reading.confidence**0.5)
    unknown = [(((), 1), 0.5), (((), 2), 0.2), ((read[0], 0), 0.4)]
    monkeypatch.setattr(reader.writers[0], "readings", lambda *_: unknown)
    (reading,) = reader.read(["the man sits"])
    assert (reading.steps, reading.num_unknown) == ((), 1)
    assert reading.confidence == pytest.approx((0.5 + 0.2 * 2 / 3) / 3), (
        "actions that no predicate covers count as claims"
    )


def says(writer: ClaimWriter, monkeypatch: pytest.MonkeyPatch, *said: tuple[str, float]) -> None:
    """Let a network read one action in each of a caption's wordings."""
    ids = [writer.language.encode(((Fact(name),),)) for name, _ in said]
    monkeypatch.setattr(writer, "write", lambda *_: (torch.tensor(ids), torch.tensor([p for _, p in said])))


def test_readers_that_were_put_together_come_back(reader: CaptionReader, tmp_path: Path) -> None:
    for name, dtype in (("one", None), ("other", torch.float16)):
        CaptionReader.together([reader]).save_pretrained(tmp_path / name, dtype)
    assert join_readers([tmp_path / "one", tmp_path / "other"], out=tmp_path / "both").hash
    both = CaptionReader.from_pretrained(tmp_path / "both")
    assert len(both.writers) == 2 and both.vocabulary == "core"
    for reading, (_, steps, unknown) in zip(both.read([text for text, _, _ in CAPTIONS]), CAPTIONS, strict=True):
        assert (reading.steps, reading.num_unknown) == (steps, unknown)
    three = CaptionReader.together([both, reader])
    assert len(three.writers) == len(three.config["writers"]) == 3
    for order, stored in ((("one", "other"), torch.float32), (("other", "one"), torch.float16)):
        join_readers([tmp_path / name for name in order], out=tmp_path / "again")
        assert {tensor.dtype for tensor in load_file(tmp_path / "again" / "model.safetensors").values()} == {stored}


@pytest.mark.parametrize(("key", "value"), [("vocabulary", "wide"), ("text", {"name": "another"})])
def test_readers_that_do_not_belong_together_are_refused(reader: CaptionReader, key: str, value: Any) -> None:
    other = CaptionReader(reader.writers, reader.text, {**reader.config, key: value})
    with pytest.raises(RemogptError, match=f"need one {key}; the first has .* and another .*{re.escape(str(value))}"):
        CaptionReader.together([reader, other])
    with pytest.raises(RemogptError, match="wants at least one reader"):
        CaptionReader.together([])


def test_a_reader_of_the_first_format_is_read(reader: CaptionReader, tmp_path: Path) -> None:
    (own,) = reader.config["writers"]
    config = {**own, "text": reader.config["text"]}  # nor did the first ones name their vocabulary
    save_component(tmp_path, KIND, config, reader.writers[0].network.state_dict())
    first = CaptionReader.from_pretrained(tmp_path, text=reader.text)
    texts = [caption for caption, _, _ in CAPTIONS]
    assert first.read(texts) == reader.read(texts) and first.vocabulary == "core"


def test_the_same_seed_gives_the_same_reader(reader: CaptionReader, tmp_path: Path) -> None:
    assert trained(tmp_path).hash == reader.hash
    weights = load_file(tmp_path / "model.safetensors")
    assert {tensor.dtype for tensor in weights.values()} == {torch.float32}, "saved_as"


def test_an_open_text_model_is_used_if_it_is_the_right_one(reader: CaptionReader, tmp_path: Path) -> None:
    reader.save_pretrained(tmp_path)
    own = CaptionReader.from_pretrained(tmp_path, text=reader.text)
    assert own.text is reader.text
    assert own.read(["someone swims"])[0].num_unknown == 1
    other = CaptionReader.from_pretrained(tmp_path, text=None)
    assert other.text is not reader.text


def test_a_reader_that_lacks_weights_is_refused(reader: CaptionReader, tmp_path: Path) -> None:
    weights = {f"0.{name}": tensor for name, tensor in reader.writers[0].network.state_dict().items()}
    weights.pop("0.embed_words.weight")
    save_component(tmp_path, KIND, reader.config, weights, {})
    with pytest.raises(RuntimeError, match=r"Missing key\(s\) in state_dict: \"0.embed_words.weight\""):
        CaptionReader.from_pretrained(tmp_path, text=reader.text)


def test_one_string_is_refused(reader: CaptionReader) -> None:
    with pytest.raises(RemogptError, match="put it in a list"):
        reader.read("a person waves")


@pytest.mark.parametrize("wrong", [{"scripts": 0}, {"val_scripts": 0}, {"reworded": -0.1}, {"reworded": 1.1}])
def test_a_config_that_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(RemogptError, match=f"scripts.*{next(iter(wrong.values()))}"):
        ReaderConfig(**wrong)


def test_the_smallest_config_is_taken() -> None:
    for reworded in (0.0, 1.0):
        assert ReaderConfig(scripts=1, val_scripts=1, reworded=reworded).reworded == reworded
