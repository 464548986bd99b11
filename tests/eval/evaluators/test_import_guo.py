"""The evaluator's released files: read whole and strictly, and never run."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from remogpt.eval.evaluators.guo import GuoEvaluator, GuoWidths
from remogpt.eval.evaluators.guo_words import WordVectors
from remogpt.eval.evaluators.import_guo import evaluator_from_networks, find_released, load_released, read_plain_pickle
from remogpt.runtime.errors import MissingPathError, RemogptError

TOKENS = [["person/NOUN", "walk/VERB"], ["zebra/NOUN"], []]


def motions() -> list[np.ndarray]:
    rng = np.random.default_rng(1)
    return [rng.normal(size=(frames, 263)).astype(np.float32) for frames in (44, 61, 196)]


class Bomb:
    """Makes a folder when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.mkdir, (self.path,)


def test_released_files_become_an_evaluator_with_their_very_weights(guo_release: Path) -> None:
    evaluator = load_released([guo_release])
    saved = torch.load(guo_release / "finest.tar", weights_only=True)
    assert evaluator.widths == GuoWidths(convolution=12, movement=8, motion=10, text=8, output=4)
    for network, ours in (("movement_encoder", "movement"), ("motion_encoder", "motion"), ("text_encoder", "text")):
        loaded = getattr(evaluator, ours).state_dict()
        assert loaded.keys() == saved[network].keys()
        assert all(torch.equal(loaded[name], tensor) for name, tensor in saved[network].items())
    np.testing.assert_allclose(evaluator.std.numpy(), np.load(guo_release / "std.npy"), rtol=1e-6)
    table = np.load(guo_release / "our_vab_data.npy")
    np.testing.assert_allclose(evaluator.words.look_up("walk/VERB")[0], table[6], rtol=1e-6)
    np.testing.assert_allclose(evaluator.words.look_up("olé/INTJ")[0], table[1], rtol=1e-6)


@pytest.mark.parametrize("variant", ["packed", "unpacked"])
def test_a_saved_evaluator_embeds_as_the_one_that_was_read(guo_release: Path, tmp_path: Path, variant: str) -> None:
    evaluator = load_released([guo_release], variant)
    evaluator.save_pretrained(tmp_path / "evaluator")
    loaded = GuoEvaluator.from_pretrained(tmp_path / "evaluator")
    assert loaded.name == f"guo-{variant}" and loaded.hash == evaluator.hash
    assert not loaded.training
    np.testing.assert_array_equal(loaded.encode_motion(motions()), evaluator.encode_motion(motions()))
    np.testing.assert_array_equal(loaded.encode_text(TOKENS), evaluator.encode_text(TOKENS))
    assert len(np.unique(loaded.encode_text(TOKENS).round(6), axis=0)) == 3


def test_the_variant_can_be_chosen_when_it_is_opened_and_has_its_own_hash(guo_release: Path, tmp_path: Path) -> None:
    for variant in ("packed", "unpacked"):
        load_released([guo_release], variant).save_pretrained(tmp_path / variant)
    opened = {
        (saved, chosen): GuoEvaluator.from_pretrained(tmp_path / saved, chosen)
        for saved in ("packed", "unpacked")
        for chosen in ("packed", "unpacked")
    }
    assert opened["packed", "unpacked"].hash == opened["unpacked", "unpacked"].hash
    assert opened["packed", "packed"].hash == opened["unpacked", "packed"].hash
    assert opened["packed", "packed"].hash != opened["packed", "unpacked"].hash
    packed, unpacked = (opened["packed", chosen].encode_motion(motions()) for chosen in ("packed", "unpacked"))
    assert np.abs(packed[0] - unpacked[0]).max() > 1e-4  # beside longer ones its padding is read
    np.testing.assert_allclose(packed[2], unpacked[2], atol=1e-5)  # the longest has none
    with pytest.raises(RemogptError, match="unknown evaluator variant 'loose'"):
        GuoEvaluator.from_pretrained(tmp_path / "packed", "loose")


def test_a_narrow_evaluator_of_the_reference_survives_being_saved(golden_dir: Path, tmp_path: Path) -> None:
    with np.load(golden_dir / "tmr_evaluator.npz", allow_pickle=False) as file:
        golden = {name[5:]: torch.from_numpy(file[name]) for name in file.files if name.startswith("eval/")}
    state: dict[str, dict[str, torch.Tensor]] = {f"{name}_encoder": {} for name in ("movement", "motion", "text")}
    for name, tensor in golden.items():
        if name.startswith("state/"):
            network, key = name.removeprefix("state/").split("/")
            state[f"{network}_encoder"][key] = tensor
    words = WordVectors({"sos": 0, "eos": 1, "unk": 2}, np.eye(3, 30, dtype=np.float32))
    saved = evaluator_from_networks(state, np.zeros(263), np.ones(263), words, "unpacked")
    saved.save_pretrained(tmp_path / "evaluator")
    evaluator = GuoEvaluator.from_pretrained(tmp_path / "evaluator")
    with torch.inference_mode():
        movements = evaluator.movement(golden["motion"][..., :259])
        texts = evaluator.text(golden["word_emb"], golden["pos_onehot"], golden["cap_lens"])
    torch.testing.assert_close(movements, golden["movements"], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(texts, golden["text_emb"], atol=1e-5, rtol=1e-5)
    # MotionGPT's variant reads every frame of the batch, padding or not, so whole motions give its numbers.
    embedded = evaluator.encode_motion(list(golden["motion"].numpy()))
    np.testing.assert_allclose(embedded, golden["motion_emb_motiongpt_unpacked"].numpy(), atol=1e-5)


@pytest.mark.parametrize("protocol", [0, 2, 4, 5])
@pytest.mark.parametrize("value", [["walk", "olé"], {"walk": 3, "sos": 0}])
def test_plain_pickles_are_read(tmp_path: Path, protocol: int, value: Any) -> None:
    path = tmp_path / "words.pkl"
    path.write_bytes(pickle.dumps(value, protocol=protocol))
    assert read_plain_pickle(path) == value


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_a_pickle_that_names_code_is_refused_unrun(guo_release: Path, tmp_path: Path, protocol: int) -> None:
    made = tmp_path / "made_by_the_pickle"
    (guo_release / "our_vab_words.pkl").write_bytes(pickle.dumps(["walk", Bomb(made)], protocol=protocol))
    with pytest.raises(RemogptError, match=r"our_vab_words.pkl asks for [\w.]+, but a list of words needs no code"):
        load_released([guo_release])
    assert not made.exists()
    pickle.loads((guo_release / "our_vab_words.pkl").read_bytes())
    assert made.is_dir(), "the bomb is a real one"


def test_harmless_classes_are_refused_too(tmp_path: Path) -> None:
    path = tmp_path / "words.pkl"
    for value, name in ((np.array(["walk"]), "numpy"), ({1, 2}, "set"), (Path("x"), "pathlib")):
        path.write_bytes(pickle.dumps(value, protocol=2))
        with pytest.raises(RemogptError, match=name):
            read_plain_pickle(path)


@pytest.mark.parametrize("damage", [b"", b"\x80\x02]q\x00X", b"hello", b"\x80\x63.", b"0.", b"\x80\x02e."])
def test_damaged_pickles_are_one_clear_error(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "words.pkl"
    path.write_bytes(damage)
    with pytest.raises(RemogptError, match=r"words.pkl is damaged or no pickle"):
        read_plain_pickle(path)


def test_files_are_known_by_their_names_wherever_they_lie(guo_release: Path, tmp_path: Path) -> None:
    meta = tmp_path / "meta"
    meta.mkdir()
    for name in ("mean", "std"):
        (guo_release / f"{name}.npy").rename(meta / f"t2m_{name}.npy")
    (guo_release / "latest.tar").write_bytes(b"not asked for")
    found = find_released([guo_release, meta / "t2m_mean.npy", meta / "t2m_std.npy"])
    assert found["mean"] == meta / "t2m_mean.npy" and found["networks"] == guo_release / "finest.tar"
    with pytest.raises(RemogptError, match="two of the files are the evaluator's networks"):
        find_released([guo_release, guo_release / "latest.tar"])
    with pytest.raises(RemogptError, match="is none of the evaluator's files"):
        find_released([guo_release, Path(__file__)])
    with pytest.raises(MissingPathError, match=r"our_vab_words.pkl, our_vab_idx.pkl missing \(found .*finest.tar"):
        (guo_release / "our_vab_words.pkl").unlink()
        (guo_release / "our_vab_idx.pkl").unlink()
        find_released([guo_release, meta / "t2m_mean.npy", meta / "t2m_std.npy"])
    with pytest.raises(MissingPathError, match="no file or folder"):
        find_released([tmp_path / "nowhere"])


@pytest.mark.parametrize(
    ("network", "name", "shape", "message"),
    [
        ("text_encoder", None, None, "text_encoder is missing or is no such thing"),
        ("motion_encoder", "hidden", None, r"1 are missing \(first: \['motion.hidden'\]\)"),
        ("motion_encoder", "hidden", (1,), r"motion.hidden has shape \(1,\), wanted \(2, 1, 10\)"),
        ("motion_encoder", "extra", (1,), r"1 are unknown \(first: \['motion.extra'\]\)"),
        ("motion_encoder", "output_net.3.weight", (1,), r"output_net.3.weight of its motion_encoder has shape \(1,\)"),
        (
            "movement_encoder",
            "main.0.weight",
            (12, 66, 4),
            r"reads 66 channels, wanted 259 \(HumanML3D\) or 247 \(KIT-ML\)",
        ),
        ("text_encoder", "pos_emb.weight", (6, 9), "knows 9 word classes, wanted 15"),
        ("text_encoder", "pos_emb.weight", None, "pos_emb.weight of its text_encoder is missing"),
        ("text_encoder", "pos_emb.weight", (300, 15), r"has shape \(300, 15\), wanted \(6, 15\)"),
    ],
)
def test_networks_must_fit_to_the_last_tensor(
    guo_release: Path, network: str, name: str | None, shape: tuple[int, ...] | None, message: str
) -> None:
    saved = torch.load(guo_release / "finest.tar", weights_only=True)
    if name is None:
        del saved[network]
    elif shape is None:
        del saved[network][name]
    else:
        saved[network][name] = torch.zeros(shape)
    torch.save(saved, guo_release / "finest.tar")
    with pytest.raises(RemogptError, match=message):
        load_released([guo_release])


def test_kit_mls_evaluator_reads_its_channels(guo_release: Path) -> None:
    saved = torch.load(guo_release / "finest.tar", weights_only=True)
    kernel = saved["movement_encoder"]["main.0.weight"]
    saved["movement_encoder"]["main.0.weight"] = torch.zeros(kernel.shape[0], 247, kernel.shape[2])
    torch.save(saved, guo_release / "finest.tar")
    with pytest.raises(
        RemogptError, match=r"should hold 251 finite numbers and holds shape \(263,\), which HumanML3D has"
    ):
        load_released([guo_release])
    for name, values in (("mean", np.zeros(251)), ("std", np.full(251, 0.01))):
        np.save(guo_release / f"{name}.npy", values)
    embedded = load_released([guo_release]).encode_motion([np.ones((24, 251), np.float32)])
    assert embedded.shape[0] == 1 and np.isfinite(embedded).all()


def test_statistics_and_words_must_fit(guo_release: Path) -> None:
    def refuse(name: str, value: np.ndarray | bytes, message: str) -> None:
        path = guo_release / name
        before = path.read_bytes()
        if isinstance(value, bytes):
            path.write_bytes(value)
        else:
            np.save(path, value)
        with pytest.raises(RemogptError, match=message):
            load_released([guo_release])
        path.write_bytes(before)

    refuse("mean.npy", np.zeros(251), r"should hold 263 finite numbers and holds shape \(251,\), which KIT-ML has")
    refuse("mean.npy", np.full(263, np.nan), "should hold 263 finite numbers")
    refuse("std.npy", np.zeros(263), "deviations down to 0")
    refuse("our_vab_data.npy", np.zeros(7), "should hold finite word vectors")
    refuse("our_vab_data.npy", np.zeros((3, 6)), "gives 'walk' the row 6, wanted 0 to 2")
    refuse("our_vab_words.pkl", pickle.dumps({"walk": 0}), "should hold a list of words, holds a dict")
    refuse("our_vab_words.pkl", pickle.dumps(["walk", b"run"]), "should hold a list of words")
    refuse("our_vab_words.pkl", pickle.dumps(["walk"]), "word vectors lack sos, eos, unk")
    refuse("our_vab_words.pkl", pickle.dumps(["hop"]), "gives 'hop' the row None")
    refuse("our_vab_idx.pkl", pickle.dumps(["walk"]), "should hold a dictionary of word to row, holds a list")
    load_released([guo_release])


def test_a_data_sets_own_std_is_remarked_upon(guo_release: Path, caplog: pytest.LogCaptureFixture) -> None:
    load_released([guo_release])
    assert not caplog.records
    np.save(guo_release / "std.npy", np.concatenate([np.full(259, 0.3), np.full(4, 0.45)]))
    load_released([guo_release])
    assert "looks like a data set's own Std.npy" in caplog.text


def test_an_edited_part_is_refused(guo_release: Path, tmp_path: Path) -> None:
    folder = tmp_path / "evaluator"
    load_released([guo_release]).save_pretrained(folder)
    words = (folder / "words.json").read_text(encoding="utf-8")
    (folder / "words.json").write_text(words.replace("walk", "skip"), encoding="utf-8")
    with pytest.raises(RemogptError, match=r"words.json is not the file that was saved there"):
        GuoEvaluator.from_pretrained(folder)
    (folder / "words.json").unlink()
    with pytest.raises(MissingPathError, match=r"no words.json"):
        GuoEvaluator.from_pretrained(folder)
    (folder / "words.json").write_text(words, encoding="utf-8")
    config = (folder / "config.json").read_text(encoding="utf-8")
    (folder / "config.json").write_text(config.replace('"motion": 10', '"motion": 11'), encoding="utf-8")
    with pytest.raises(RemogptError, match="is not what was saved there"):
        GuoEvaluator.from_pretrained(folder)
    (folder / "config.json").unlink()
    with pytest.raises(MissingPathError, match="remogpt import guo"):
        GuoEvaluator.from_pretrained(folder)
