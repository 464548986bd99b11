"""`remogpt generate`."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import remogpt
from remogpt.cli import command_parser
from remogpt.commands.cli_parts.options import generation_options
from remogpt.commands.generate import _tell


def test_one_caption_one_file(run, tiny_model: Path, tmp_path: Path) -> None:
    out = tmp_path / "wave.bvh"
    ran = run("generate", "a person waves", "--seconds", 3, "--out", out, "--model", tiny_model)
    assert ran.code == 0 and str(out) in ran.out and "(3.0 s)" in ran.out
    assert ran.out.count("retrieved ") == 2 and "by t2m" in ran.out and "by t2t" in ran.out
    assert out.read_text().startswith("HIERARCHY") and "Frames: 60" in out.read_text()


@pytest.mark.parametrize("suffix", [".bvh", ".npy", ".npz", ".html", ".BVH"])
def test_every_format_and_same_seed_same_file(run, tiny_model: Path, tmp_path: Path, suffix: str) -> None:
    files = [tmp_path / name / f"m{suffix}" for name in ("a", "b")]
    for file in files:
        ran = run("generate", "a person waves", "--seconds", 2, "--seed", 7, "--out", file, "--model", tiny_model)
        assert ran.code == 0
    first, second = (file.read_bytes() for file in files)
    assert first == second or suffix == ".npz"
    if suffix != ".html":
        loaded = remogpt.load_motion(files[0])
        assert loaded.joints.shape == (40, 22, 3) and np.isfinite(loaded.joints).all()
        assert np.array_equal(loaded.joints, remogpt.load_motion(files[1]).joints)


def test_bodies_are_cleaned_unless_they_are_asked_for_raw(run, tiny_model: Path, tmp_path: Path) -> None:
    varying = []
    for words in ([], ["--raw-body"]):
        out = tmp_path / f"{len(words)}.npy"
        ran = run(
            "generate", "a person walks", "--seconds", 2, "--fps", 30, "--out", out, "--model", tiny_model, *words
        )
        assert ran.code == 0, ran.err
        varying.append(np.ptp(np.linalg.norm(np.load(out)[:, 20] - np.load(out)[:, 18], axis=-1)))
    assert varying[0] < 1e-4 < 1e-3 < varying[1], "the left forearm"


def test_another_seed_another_motion(run, tiny_model: Path, tmp_path: Path) -> None:
    for seed in (0, 1):
        out = tmp_path / f"{seed}.npy"
        run("generate", "a person waves", "--seconds", 2, "--seed", seed, "--out", out, "--model", tiny_model)
    assert not np.array_equal(np.load(tmp_path / "0.npy"), np.load(tmp_path / "1.npy"))


def test_a_motion_longer_than_the_model_writes_at_once(run, tiny_model: Path, tmp_path: Path) -> None:
    """In pieces, exact to a frame, the same with the same seed; what was retrieved for all of them is listed."""
    files = [tmp_path / "a.npy", tmp_path / "b.npy"]
    text = "a person walks forward. the person waves with the left hand."
    for file in files:
        ran = run("generate", text, "--seconds", 20.05, "--seed", 3, "--out", file, "--model", tiny_model, "--json")
        assert ran.code == 0, ran.err
    (row,) = json.loads(ran.out)
    assert row["frames"] == 401 and row["seconds"] == 20.05 and len(row["examples"]) >= 2
    first, second = (np.load(file) for file in files)
    assert first.shape == (401, 22, 3) and np.array_equal(first, second)


@pytest.mark.parametrize("precision", ["float32", "bfloat16", "int8"])
def test_every_precision_writes_a_motion(run, tiny_model: Path, tmp_path: Path, precision: str) -> None:
    out = tmp_path / "m.npy"
    ran = run(
        "generate", "a person waves", "--seconds", 2, "--out", out, "--model", tiny_model, "--precision", precision
    )
    assert ran.code == 0 and np.load(out).shape == (40, 22, 3)


def test_options_of_the_written_file(run, tiny_model: Path, tmp_path: Path) -> None:
    out = tmp_path / "wave.bvh"
    words = ("generate", "a person waves", "--seconds", 2, "--out", out, "--model", tiny_model, "--fps", 40, "--trim",
             "0:1", "--to-skeleton", "humanik", "--in-place", "--mirror", "--unit", "m")  # fmt: skip
    assert run(*words).code == 0
    text = out.read_text()
    assert "ROOT Hips" in text and "Frames: 41\nFrame Time: 0.025000000" in text
    again = run(*words, "--force", "--json")
    (row,) = json.loads(again.out)
    assert (row["frames"], row["seconds"]) == (41, 1.025) and out.read_text() == text


def test_standard_output_holds_the_motion_alone(tiny_model: Path) -> None:
    command = [sys.executable, "-m", "remogpt.cli", "generate", "a person waves", "--seconds", "1", "--out", "-",
               "--model", str(tiny_model)]  # fmt: skip
    ran = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    assert ran.stdout.startswith("HIERARCHY") and "retrieved" not in ran.stdout and "retrieved" in ran.stderr


def test_json_says_what_was_written(run, tiny_model: Path, tmp_path: Path) -> None:
    out = tmp_path / "wave.npy"
    ran = run("generate", "a person waves", "--seconds", 2, "--out", out, "--model", tiny_model, "--json")
    (row,) = json.loads(ran.out)
    assert (row["path"], row["caption"], row["frames"], row["seconds"]) == (str(out), "a person waves", 40, 2.0)
    assert [example["route"] for example in row["examples"]] == ["t2m", "t2t"]
    assert all(example["used"] for example in row["examples"]) and row["warnings"] == []
    assert np.load(out).shape == (40, 22, 3)


def test_examples_are_pinned_and_banned_as_in_python(run, tiny_model: Path, tmp_path: Path) -> None:
    model = remogpt.ReMoGPT.from_pretrained(tiny_model)
    hits = [hit.id for hit in model.search("a person waves", k=4)]
    words = ("--ban", hits[0], "--pin", hits[3], "--ban", hits[1], "--seconds", 1, "--out", tmp_path / "m.npy")
    ran = run("generate", "a person waves", *words, "--content", "features", "--model", tiny_model)
    assert "pinned, score" in ran.out and f": {hits[3]}  " in ran.out and not {hits[0], hits[1]} & set(ran.out.split())
    options = remogpt.GenerationOptions(exclude=hits[:2], pinned=hits[3:])
    (answer,) = model.generate("a person waves", seconds=1, seed=0, options=options)
    assert np.array_equal(np.load(tmp_path / "m.npy"), answer.motion.features)


@pytest.mark.parametrize(
    ("words", "options"),
    [
        ((), {}),
        (("--no-verify", "--raw-body"), {"verify": False, "cleanup": False}),
        (("--no-retrieval", "--guidance", "1.5"), {"examples": "none", "guidance": 1.5}),
        (("--best-of", "3", "--retrieved", "0", "--joined", "2", "--copy-strength", "0.5"),
         {"best_of": 3, "retrieved": 0, "joined": 2, "strength": 0.5}),
        (("--routes", "t2m,t2t", "--k", "2", "--ban", "a", "--pin", "b"),
         {"routes": ("t2m", "t2t"), "k": 2, "exclude": ["a"], "pinned": ["b"]}),
    ],
)  # fmt: skip
def test_options_of_the_command_are_those_of_python(words: tuple[str, ...], options: dict[str, object]) -> None:
    args = command_parser("generate").read(["a person walks", "--out", "m.npy", *words])
    assert generation_options(args) == remogpt.GenerationOptions(**options)


def test_who_retrieves_nothing_needs_no_database(run, tiny_model: Path, tmp_path: Path) -> None:
    words = ("--no-retrieval", "--database", tmp_path / "nowhere", "--ban", "000001", "--seconds", 1)
    ran = run("generate", "a person waves", *words, "--out", tmp_path / "m.npy", "--model", tiny_model)
    assert ran.code == 0, ran.err


def test_samples_go_to_a_folder(run, tiny_model: Path, tmp_path: Path) -> None:
    ran = run("generate", "a person waves", "--num-samples", 2, "--out", tmp_path / "m", "--format", "npy",
              "--seconds", 1, "--model", tiny_model)  # fmt: skip
    assert ran.code == 0
    names = sorted(path.name for path in (tmp_path / "m").iterdir())
    assert names == ["0001_a_person_waves_0.npy", "0001_a_person_waves_1.npy"]


def test_a_file_of_captions_goes_on_past_a_bad_line(run, tiny_model: Path, tmp_path: Path) -> None:
    prompts = tmp_path / "prompts.txt"
    prompts.write_text("a person walks\n\n###\nsomeone claps: twice\n", encoding="utf-8")
    ran = run("generate", "--file", prompts, "--out", tmp_path / "m", "--format", "npz", "--seconds", 1,
              "--no-retrieval", "--model", tiny_model)  # fmt: skip
    assert ran.code == 1
    assert sorted(path.name for path in (tmp_path / "m").iterdir()) == [
        "0001_a_person_walks.npz",
        "0004_someone_claps_twice.npz",
    ]
    complaints = [line for line in ran.err.splitlines() if "%|" not in line and "it/s" not in line]
    assert any(line.startswith("line 3: '###': the caption '###' holds no words") for line in complaints)
    assert complaints[-1].startswith("1 of 3 captions could not be used")


def test_a_caption_in_many_scripts_has_a_usable_file_name(run, tiny_model: Path, tmp_path: Path) -> None:
    prompts = tmp_path / "prompts.txt"
    prompts.write_text("\ufeff" + "走る人が右手を振る" * 12 + "\n../../etc/passwd waves\n", encoding="utf-8")
    ran = run("generate", "--file", prompts, "--out", tmp_path / "m", "--format", ".npy", "--seconds", 1,
              "--no-retrieval", "--model", tiny_model)  # fmt: skip
    assert ran.code == 0
    names = sorted(path.name for path in (tmp_path / "m").iterdir())
    assert len(names) == 2 and names[1] == "0002_etc_passwd_waves.npy" and "\ufeff" not in names[0]


@pytest.mark.parametrize("text", ["null", "5", "true", "[1, 2]", "{a: 1}", "a person: walks", "1e3", "'"])
def test_any_text_is_a_caption(run, tiny_model: Path, tmp_path: Path, text: str) -> None:
    ran = run("generate", text, "--seconds", 1, "--out", tmp_path / "m.npy", "--no-retrieval", "--model", tiny_model,
              "--json")  # fmt: skip
    assert ran.code == 0 and json.loads(ran.out)[0]["caption"] == text


def test_what_a_user_may_get_wrong(run, tiny_model: Path, tmp_path: Path) -> None:
    """Each is refused in one line before anything is written."""
    (tmp_path / "file").write_text("x")
    (tmp_path / "empty.txt").write_text("\n\n")
    (tmp_path / "binary.txt").write_bytes(b"\xff\xfe\x00walks")
    (tmp_path / "folder.bvh").mkdir()
    (tmp_path / "there.npy").write_bytes(b"precious")
    before = sorted(path.name for path in tmp_path.iterdir())
    cases = {
        ("",): "the caption '' holds no words",
        (): "give a caption, or --file",
        ("walks", "--file", tmp_path / "empty.txt"): "give a caption, or --file",
        ("--file", tmp_path / "nowhere.txt"): "no file",
        ("--file", tmp_path / "empty.txt"): "holds no captions",
        ("--file", tmp_path / "binary.txt"): "not UTF-8 text",
        ("walks", "--out", tmp_path / "m.fbx"): "--out must end in .npy, .npz, .bvh, .glb, .html, .gif, .mp4, .png,",
        ("walks", "--out", tmp_path / "binary.txt.bvh", "--trim", "x"): "trim: wanted START:END in seconds",
        ("walks", "--out", tmp_path / "m.glb", "--up", "z"): "up 'z' has no place in a .glb file",
        ("walks", "--out", "-", "--num-samples", 2): "several motions need a folder, but --out is -",
        ("walks", "--out", tmp_path / "there.npy"): "there.npy is there already; give --force to replace it",
        ("walks", "--out", ""): "--out must end in",
        ("walks", "--out", tmp_path / "folder.bvh"): "is a folder; name a file in it",
        ("walks", "--out", tmp_path / "file" / "m.bvh"): "is a file, not a folder; choose another path",
        ("walks", "--num-samples", 2, "--out", tmp_path / "m.bvh"): "several motions need a folder",
        ("walks", "--num-samples", 2, "--out", tmp_path / "file"): "is a file; name another folder",
        ("walks", "--num-samples", 0): "--num-samples must be at least 1",
        ("walks", "--num-samples", 2, "--out", tmp_path / "m", "--format", "fbx"): "--format must be",
        ("walks", "--seconds", 61): "between 0.4 and 60, got 61",
        ("walks", "--seconds", 0.3): "between 0.4 and 60, got 0.3",
        ("walks", "--seconds", "long"): "--seconds: wanted a number, got long",
        ("walks", "--seed", -1): "a seed must be 0 or more, got -1",
        ("walks", "--temperature", -1): "temperature >= 0",
        ("walks", "--precision", "int4"): "precision must be one of float32, bfloat16, int8, got 'int4'",
        ("walks", "--sed", 3): "no option '--sed'; did you mean '--seed'?",
        ("walks", "forward"): "cannot use 'forward'",
        ("walks", "--database", tmp_path / "nowhere"): "no motion database in",
        ("walks", "--pin", "000001", "nobody"): "has no entry of that id; 'remogpt search' shows ids",
        ("walks", "--ban", "nobody"): "--ban nobody: the database",
        ("walks", "--no-retrieval", "--pin", "000001"): "pinned would be without effect",
        ("walks", "--model", tmp_path / "nowhere"): "is not a model folder: there is no such folder",
        ("walks", "--model", tmp_path): "is not a model folder: it has no remogpt.json",
    }
    for words, message in cases.items():
        more = () if "--model" in words else ("--model", tiny_model)
        more += () if "--out" in words else ("--out", tmp_path / "m.npy")
        assert message in run("generate", *words, *more).complaint, words
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_a_caption_cannot_write_into_its_page(run, tiny_model: Path, tmp_path: Path) -> None:
    out = tmp_path / "m.html"
    text = "a person </script><script>alert(1)</script> waves"
    assert run("generate", text, "--seconds", 1, "--out", out, "--model", tiny_model).code == 0
    page = out.read_text(encoding="utf-8")
    assert "<script>alert(1)" not in page and "alert(1)" in page


def test_an_installation_without_its_model_says_so(run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from remogpt.runtime.folders import find_model

    monkeypatch.setattr(find_model.resources, "files", lambda _: tmp_path)
    complaint = run("generate", "walks", "--out", tmp_path / "m.npy").complaint
    assert "no embedded model in" in complaint and "install remogpt anew" in complaint


@pytest.mark.parametrize(
    ("made_of", "told"),
    [
        ({"copied_from": "000004"}, "  the motion 000004 of the database, as it is; --retrieved 0 writes one\n"),
        (
            {"joined_from": ["a", "b"]},
            "  stretches of the motions a and b of the database, joined; --joined 0 joins none\n",
        ),
        (
            {"follows": ["a"]},
            "  written by the model, which followed stretches of the motions a of the database, joined\n",
        ),
        ({}, "  written by the model\n"),
    ],
)
def test_it_tells_what_a_motion_is_made_of(
    made_of: dict[str, object], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    _tell({"copied_from": None, "joined_from": [], "follows": [], **made_of, "checks": []})
    assert capsys.readouterr().out == told
