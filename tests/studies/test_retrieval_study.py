"""The retrieval study on a handful of clips: it runs, goes on, and sums up."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from remogpt.runtime.errors import RemogptError
from remogpt.runtime.vector_cache import VectorCache
from studies import retrieval_study
from studies.retrieval import runs, scores, sets, summary, texts, variants

NUM_CLIPS = 24


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A work folder with a procedural set of 24 clips."""
    folder: Path = tmp_path_factory.mktemp("study")
    sets.prepare("procedural", folder, None, NUM_CLIPS)
    return folder


@pytest.fixture
def words(work: Path, tiny_text_model: Path, tmp_path: Path) -> list[str]:
    """A command line that takes seconds."""
    return ["--work", str(work), "--sets", "procedural", "--seeds", "0", "--workers", "1", "--clips", str(NUM_CLIPS),
            "--steps", "3", "--batch-size", "4", "--text-model", str(tiny_text_model),
            "--out", str(tmp_path / "summary.json"), "--variants", "tmr", "pl_tmr"]  # fmt: skip


def test_runs_once_then_only_sums_up(
    words: list[str], work: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert retrieval_study.main(words) == 0
    assert "2 to do" in capsys.readouterr().out
    summary = json.loads((tmp_path / "summary.json").read_text())
    rows = summary["sets"]["procedural"]
    assert set(rows) == {"tmr", "pl_tmr"} and summary["num_runs"] == 2
    assert all(0 < row["parameters"] <= 3_000_000 and row["steps"] == 3 for row in rows.values())
    table = (tmp_path / "summary.md").read_text()
    assert "| pl_tmr | 1 |" in table and "procedural, test_unseen" in table

    results = {path: path.stat().st_mtime_ns for path in work.glob("runs/procedural/*/*/result.json")}
    assert len(results) == 2
    assert retrieval_study.main(words) == 0
    assert "2 of 2 runs are there; 0 to do" in capsys.readouterr().out
    assert results == {path: path.stat().st_mtime_ns for path in results}
    # Nothing that only resuming needs is kept.
    assert not list(work.glob("runs/procedural/*/*/run/training.pt"))

    assert retrieval_study.main([*words, "--summary", "--seeds", "7"]) == 2
    assert "no run has ended" in capsys.readouterr().err


@pytest.mark.slow
def test_a_killed_run_goes_on_to_the_same_result(
    work: Path, tiny_text_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = {"steps": 4, "batch_size": 4, "save_every": 2}
    study = runs.Study(work, None, NUM_CLIPS, str(tiny_text_model), {"loop": loop})
    run = runs.Run("procedural", "pl_tmr", 0)
    runs.prepare_runs([run], study)
    whole = runs.carry_out(run, study)

    class Killed(BaseException):
        pass

    shown = 0
    own = sets.StudySet.features

    def dying(self: Any, number: int) -> np.ndarray:
        nonlocal shown
        shown += 1
        if shown > before:
            raise Killed
        features: np.ndarray = own(self, number)
        return features

    # A copy of the set in another work folder, so that the same run starts anew.
    other = replace(study, work=tmp_path)
    (tmp_path / "sets").symlink_to(work / "sets")
    clips = sets.StudySet(work / "sets" / "procedural")
    before = len(clips.pairs("train")) + 1 + len(clips.pairs("val")) + 4 * 3
    with monkeypatch.context() as patch:
        patch.setattr(sets.StudySet, "features", dying)
        with pytest.raises(Killed):
            runs.carry_out(run, other)
    assert (run.folder(other) / "run" / "training.pt").is_file() and run.result(other) is None
    resumed = runs.carry_out(run, other)
    assert resumed["scores"] == whole["scores"]
    assert whole["seconds"]["is_whole"] and not resumed["seconds"]["is_whole"]


def test_a_run_that_another_process_holds_is_left_alone(work: Path, tiny_text_model: Path) -> None:
    study = runs.Study(work, None, NUM_CLIPS, str(tiny_text_model), {"loop": {"steps": 1, "batch_size": 4}})
    run = runs.Run("procedural", "tmr", 5)
    with runs._claim(run.folder(study)) as is_ours:
        assert is_ours and runs.carry_out(run, study) is None
    assert run.result(study) is None


def test_rows_of_what_was_taken_out_stay(words: list[str], tmp_path: Path) -> None:
    results = retrieval_study.RESULTS
    measured = json.loads(results.read_text())
    assert summary.markdown(measured) == results.with_suffix(".md").read_text()
    assert not set(variants.TAKEN_OUT) & set(variants.VARIANTS)
    (tmp_path / "summary.json").write_text(results.read_text())
    assert retrieval_study.main(words) == 0
    rows = json.loads((tmp_path / "summary.json").read_text())["sets"]["procedural"]
    assert set(rows) == {"tmr", "pl_tmr", *variants.TAKEN_OUT}
    assert all(rows[name] == measured["sets"]["procedural"][name] for name in variants.TAKEN_OUT)
    table = (tmp_path / "summary.md").read_text()
    assert "| pl_tmr_queue | 3 | 0.89 M | 370 | 172 | 49.7 ± 3.3 |" in table and "taken out again" in table


@pytest.mark.slow
def test_training_and_test_find_the_states_that_were_prepared(
    work: Path, tiny_text_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = runs.Study(work, None, NUM_CLIPS, str(tiny_text_model), {"loop": {"steps": 2, "batch_size": 4}})
    both = [runs.Run("procedural", name, 3) for name in ("pl_tmr_best", "tmr")]
    runs.prepare_runs(both, study)

    def computed(self: Any, sentences: Sequence[str]) -> None:
        raise AssertionError(f"{len(sentences)} captions were embedded again")

    monkeypatch.setattr("remogpt.retriever.text.frozen_text_model.FrozenText.prepare", computed)
    assert all(runs.carry_out(run, study)["scores"]["test"]["num_captions"] for run in both)


def test_token_states_of_one_variant_are_not_computed_for_another(work: Path, tiny_text_model: Path) -> None:
    import torch

    source = texts.KnownText(str(tiny_text_model))
    sentences = ["a person walks", "a man waves the left"]
    other = texts.KnownText(str(tiny_text_model))  # `source` would remember what it has been asked lately
    expected = {sentence: other.prepare([sentence])[0][0] for sentence in [*sentences, "the right"]}
    source.caches.append(texts.CachedText(source, sentences, VectorCache(work / "known")))
    asked = []
    own = source._model.states
    source._model.states = lambda ids, mask: asked.append(len(ids)) or own(ids, mask)
    states, lengths = source.prepare([sentences[1], "the right", sentences[0]])
    assert asked == [1]  # the one sentence that no cache holds
    for row, length, sentence in zip(states, lengths, [sentences[1], "the right", sentences[0]], strict=True):
        torch.testing.assert_close(row[:length], expected[sentence], atol=2e-3, rtol=0)
        assert not row[length:].any()


@pytest.mark.slow
def test_every_variant_is_within_the_limits_and_has_a_folder_of_its_own() -> None:
    from remogpt.retriever.training.new_retriever import new_retriever, new_tmr_retriever
    from remogpt.retriever.training.tmr import TMRTrainingConfig

    study = runs.Study(Path("work"))
    folders = {runs.Run("bandai", name, 0).folder(study).name for name in variants.VARIANTS}
    assert len(folders) == len(variants.VARIANTS)
    for name, variant in variants.VARIANTS.items():
        settings = variants.settings_of(variant, 0, variants.TEXT_MODEL, {})
        config = variants.training_config(variant, settings)
        count = 263 * (variants.PATCH if isinstance(config, TMRTrainingConfig) else 1)
        mean, std = np.zeros(count), np.ones(count)
        if isinstance(config, TMRTrainingConfig):
            import torch

            statistics = torch.from_numpy(mean), torch.from_numpy(std)
            retriever = new_tmr_retriever(config.model, config.text_model, *statistics)
        else:
            retriever = new_retriever(config.model, config.text_model, False, mean, std)
        assert 300_000 < runs.count_parameters(retriever) <= variants.MAX_PARAMETERS, name


def test_an_unknown_setting_is_named() -> None:
    variant = variants.Variant("pl_tmr", {"model": {"wings": 2}, "loop": {"steps": 1}})
    with pytest.raises(RemogptError, match="PLTMRConfig has no field wings"):
        variants.training_config(variant, variants.settings_of(variant, 0, "x", {}))


def test_rows_are_split_without_overlap_and_mirrored(work: Path) -> None:
    clips = sets.StudySet(work / "sets" / "procedural", patch=4)
    by_split = {split: {clips.rows[n].id for n in clips.numbers(split)} for split in ("train", "val", "test")}
    assert all(by_split.values())
    assert sum(map(len, by_split.values())) == len(set().union(*by_split.values()))
    pairs = clips.pairs("train", is_grouped=True)
    assert len(by_split["train"]) < len(pairs) <= 2 * len(by_split["train"])
    for place, partner in enumerate(pairs.partners):
        if partner >= 0:
            assert pairs.partners[partner] == place and pairs.load(place).shape == pairs.load(int(partner)).shape
    row = clips.rows[0]
    assert clips.features(0).shape == (-(-row.num_frames // 4), 4 * 263)
    np.testing.assert_array_equal(clips.features(0)[0, 263:526], clips.frames[row.first + 1])


def test_a_mirror_image_of_what_is_kept_out_is_not_trained_on(work: Path, tmp_path: Path) -> None:
    source = sets._procedural(work / "sources" / "procedural", NUM_CLIPS)[0]
    kept_out = replace(source, split="test_unseen", label="wave[left]")
    sources = [replace(source, split="train", label=label) for label in ("wave[right]", "kick[right]")]
    sets._pack("procedural", [*sources, kept_out], tmp_path, {})
    clips = sets.StudySet(tmp_path)
    trained = [(row.label, row.is_mirrored, row.mirror) for row in clips.rows if row.split == "train"]
    assert trained == [("wave[right]", False, -1), ("kick[right]", False, 2), ("kick[left]", True, 1)]
    with pytest.raises(RemogptError, match="kept out of training stand in it"):
        sets._pack("procedural", [replace(sources[0], label="wave[left]"), kept_out], tmp_path / "other", {})


def test_a_set_of_another_size_is_not_taken_for_it(work: Path) -> None:
    with pytest.raises(RemogptError, match="was made of 24 clips, wanted 25; give that number with --clips"):
        sets.prepare("procedural", work, None, NUM_CLIPS + 1)


def test_labels_of_mirror_images() -> None:
    mirror = sets.mirror_label
    assert mirror("walk-turn-left, happy", ["a happy person turns right"]) == "walk-turn-right, happy"
    assert mirror("bye, sad", ["a sad person waves with the left hand"]) == "mirrored bye, sad"
    assert mirror("bow, sad", ["a sad person bows"]) == "bow, sad"


def test_files_that_touch_are_one_take() -> None:
    def file(start: float, end: float) -> np.ndarray:
        return np.linspace(start, end, 5)[:, None, None] * np.ones((1, 2, 3))

    recordings = {"d_walk_sad_001": file(0, 1), "d_walk_sad_002": file(1.05, 2), "d_walk_sad_010": file(2, 1),
                  "d_walk_sad_011": file(3, 4), "d_walk_happy_001": file(4, 5)}  # fmt: skip
    takes = sets.find_takes(recordings)
    names = list(recordings)
    assert takes[names[0]] == takes[names[1]] == takes[names[2]]  # what lies between 2 and 10 is missing
    assert len({takes[names[0]], takes[names[3]], takes[names[4]]}) == 3


def test_labels_are_kept_out_with_their_mirror_images() -> None:
    assert sets._in_blocks(10, sets.TAKES) == ["train"] * 7 + ["val"] + ["test"] * 2
    assert sets._in_blocks(4, sets.TAKES) == ["train"] * 4
    sizes = {f"{what}, {how}": 12 for what in ("run", "wave-left-hand", "wave-right-hand") for how in ("a", "b", "c")}
    unseen = sets.unseen_labels({**sizes, "bow, a": 12, "kick, a": 3, "kick, b": 3, "kick, c": 3})
    assert unseen == {"run, a", "wave-left-hand, b", "wave-right-hand, b"}
    assert {sets.mirror_label(label, []) for label in unseen} == unseen


def test_scores_of_a_known_table() -> None:
    similarity = np.array([[0.9, 0.1, 0.5], [0.8, 0.2, 0.4], [0.1, 0.7, 0.3]])
    asked = np.array([True, True, False]), np.array([True, False, True])
    own = np.eye(3, dtype=bool)
    found = scores.rank_scores(similarity, own, asked)
    assert found["t2m/R@1"] == 50 and found["t2m/MedR"] == 2  # ranks 1 and 3; the third caption does not ask
    assert found["m2t/R@1"] == 50 and found["m2t/R@3"] == 100  # ranks 1 and 3; the second motion does not ask
    assert found["t2m/chance_R@1"] == pytest.approx(33.333) and found["t2m/chance_R@10"] == 100
    labels = np.array(["a", "b", "b"])
    same = labels[:, None] == labels
    everything = np.ones(3, dtype=bool), np.ones(3, dtype=bool)
    macro = scores.macro_scores(similarity, same, everything, (labels, labels))
    # a is right; of the two b, the first caption prefers motion a, the second a motion of label b.
    assert macro["t2m/macro_R@1"] == 75 and macro["t2m/num_labels"] == 2


def test_sides_are_scored_against_mirror_images() -> None:
    # Two clips and their mirror images: the first caption prefers its own, the second its mirror image.
    similarity = np.array([[0.9, 0.1, 0.2, 0.0], [0.0, 0.3, 0.1, 0.8], [0.2, 0.0, 0.9, 0.1], [0.0, 0.2, 0.1, 0.9]])
    found = scores.side_scores(similarity, ["l", "l", "r", "r"])
    assert found["t2m/right"] == 50 and found["m2t/right"] == 100
    assert found["gallery"]["t2m/R@1"] == 50
