"""Motions and captions that somebody else wrote are scored from their files."""

import re

import numpy as np
import pytest

from remogpt.eval.runs.config import EvalConfig
from remogpt.eval.runs.evaluate import evaluate, evaluate_captions
from remogpt.eval.runs.run import Run
from remogpt.eval.runs.shown import NUM_KEPT
from remogpt.motion import features_to_joints
from remogpt.runtime.files import read_json, write_json, write_npy
from tests.eval.runs.quick import QUICK

pytestmark = pytest.mark.usefixtures("no_plots")


def test_motions_of_somebody_else_are_scored_from_their_files(known_set, tmp_path, evaluator):
    folder = tmp_path / "theirs"
    for index, clip in enumerate(known_set.clips("test")):
        features = known_set.features(clip)
        write_npy(folder / f"{clip.id}.npy", features_to_joints(features) if index % 2 else features)
    run = Run(known_set, tmp_path / "out", EvalConfig(**QUICK), evaluator=evaluator, generated=folder)
    report = evaluate(run, ["generation"])
    result = report["results"]["generation/test/files"]
    assert result["card"]["made_by"] == "files" and result["card"]["clips_without_file"] == 0
    assert result["scores"]["evaluator"]["t2m/R1"]["mean"] > 0.9
    assert set(report["results"]) == {f"generation/test/{mode}" for mode in ("files", "real", "nearest_training")}
    (folder / f"{known_set.ids('test')[0]}.npy").unlink()
    assert evaluate(run, ["generation"])["results"]["generation/test/files"]["card"]["clips_without_file"] == 1
    write_npy(folder / f"{known_set.ids('test')[0]}.npy", np.zeros((5, 7)))
    assert evaluate(run, ["generation"])["results"]["generation/test/files"]["card"]["clips_without_file"] == 1
    (reason,) = run.motions.left_out.values()
    assert "000000.npy holds (5, 7), wanted features" in reason


def test_what_the_figures_show_is_kept(known_set, oracle, evaluator, tmp_path):
    config = EvalConfig(splits=("test",), controls=False, memorisation=False, modes=("retrieval",), best_of=(1,))
    run = Run(known_set, tmp_path / "own", config, oracle, evaluator)
    evaluate(run, ("generation", "captioning"))
    names = sorted(path.stem for path in (tmp_path / "own/shown/test/real").glob("*.npy"))
    assert 0 < len(names) <= NUM_KEPT
    for name in names:
        assert np.array_equal(np.load(tmp_path / f"own/shown/test/real/{name}.npy"), known_set.features(name))
        example = np.load(tmp_path / f"own/shown/test/generation/retrieval_examples/{name}_1.npy")
        assert np.array_equal(example, known_set.features(known_set.ids("test")[0]))
    items = read_json(tmp_path / "own/motions/test/retrieval/samples.json")["items"]
    assert all(item["example_captions"] == ["a copy"] for item in items)
    files = tmp_path / "own/motions/test/retrieval"
    evaluate(Run(known_set, tmp_path / "theirs", config, evaluator=evaluator, generated=files), ("generation",))
    for name in names:
        shown = np.load(tmp_path / f"theirs/shown/test/generation/files/{name}.npy")
        assert np.array_equal(shown, np.load(files / f"{name}.npy"))


def test_each_of_several_generations_is_a_repeat(known_set, evaluator, tmp_path):
    folder, clips = tmp_path / "theirs", known_set.clips("test")
    for number, shift in ((0, 0), (1, 1)):  # the second generation belongs to other captions
        generation = folder if not number else folder / "generation_01"
        for at, clip in enumerate(clips):
            write_npy(generation / f"{clip.id}.npy", known_set.features(clips[(at + shift) % len(clips)]))
    config = EvalConfig(**QUICK, controls=False, memorisation=False)
    run = Run(known_set, tmp_path / "out", config, evaluator=evaluator, generated=folder)
    result = evaluate(run, ["generation"])["results"]["generation/test/files"]
    assert (result["card"]["generations"], result["card"]["repeats"]) == (2, 2)
    assert result["scores"]["evaluator"]["t2m/R1"]["mean"] == pytest.approx(0.5, abs=0.02)
    write_npy(folder / "generation_01" / f"{clips[3].id}.npy", known_set.features(clips[3]))
    changed = evaluate(run, ["generation"])["results"]["generation/test/files"]
    assert changed["card"]["files_sha256"] != result["card"]["files_sha256"]


def test_files_need_not_answer_for_every_split(known_set, evaluator, tmp_path):
    for clip in known_set.clips("train")[:3]:
        write_npy(tmp_path / "theirs" / f"{clip.id}.npy", known_set.features(clip))
    config = EvalConfig(**QUICK, splits=("test", "train"), memorisation=False, controls=False)
    report = evaluate(
        Run(known_set, tmp_path, config, evaluator=evaluator, generated=tmp_path / "theirs"), ["generation"]
    )
    assert set(report["results"]) == {"generation/train/files"} and report["missing_splits"] == ["test"]
    write_json(tmp_path / "captions.json", {clip.id: clip.captions[0]})
    report = evaluate(Run(known_set, tmp_path, config, captions=tmp_path / "captions.json"), ["captioning"])
    assert "captioning/train/files" in report["results"] and report["missing_splits"] == ["test"]


def test_captions_of_somebody_else_with_a_set_and_without(known_set, evaluator, tmp_path):
    given = {clip.id: clip.captions[1] for clip in known_set.clips("test")[1:]}
    write_json(tmp_path / "captions.json", given)
    run = Run(known_set, tmp_path / "a", EvalConfig(**QUICK), evaluator=evaluator, captions=tmp_path / "captions.json")
    result = evaluate(run, ["captioning"])["results"]["captioning/test/files"]
    assert result["scores"]["raw"]["bleu4"] == pytest.approx(1.0) and result["card"]["clips_without_file"] == 1
    rows = [{"id": "1", "caption": "a person walks on", "references": ["a person walks on", "he goes"]},
            {"id": "2", "caption": "he waves", "references": ["somebody jumps"]}]  # fmt: skip
    write_json(tmp_path / "rows.json", rows)
    report = evaluate_captions(tmp_path / "b", tmp_path / "rows.json", EvalConfig())
    assert 0.0 < report["results"]["captioning/all/files"]["scores"]["raw"]["rougeL"] < 1.0
    del rows[1]["references"]
    write_json(tmp_path / "rows.json", rows)
    with pytest.raises(ValueError, match="the caption of '2' has no references"):
        evaluate_captions(tmp_path / "b", tmp_path / "rows.json", EvalConfig())
    write_json(tmp_path / "captions.json", {"nobody": "a person walks"})
    with pytest.raises(ValueError, match="none of them a clip of this split"):
        evaluate(run, ["captioning"])


def test_a_file_that_is_no_motion_is_named(known_set, evaluator, tmp_path):
    folder, name = tmp_path / "theirs", known_set.ids("test")[7]
    for clip in known_set.clips("test"):
        write_npy(folder / f"{clip.id}.npy", known_set.features(clip))
    run = Run(
        known_set, tmp_path / "out", EvalConfig(**QUICK, memorisation=False), evaluator=evaluator, generated=folder
    )
    for array, reason in (
        (np.zeros((3, 263)), "wanted at least 4 frames, got 3"),
        (np.full((40, 263), np.nan), "wanted finite numbers, got nan"),
        (np.zeros((40, 22, 3)), "left_hip lies on pelvis"),
        (np.zeros((40, 21, 3)), r"holds \(40, 21, 3\), wanted features"),
    ):
        write_npy(folder / f"{name}.npy", array)
        run.motions.left_out.clear()
        card = evaluate(run, ["generation"])["results"]["generation/test/files"]["card"]
        assert card["clips_without_file"] == 1
        ((path, why),) = run.motions.left_out.items()
        assert path.endswith(f"{name}.npy") and re.search(reason, why)
