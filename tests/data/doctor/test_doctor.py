"""Faults that are planted in sets are found, a line each; clean sets have none; a corrected copy has none."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from remogpt import cli
from remogpt.data.doctor.examine import examine
from remogpt.data.doctor.mend import mend
from remogpt.motion import features_to_joints, joints_to_features
from remogpt.motion.features import canonicalize
from remogpt.motion.mirror import MIRROR_ORDER
from tests.data.doctor import made_sets

Plant = Callable[[Path], None]
MAKERS = {maker.__name__: maker for maker in (
    made_sets.humanml3d, made_sets.kit, made_sets.motion_x, made_sets.babel, made_sets.tmr,
)}  # fmt: skip


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A clean set in every layout."""
    folder = tmp_path_factory.mktemp("clean")
    return {name: maker(folder / name, **({"count": 26} if name == "humanml3d" else {})) for name, maker in
            MAKERS.items()}  # fmt: skip


@pytest.mark.parametrize("layout", MAKERS)
def test_clean_sets_have_no_findings(clean: dict[str, Path], layout: str) -> None:
    report = examine(clean[layout])
    assert not report.findings, [str(finding) for finding in report.findings]
    assert report.num_motions == {"humanml3d": 52}.get(layout, 6) and report.num_captions >= report.num_motions
    assert set(report.splits) >= {"train", "val", "test"}


def test_the_procedural_set_has_no_findings(tiny_set: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["data", "doctor", str(tiny_set)]) == 0
    assert f"{tiny_set}, our own layout: 15 motions, 45 captions; nothing to mend" in capsys.readouterr().out


def change(name: str, how: Callable[[np.ndarray], np.ndarray], folder: str = "new_joint_vecs") -> Plant:
    """Change the array of a motion."""

    def plant(root: Path) -> None:
        path = root / folder / f"{name}.npy"
        np.save(path, np.asarray(how(np.load(path))))

    return plant


def rewrite(name: str, how: Callable[[str], str | bytes]) -> Plant:
    """Change a text file."""

    def plant(root: Path) -> None:
        path = root / name
        text = how(path.read_text())
        path.write_bytes(text if isinstance(text, bytes) else text.encode())

    return plant


def delete(name: str) -> Plant:
    return lambda root: (root / name).unlink()


def with_nan(array: np.ndarray) -> np.ndarray:
    array[7, 100] = np.nan
    return array


def with_huge(array: np.ndarray) -> np.ndarray:
    array[3, 50] = 1e9
    return array


def scaled(factor: float) -> Callable[[np.ndarray], np.ndarray]:
    """Features of joints in another unit: lengths are scaled, rotations and contacts are not."""

    def change(features: np.ndarray) -> np.ndarray:
        features[:, [*range(1, 67), *range(193, 259)]] *= factor
        return features

    return change


def crossed(features: np.ndarray) -> np.ndarray:
    return joints_to_features(features_to_joints(features)[:, list(MIRROR_ORDER)])


def lying(features: np.ndarray) -> np.ndarray:
    """Features of a body whose z points up."""
    return joints_to_features(features_to_joints(features)[..., [0, 2, 1]] * [1, 1, -1])


def facing_aside(features: np.ndarray) -> np.ndarray:
    """Features that were not turned to +z: frame 0 is the identity, so it stands turned against the others."""
    turn = np.array([[0.0, 0, 1], [0, 1, 0], [-1, 0, 0]])
    for first in (4, 67, 193):
        for start in range(first, {4: 67, 67: 193, 193: 259}[first], 3):
            features[0, start : start + 3] = turn @ features[0, start : start + 3]
    features[0, 0] -= np.pi / 4
    return features


def jumping(features: np.ndarray) -> np.ndarray:
    features[20, 1] += 6.0
    return features


def pickled(root: Path) -> None:
    np.save(root / "new_joint_vecs" / "000005.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)


def cut_short(root: Path) -> None:
    path = root / "new_joint_vecs" / "000006.npy"
    path.write_bytes(path.read_bytes()[:5000])


def copied(source: str, target: str, folder: str, suffix: str) -> Plant:
    """Give one file the content of another."""
    return lambda root: shutil.copy(root / folder / f"{source}{suffix}", root / folder / f"{target}{suffix}") and None


def twice(root: Path) -> None:
    """Put a motion of the test split into training, under another id and caption."""
    shutil.copy(root / "new_joint_vecs" / "000024.npy", root / "new_joint_vecs" / "500000.npy")
    (root / "texts" / "500000.txt").write_text(made_sets.line("nobody ever said this before"))
    with (root / "train.txt").open("a") as file:
        file.write("500000\n")


def both(*plants: Plant) -> Plant:
    return lambda root: [plant(root) for plant in plants] and None


FAULTS: dict[str, tuple[Plant, str, str]] = {
    "no motion": (delete("new_joint_vecs/000000.npy"), "missing", "new_joint_vecs/000000.npy"),
    "no captions": (delete("texts/M000001.txt"), "missing", "texts/M000001.txt"),
    "neither": (both(delete("new_joint_vecs/M000002.npy"), delete("texts/M000002.txt")), "missing",
                "new_joint_vecs/M000002.npy"),
    "no mean": (delete("Mean.npy"), "missing", "Mean.npy"),
    "deviation of zero": (lambda root: np.save(root / "Std.npy", np.zeros(263, dtype=np.float32)), "statistics",
                          "Std.npy"),
    "an id of nothing": (rewrite("train.txt", lambda text: f"{text}999999\n"), "missing", "new_joint_vecs/999999.npy"),
    "pickle": (pickled, "malformed", "new_joint_vecs/000005.npy"),
    "cut short": (cut_short, "malformed", "new_joint_vecs/000006.npy"),
    "joints for features": (change("M000006", lambda array: features_to_joints(array)), "malformed",
                            "new_joint_vecs/M000006.npy"),
    "other channels": (change("000007", lambda array: array[:, :251]), "malformed", "new_joint_vecs/000007.npy"),
    "one frame": (change("000008", lambda array: array[:1]), "limits", "new_joint_vecs/000008.npy"),
    "NaN": (change("000009", with_nan), "nan", "new_joint_vecs/000009.npy"),
    "huge": (change("M000009", with_huge), "nan", "new_joint_vecs/M000009.npy"),
    "zeros": (change("000010", np.zeros_like), "malformed", "new_joint_vecs/000010.npy"),
    "centimetres": (change("000011", scaled(100)), "scale", "new_joint_vecs/000011.npy"),
    "feet": (change("M000011", scaled(1 / 0.3048)), "scale", "new_joint_vecs/M000011.npy"),
    "sides crossed": (change("M000012", crossed), "sides", "new_joint_vecs/M000012.npy"),
    "z up": (change("000013", lying), "up", "new_joint_vecs/000013.npy"),
    "not turned to +z": (change("M000013", facing_aside), "facing", "new_joint_vecs/M000013.npy"),
    "a jump": (change("000014", jumping), "limits", "new_joint_vecs/000014.npy"),
    "not mirrored": (copied("000015", "M000015", "new_joint_vecs", ".npy"), "mirror", "new_joint_vecs/M000015.npy"),
    "another length": (change("M000016", lambda array: array[:40]), "mirror", "new_joint_vecs/M000016.npy"),
    "captions not mirrored": (copied("000017", "M000017", "texts", ".txt"), "sides", "texts/M000017.txt"),
    "Latin-1": (rewrite("texts/000018.txt", lambda text: text.replace("person", "girl in a café").encode("latin-1")),
                "encoding", "texts/000018.txt"),
    "UTF-16": (rewrite("texts/M000018.txt", lambda text: text.encode("utf-16")), "encoding", "texts/M000018.txt"),
    "a byte order mark": (rewrite("val.txt", lambda text: text.encode("utf-8-sig")), "encoding", "val.txt"),
    "misread": (rewrite("texts/000019.txt", lambda text: text.replace("person", "cafÃ©", 1)), "encoding",
                "texts/000019.txt, line 1"),
    "an empty file": (rewrite("texts/M000019.txt", lambda text: ""), "caption", "texts/M000019.txt"),
    "three fields": (rewrite("texts/000020.txt", lambda text: text.replace("#0.0\n", "\n", 1)), "caption",
                     "texts/000020.txt, line 1"),
    "times that are words": (rewrite("texts/M000020.txt", lambda text: text.replace("#0.0#0.0", "#start#end", 1)),
                             "caption", "texts/M000020.txt, line 1"),
    "an end before its start": (rewrite("texts/000021.txt", lambda text: text.replace("#0.0#0.0", "#2.0#1.0", 1)),
                                "caption", "texts/000021.txt, line 1"),
    "times behind the motion": (rewrite("texts/M000021.txt", lambda text: text.replace("#0.0#0.0", "#60.0#70.0", 1)),
                                "caption", "texts/M000021.txt, line 1"),
    "no tokens": (rewrite("texts/000022.txt", lambda text: "a person hops along#\n".replace("#", "##0.0#0.0", 1)),
                  "caption", "texts/000022.txt"),
    "an id twice": (rewrite("train.txt", lambda text: f"{text}000004\n"), "duplicate", "train.txt, line 38"),
    "an id of two splits": (rewrite("test.txt", lambda text: f"{text}000003\n"), "overlap", "test.txt"),
    "a way out": (rewrite("train.txt", lambda text: f"{text}../../secret\n"), "malformed", "train.txt, line 39"),
    "the same motion": (twice, "overlap", "new_joint_vecs/500000.npy"),
}  # fmt: skip
"""What is planted, the kind that is found, the file that is named."""


def test_every_fault_gives_one_line_and_the_corrected_copy_has_none(
    clean: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "set"
    shutil.copytree(clean["humanml3d"], folder)
    shutil.rmtree(folder / "new_joints")  # compared in a test of their own
    for plant, _, _ in FAULTS.values():
        plant(folder)
    assert len(FAULTS) >= 30
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert cli.main(["data", "doctor", str(folder), "--fix", str(tmp_path / "fixed"), "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    named = sorted((finding["kind"], finding["file"]) for finding in found["findings"])
    assert named == sorted((kind, file) for _, kind, file in FAULTS.values()), found["findings"]
    assert all(finding["what"] and finding["remedy"] for finding in found["findings"])
    (remaining,) = found["fixed"]["remaining"]
    assert "000022.txt: no word/POS tokens" in remaining  # nobody but their tagger can write them
    assert {"000011", "M000011", "M000012", "M000013", "M000006"} <= set(found["fixed"]["motions"])
    assert {"000005", "000006", "000009", "000010"} <= set(found["fixed"]["left_out"])
    assert before == {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    for name in ("000011", "M000006"):  # as good as before
        true = features_to_joints(np.load(clean["humanml3d"] / "new_joint_vecs" / f"{name}.npy"))
        mended = features_to_joints(np.load(tmp_path / "fixed" / "new_joint_vecs" / f"{name}.npy"))
        np.testing.assert_allclose(canonicalize(mended), canonicalize(true[: len(mended)]), atol=2e-3)
    assert cli.main(["data", "doctor", str(folder), "--fix", str(tmp_path / "fixed")]) == 2


def test_where_to_mend_is_checked_before_a_long_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    looked_at: list[object] = []
    monkeypatch.setattr("remogpt.data.doctor.examine.examine", lambda *given, **named: looked_at.append(given))
    (tmp_path / "file").write_text("")
    assert cli.main(["data", "doctor", str(tmp_path), "--fix", str(tmp_path / "file")]) == 2
    assert "wanted a folder to write, but" in capsys.readouterr().err and not looked_at


def test_a_fault_of_all_motions_is_told_once(clean: dict[str, Path], tmp_path: Path) -> None:
    folder = tmp_path / "set"
    shutil.copytree(clean["humanml3d"], folder)
    mean, std = np.load(folder / "Mean.npy"), np.load(folder / "Std.npy")
    for path in (folder / "new_joint_vecs").glob("*.npy"):
        np.save(path, (np.load(path) - mean) / std)
    (finding,) = examine(folder).findings
    assert finding.kind == "normalised" and "52 of 52 motions, the first new_joint_vecs/000000.npy" in str(finding)
    mend(folder, tmp_path / "fixed")
    assert not examine(tmp_path / "fixed").findings
    true = np.load(clean["humanml3d"] / "new_joint_vecs" / "M000003.npy")
    np.testing.assert_allclose(np.load(tmp_path / "fixed" / "new_joint_vecs" / "M000003.npy"), true, atol=1e-4)


def test_statistics_of_another_set_are_named(clean: dict[str, Path], tmp_path: Path) -> None:
    folder = tmp_path / "set"
    shutil.copytree(clean["humanml3d"], folder)
    np.save(folder / "Mean.npy", np.zeros(251, dtype=np.float32))
    np.save(folder / "Std.npy", np.full(263, "1.0"))
    told = {finding.file: f"{finding.kind}: {finding.what}" for finding in examine(folder).findings}
    assert told == {
        "Mean.npy": "statistics: float32 of shape (251,), not 263 numbers",
        "Std.npy": "statistics: <U3 of shape (263,), not 263 numbers",
    }


def test_joints_are_compared_with_their_features(clean: dict[str, Path], tmp_path: Path) -> None:
    folder = tmp_path / "set"
    shutil.copytree(clean["humanml3d"], folder)
    change("000003", lambda array: 100 * array, "new_joints")(folder)
    change("000010", lambda array: array / 100, "new_joints")(folder)
    (folder / "new_joints" / "000004.npy").unlink()
    change("000005", lambda array: array[:, list(MIRROR_ORDER)], "new_joints")(folder)
    change("000006", lambda array: array[..., [0, 2, 1]] * [1, 1, -1], "new_joints")(folder)
    change("000007", lambda array: array[..., [2, 1, 0]] * [1, 1, -1], "new_joints")(folder)
    change("000008", lambda array: array[:-9], "new_joints")(folder)
    change("000009", lambda array: np.where(np.arange(22)[:, None] == 5, np.nan, array), "new_joints")(folder)
    found = {finding.file.removeprefix("new_joints/"): finding.kind for finding in examine(folder).findings}
    assert found == {
        "000003.npy": "scale", "000004.npy": "missing", "000005.npy": "sides", "000006.npy": "up",
        "000007.npy": "facing", "000008.npy": "mismatch", "000009.npy": "nan", "000010.npy": "scale",
    }  # fmt: skip
    mend(folder, tmp_path / "fixed")
    assert not examine(tmp_path / "fixed").findings


OTHERS: dict[str, list[tuple[Plant, str, str]]] = {
    "kit": [
        (change("00000", lambda array: array / 1000), "scale", "new_joint_vecs/00000.npy"),
        (change("00001", with_nan), "nan", "new_joint_vecs/00001.npy"),
        (lambda root: change("00002", lambda a: (a - np.load(root / "Mean.npy")) / np.load(root / "Std.npy"))(root),
         "normalised", "new_joint_vecs/00002.npy"),
        (delete("texts/00003.txt"), "missing", "texts/00003.txt"),
    ],
    "motion_x": [
        (change("dance/subset0/clip_0", lambda array: array * 57.3, "motion_data/smplx_322"), "scale",
         "motion_data/smplx_322/dance/subset0/clip_0.npy"),
        (change("dance/subset0/clip_1", lambda array: array[:, :263], "motion_data/smplx_322"), "malformed",
         "motion_data/smplx_322/dance/subset0/clip_1.npy"),
        (rewrite("texts/semantic_labels/dance/subset0/clip_2.txt", lambda text: ""), "caption",
         "texts/semantic_labels/dance/subset0/clip_2.txt"),
        (change("dance/subset0/clip_3", lambda a: np.concatenate([0 * a[:, :3] + [np.pi, 0, 0], a[:, 3:]], axis=1),
                "motion_data/smplx_322"), "up", "motion_data/smplx_322/dance/subset0/clip_3.npy"),
    ],
    "babel": [
        (rewrite("train.json", lambda text: text.replace('"end_t": 2.5', '"end_t": -2.5', 1)), "caption",
         "train.json, 0, frame_ann 0"),
        (rewrite("test.json", lambda text: text.replace("10.5,", "-1,", 1)), "limits", "test.json, 5"),
        (rewrite("val.json", lambda text: text.replace('"4": {', '"0": {', 1)), "overlap", "val.txt"),
    ],
    "tmr": [
        (rewrite("annotations.json", lambda text: text.replace('"text": "a person walks', '"text": "", "x": "', 1)),
         "caption", "annotations.json, 000000, annotation 0"),
        (rewrite("splits/train.txt", lambda text: f"{text}000099\n"), "missing", "splits/train.txt"),
        (rewrite("splits/val.txt", lambda text: f"{text}000001\n"), "overlap", "val.txt"),
    ],
}  # fmt: skip


@pytest.mark.parametrize("layout", OTHERS)
def test_faults_of_other_layouts(clean: dict[str, Path], tmp_path: Path, layout: str) -> None:
    folder = tmp_path / "set"
    shutil.copytree(clean[layout], folder)
    for plant, _, _ in OTHERS[layout]:
        plant(folder)
    found = sorted((finding.kind, finding.file) for finding in examine(folder).findings)
    assert found == sorted((kind, file) for _, kind, file in OTHERS[layout])
    mend(folder, tmp_path / "fixed")
    assert [str(finding) for finding in examine(tmp_path / "fixed").findings] == []


@pytest.mark.parametrize("value", ["null", "7", '"word"', "[]", "[7]", "{}", '{"labels": 7}', '{"labels": [null]}'])
def test_no_annotation_breaks_the_examination(clean: dict[str, Path], tmp_path: Path, value: str) -> None:
    record = (
        f'{{"0": {{"feat_p": "a", "seq_ann": {value}, "frame_anns": {value}, "annotations": {value}}}, "1": {value}}}'
    )
    (tmp_path / "train.json").write_text(record)
    assert examine(tmp_path).findings
    (tmp_path / "annotations.json").write_text(record)
    assert examine(tmp_path).findings


def test_captions_of_the_test_split_in_training(clean: dict[str, Path], tmp_path: Path) -> None:
    folder = tmp_path / "set"
    shutil.copytree(clean["humanml3d"], folder)
    val = (folder / "val.txt").read_text().split()
    text = (folder / "texts" / f"{val[0]}.txt").read_text()
    (folder / "texts" / "000000.txt").write_text(text + made_sets.line(made_sets.caption(0)))
    (finding,) = examine(folder).findings
    assert (finding.kind, finding.file) == ("overlap", "val.txt")
    assert "captions (2 of" in finding.what and "word for word in train" in finding.what


def test_lists_are_compared_with_published_ones(clean: dict[str, Path], tmp_path: Path) -> None:
    official = tmp_path / "official"
    official.mkdir()
    for split in ("train", "val", "test"):
        shutil.copy(clean["humanml3d"] / f"{split}.txt", official)
    assert not examine(clean["humanml3d"], official=official).findings
    moved = (official / "test.txt").read_text().splitlines()
    (official / "val.txt").write_text("".join(f"{one}\n" for one in [moved[0], "123456"]))
    (first,) = [one for one in examine(clean["humanml3d"], official=official).findings if one.file == "val.txt"]
    assert first.kind == "official" and "1 missing (123456)" in first.what
    assert f"1 in another split ({moved[0]})" in first.what
    counted = examine(clean["humanml3d"], official="HumanML3D").findings
    assert [finding.kind for finding in counted] == ["official"] * 3
    assert "the published list has 23384" in counted[0].what


def test_other_folders_are_refused_with_the_layouts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["data", "doctor", str(tmp_path)]) == 2
    assert "in none of the layouts that can be examined: HumanML3D" in capsys.readouterr().err
