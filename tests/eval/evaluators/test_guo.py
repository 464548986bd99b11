"""Guo's evaluator: parity with the released code in both variants, and what its text side sees."""

import json

import numpy as np
import pytest
import torch

from remogpt.eval.evaluators.guo import GuoEvaluator, GuoWidths, MotionEncoder, MovementEncoder, TextEncoder
from remogpt.eval.evaluators.guo_words import POS_CLASSES, WordVectors


@pytest.fixture(scope="module")
def golden(golden_dir):
    with np.load(golden_dir / "tmr_evaluator.npz", allow_pickle=False) as file:
        return {name[5:]: torch.from_numpy(file[name]) for name in file.files if name.startswith("eval/")}


@pytest.fixture(scope="module")
def facts(golden_dir):
    return json.loads((golden_dir / "tmr_evaluator.json").read_text())


def load(module, golden, network):
    prefix = f"state/{network}/"
    module.load_state_dict({key[len(prefix) :]: value for key, value in golden.items() if key.startswith(prefix)})
    return module.eval()


@torch.inference_mode()
def test_movements_and_both_motion_variants_equal_the_reference(golden, facts):
    movement = load(MovementEncoder(259, 20, 16), golden, "movement")(golden["motion"][..., :259])
    torch.testing.assert_close(movement, golden["movements"], atol=1e-5, rtol=1e-5)
    lengths = golden["m_lens"] // 4
    packed = load(MotionEncoder(16, 24, 12), golden, "motion")(movement, lengths)
    torch.testing.assert_close(packed, golden["motion_emb_packed"], atol=1e-5, rtol=1e-5)
    unpacked = load(MotionEncoder(16, 24, 12, "unpacked"), golden, "motion")(movement, lengths)
    torch.testing.assert_close(unpacked, golden["motion_emb_motiongpt_unpacked"], atol=1e-5, rtol=1e-5)
    moved = (packed - unpacked).abs().amax(dim=1).tolist()
    assert moved == pytest.approx(facts["evaluator_packed_vs_motiongpt_maxdiff_per_row"], abs=1e-5)


@torch.inference_mode()
def test_captions_equal_the_reference(golden):
    text = load(TextEncoder(30, 20, 12), golden, "text")
    ours = text(golden["word_emb"], golden["pos_onehot"], golden["cap_lens"])
    torch.testing.assert_close(ours, golden["text_emb"], atol=1e-5, rtol=1e-5)


def test_full_sizes_equal_the_released_evaluator(facts):
    sizes = {"movement": MovementEncoder(), "motion": MotionEncoder(), "text": TextEncoder()}
    counted = {name: sum(p.numel() for p in module.parameters()) for name, module in sizes.items()}
    assert counted == facts["evaluator_full_params"]


def test_word_classes_equal_the_reference(facts):
    # The reference's vectors hold one number that tells the words apart; 0 is `unk`.
    ids = facts["pos_ids"]
    known = {token.partition("/")[0]: value for token, (_, value) in ids.items() if value > 0} | {"unk": 0.0}
    vectors = WordVectors(
        {word: row for row, word in enumerate(known)}, np.array(list(known.values()), dtype=np.float32)[:, None]
    )
    for token, (index, value) in ids.items():
        vector, number = vectors.look_up(token)
        assert (number, float(vector[0])) == (index, value), token
    assert len(POS_CLASSES) == len(facts["POS_enumerator"])
    for name, index in facts["POS_enumerator"].items():
        assert name.endswith("VIP") or POS_CLASSES[index] == name


@pytest.fixture
def words():
    names = ["sos", "eos", "unk", "walk", "person"]
    return WordVectors({word: row for row, word in enumerate(names)}, np.eye(5, 6, dtype=np.float32))


def test_captions_are_cut_wrapped_and_padded(words):
    vectors, classes, length = words.encode(["person/NOUN", "walk/VERB", "zebra/NOUN"])
    assert (vectors.shape, classes.shape, length) == ((22, 6), (22, 15), 5)
    assert classes[:6].argmax(1).tolist() == [14, 1, 12, 14, 14, 14]
    np.testing.assert_array_equal(vectors[5:], np.tile(words.vectors[2], (17, 1)))
    assert words.encode(["walk/VERB"] * 30)[2] == 22


def test_evaluator_gives_each_motion_an_embedding_that_only_depends_on_itself_when_packed(words):
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    short, long = rng.normal(size=(41, 263)).astype(np.float32), rng.normal(size=(80, 263)).astype(np.float32)
    packed = GuoEvaluator(np.zeros(263), np.ones(263), words, widths=GuoWidths(8, 8, 8, 8, 4))
    alone, beside = packed.encode_motion([short])[0], packed.encode_motion([short, long])[0]
    np.testing.assert_allclose(alone, beside, atol=1e-6)
    unpacked = GuoEvaluator(np.zeros(263), np.ones(263), words, "unpacked", GuoWidths(8, 8, 8, 8, 4))
    unpacked.load_state_dict(packed.state_dict())
    assert np.abs(unpacked.encode_motion([short, long])[0] - alone).max() > 1e-3
    assert packed.encode_text([["walk/VERB"], ["person/NOUN"]]).shape == (2, 4)
    assert packed.encode_motion([]).shape == packed.encode_text([]).shape == (0, 4)
    assert (packed.name, unpacked.name) == ("guo-packed", "guo-unpacked")


def test_unusable_input_is_refused_with_the_reason(words):
    with pytest.raises(ValueError, match="unknown evaluator variant 'loose'"):
        MotionEncoder(variant="loose")
    with pytest.raises(ValueError, match="word vectors lack unk"):
        WordVectors({"sos": 0, "eos": 1}, np.zeros((2, 4)))
    with pytest.raises(ValueError, match="at least 4 frames; item 1"):
        GuoEvaluator(np.zeros(263), np.ones(263), words, widths=GuoWidths(8, 8, 8, 8, 4)).encode_motion(
            [np.zeros((8, 263)), np.zeros((3, 263))]
        )
