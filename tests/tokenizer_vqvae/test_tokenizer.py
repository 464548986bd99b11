"""The tokenizer as others use it: raw features to codes and back, saved and loaded."""

import numpy as np
import pytest
import torch

from remogpt.runtime.errors import MissingPathError, RemogptError
from remogpt.tokenizer_vqvae import MotionTokenizer
from remogpt.tokenizer_vqvae.normalizer import Normalizer
from remogpt.tokenizer_vqvae.reconstruction import reconstruction_metrics
from remogpt.tokenizer_vqvae.vqvae import MotionVQVAE

SIZES = {"width": 16, "code_dim": 8, "num_codes": 32}
RESIDUAL = {**SIZES, "quantizer": "residual", "levels": [20, 12], "dead_below": 0.1}


@pytest.fixture
def motions() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    lengths = (40, 64, 64, 41, 43, 4, 196, 40, 64)
    return [(3.0 + 2.0 * rng.standard_normal((length, 263))).astype(np.float32) for length in lengths]


@pytest.fixture
def tokenizer(motions) -> MotionTokenizer:
    return begun(SIZES, motions)


def begun(sizes, motions, num_batches=1) -> MotionTokenizer:
    """A tokenizer that has seen batches, the first of which starts its codebook."""
    torch.manual_seed(0)
    vqvae = MotionVQVAE(**sizes)
    normalizer = Normalizer.fit(motions)
    for _ in range(num_batches):
        vqvae.train()(normalizer.normalize(torch.from_numpy(motions[6])[None]))
    return MotionTokenizer(vqvae, normalizer, sizes)


def test_one_code_stands_for_four_frames(tokenizer, motions):
    for motion in motions:
        codes = tokenizer.encode(motion)
        assert codes.shape == (len(motion) // 4,)
        assert codes.dtype == np.int64
        assert codes.min() >= 0
        assert codes.max() < tokenizer.num_codes
        decoded = tokenizer.decode(codes)
        assert decoded.shape == (4 * len(codes), 263)
        assert decoded.dtype == np.float32


def test_surplus_frames_do_not_reach_the_codes(tokenizer, motions):
    motion = motions[4]
    wild = motion.copy()
    wild[40:] = 1e3
    assert np.array_equal(tokenizer.encode(wild), tokenizer.encode(motion[:40]))


def test_a_batch_gives_what_each_gives_alone(tokenizer, motions):
    """Lengths are mixed; nothing may leak from one motion into another, and order is kept."""
    together = tokenizer.encode_batch(motions)
    alone = [tokenizer.encode(motion) for motion in motions]
    assert len({tuple(row) for row in alone}) == len(motions)
    for ours, theirs in zip(together, alone, strict=True):
        assert np.array_equal(ours, theirs)
    for ours, codes in zip(tokenizer.decode_batch(together), alone, strict=True):
        np.testing.assert_allclose(ours, tokenizer.decode(codes), rtol=1e-5, atol=1e-5)


def test_no_motions_give_no_codes(tokenizer):
    assert tokenizer.encode_batch([]) == []
    assert tokenizer.decode_batch([]) == []


def test_features_are_raw_outside_and_normal_inside(tokenizer, motions):
    """Raw features far from zero come back at their own scale."""
    mean, std = tokenizer.normalizer.mean, tokenizer.normalizer.std
    scores = tokenizer.normalizer.normalize(torch.from_numpy(np.concatenate(motions)))
    torch.testing.assert_close(scores.mean(dim=0), torch.zeros(263), atol=1e-3, rtol=0)
    torch.testing.assert_close(tokenizer.normalizer.denormalize(scores[:5]), torch.from_numpy(motions[0][:5]))
    decoded = tokenizer.decode(tokenizer.encode(motions[0]))
    assert np.abs(decoded - mean.numpy()).max() < 3 * float(std.max())


def test_emphasis_divides_the_std_of_root_and_contacts(motions):
    plain, emphatic = Normalizer.fit(motions), Normalizer.fit(motions, root_emphasis=5.0)
    ratio = plain.std / emphatic.std
    assert torch.allclose(ratio[:4], torch.tensor(5.0))
    assert torch.allclose(ratio[259:], torch.tensor(5.0))
    assert torch.allclose(ratio[4:259], torch.tensor(1.0))


def test_saved_and_loaded_it_is_the_same(tokenizer, motions, tmp_path):
    with pytest.raises(RemogptError, match="no hash yet"):
        _ = tokenizer.hash
    saved_hash = tokenizer.save_pretrained(tmp_path / "tokenizer")
    loaded = MotionTokenizer.from_pretrained(tmp_path / "tokenizer")
    assert loaded.hash == tokenizer.hash == saved_hash
    assert len(saved_hash) == 64
    for ours, theirs in zip(loaded.encode_batch(motions), tokenizer.encode_batch(motions), strict=True):
        assert np.array_equal(ours, theirs)
    codes = np.arange(12)
    assert np.array_equal(loaded.decode(codes), tokenizer.decode(codes))
    assert not loaded.vqvae.training
    # Fine-tuning goes on from the stored codebook: the first training batch must not start a new one.
    assert bool(loaded.vqvae.quantizer.is_initialized)


def test_the_residual_quantizer_has_the_same_interface(motions, tmp_path):
    tokenizer = begun(RESIDUAL, motions, num_batches=30)
    assert (tokenizer.num_codes, tokenizer.frames_per_code, tokenizer.codes_per_step) == (32, 4, 2)
    codes = tokenizer.encode_batch(motions)
    decoded = tokenizer.decode_batch(codes)
    for motion, row, back in zip(motions, codes, decoded, strict=True):
        assert row.dtype == np.int64 and row.shape == (2 * (len(motion) // 4),)
        assert back.shape == (4 * (len(motion) // 4), 263)
        assert np.array_equal(row, tokenizer.encode(motion))
        np.testing.assert_allclose(back, tokenizer.decode(row), rtol=1e-5, atol=1e-5)
    assert len(np.unique(np.concatenate(codes))) > 8
    tokenizer.save_pretrained(tmp_path / "tokenizer")
    loaded = MotionTokenizer.from_pretrained(tmp_path / "tokenizer")
    assert loaded.hash == tokenizer.hash
    for ours, theirs in zip(loaded.encode_batch(motions), codes, strict=True):
        assert np.array_equal(ours, theirs)
    assert np.array_equal(loaded.decode(codes[0]), tokenizer.decode(codes[0]))


def test_residual_levels_must_follow_each_other(motions):
    tokenizer = begun(RESIDUAL, motions)
    assert tokenizer.decode(np.array([0, 20, 19, 31])).shape == (8, 263)
    for codes in ([0, 20, 3], [20, 0], [0, 1], [0, 20, 20, 1]):
        with pytest.raises(RemogptError, match=r"of the levels \[.*one of each of 2 residual levels"):
            tokenizer.decode(np.array(codes))


def test_readers_of_one_code_for_four_frames_refuse_others(tokenizer, motions):
    tokenizer.check_one_code_a_step("the language model")
    with pytest.raises(RemogptError, match=r"the language model reads one code .* has 2 for every 4"):
        begun(RESIDUAL, motions).check_one_code_a_step("the language model")
    with pytest.raises(RemogptError, match="has 1 for every 2"):
        begun({**SIZES, "num_stages": 1}, motions).check_one_code_a_step("a database")


def test_half_precision_halves_the_folder(tokenizer, tmp_path):
    tokenizer.save_pretrained(tmp_path / "full")
    half_hash = tokenizer.save_pretrained(tmp_path / "half", dtype=torch.float16)
    full, half = ((tmp_path / name / "model.safetensors").stat().st_size for name in ("full", "half"))
    assert half < 0.6 * full
    loaded = MotionTokenizer.from_pretrained(tmp_path / "half")
    assert loaded.hash == half_hash != tokenizer.hash
    assert loaded.vqvae.quantizer.codebook.dtype == torch.float32


@pytest.mark.parametrize(
    ("motion", "message"),
    [
        (np.zeros((3, 263)), "has 3 frames, but one code stands for 4"),
        (np.zeros((0, 263)), "has 0 frames"),
        (np.zeros((40, 251)), r"shape \(40, 251\), expected \(frames, 263\).*joints_to_features"),
        (np.zeros((40, 22, 3)), r"shape \(40, 22, 3\)"),
        (np.where(np.arange(40)[:, None] == 7, np.nan, np.zeros((40, 263))), "not finite, first in frame 7"),
    ],
)
def test_motions_that_cannot_be_encoded(tokenizer, motion, message):
    with pytest.raises(RemogptError, match=message):
        tokenizer.encode(motion)


@pytest.mark.parametrize(
    ("codes", "message"),
    [
        (np.array([0, 32]), "runs from 0 to 32, but this codebook has codes 0 to 31"),
        (np.array([-1, 3]), "runs from -1 to 3"),
        (np.zeros(0, dtype=np.int64), "N at least 1"),
        (np.zeros(4, dtype=np.float32), "type float32"),
        (np.zeros((2, 4), dtype=np.int64), r"shape \(2, 4\)"),
    ],
)
def test_codes_that_cannot_be_decoded(tokenizer, codes, message):
    with pytest.raises(RemogptError, match=message):
        tokenizer.decode(codes)


def test_a_bad_motion_in_a_batch_is_named(tokenizer, motions):
    with pytest.raises(RemogptError, match="motion 2 has 3 frames"):
        tokenizer.encode_batch([*motions[:2], motions[2][:3]])


def test_folders_that_hold_no_tokenizer(tokenizer, tmp_path):
    with pytest.raises(MissingPathError, match="no tokenizer in"):
        MotionTokenizer.from_pretrained(tmp_path / "nowhere")
    tokenizer.save_pretrained(tmp_path / "changed")
    config = tmp_path / "changed" / "config.json"
    config.write_text(config.read_text().replace('"width": 16', '"width": 24'))
    with pytest.raises(RemogptError, match="not what was saved"):
        MotionTokenizer.from_pretrained(tmp_path / "changed")
    with pytest.raises(RemogptError, match="without its config"):
        MotionTokenizer(tokenizer.vqvae, tokenizer.normalizer).save_pretrained(tmp_path / "bare")


class _Perfect(MotionTokenizer):
    """Gives every motion back exactly, but for 0.01 m a frame that the path drifts to the side."""

    def encode_batch(self, motions):
        self.kept = [motion[: len(motion) - len(motion) % 4] for motion in motions]
        return [np.arange(len(motion) // 4) % self.num_codes for motion in motions]

    def decode_batch(self, codes):
        drift = np.zeros(263, dtype=np.float32)
        drift[1] = 0.01
        return [motion + drift for motion in self.kept]


def test_reconstruction_metrics_tell_drift_from_pose(tokenizer):
    perfect = _Perfect(tokenizer.vqvae, tokenizer.normalizer)
    still = np.zeros((41, 263), dtype=np.float32)
    still[:, 3] = 0.9
    scores = reconstruction_metrics(perfect, [still, still])
    assert scores["pose_mm"] == pytest.approx(0.0, abs=1e-3)
    assert scores["root_end_mm"] == pytest.approx(390.0, rel=1e-3)  # 39 steps in 40 kept frames
    assert scores["world_mm"] == pytest.approx(195.0, rel=1e-3)
    assert scores["heading_end_deg"] == pytest.approx(0.0, abs=1e-6)
    assert scores["perplexity"] == pytest.approx(10.0, rel=1e-3)
    assert scores["codes_used"] == pytest.approx(10 / 32)
