"""Models that say themselves in which ways they write motions, and those that leave it to the settings."""

from types import SimpleNamespace

import numpy as np
import pytest

from remogpt.eval.runs.config import EvalConfig
from remogpt.eval.runs.evaluate import evaluate
from remogpt.eval.runs.modes import Mode, modes
from remogpt.eval.runs.run import Run
from remogpt.motion.motion import Motion
from remogpt.motion.skeleton import FPS
from remogpt.runtime.errors import RemogptError
from tests.eval.runs import quick

QUICK = {**quick.QUICK, "best_of": (1, 8), "memorisation": False}


class Decoder:
    """Writes everybody's first motion at the length that is asked for; reconstructs losslessly."""

    manifest = {"name": "decoder", "hashes": {"retriever": "abc"}}  # noqa: RUF012
    modes = (
        Mode("synthesis", retrieval=False, true_length=True, is_drawn=False),
        Mode("reconstruction", retrieval=False, true_length=True, is_drawn=False, reads_motion=True),
    )

    def __init__(self, motions):
        self.first = motions.features(motions.clips("test")[0])
        self.seconds, self.read = [], []

    def generate(self, text, *, seconds=None, seed=None, database=None, options=None):
        assert len(text) == len(seconds) == len(options.exclude) and (options.examples, options.best_of) == ("none", 1)
        self.seconds += seconds
        return [[self._answer(self.first[: round(value * FPS)])] for value in seconds]

    def reconstruct_batch(self, motions):
        self.read += [len(row) for row in motions]
        return [self._answer(row) for row in motions]

    def _answer(self, features):
        return SimpleNamespace(motion=Motion.from_features(features), codes=np.zeros(0, int), examples=[])


@pytest.fixture(scope="module")
def scored(world, known_set, tmp_path_factory):
    decoder, out = Decoder(known_set), tmp_path_factory.mktemp("modes")
    config = EvalConfig(**QUICK, generations=3, num_multimodal=4, multimodal_generations=2)
    run = Run(known_set, out, config, decoder, world.Evaluator(known_set))
    return evaluate(run, ["generation"])["results"], decoder, run


def test_a_model_is_scored_in_its_own_modes(scored, known_set):
    results, decoder, run = scored
    own = {f"generation/test/{mode}" for mode in ("synthesis", "reconstruction")}
    assert set(results) == own | {f"generation/test/{mode}" for mode in ("real", "nearest_training")}
    clips = known_set.clips("test")
    assert not run.config.true_length and sorted(decoder.seconds) == sorted(clip.num_frames / FPS for clip in clips)
    assert sorted(decoder.read) == sorted(clip.num_frames for clip in clips)
    for name in own:
        card = results[name]["card"]
        assert card["true_length"] is True and card["generations"] == 1 and card["retrieval"] is False
        assert card["model"] == "decoder" and "multimodal" not in card and card["database_sha256"] is None
        assert "multimodality" not in results[name]["scores"]["evaluator"]
    makers = {name: results[name]["card"]["made_by"] for name in own}
    assert makers["generation/test/synthesis"] == "the model"
    assert makers["generation/test/reconstruction"] == "the model from the real motion"


def test_a_lossless_reconstruction_scores_as_the_real_motions(scored):
    results = {name.rsplit("/", 1)[1]: result["scores"]["evaluator"] for name, result in scored[0].items()}
    assert results["reconstruction"]["t2m/R1"]["mean"] == results["real"]["t2m/R1"]["mean"] == 1.0
    assert results["reconstruction"]["fid"]["mean"] == pytest.approx(0.0, abs=1e-4)
    assert results["synthesis"]["t2m/R1"]["mean"] < 0.1 and results["synthesis"]["fid"]["mean"] > 0.01


def test_others_answer_as_the_settings_say(known_set, oracle, tmp_path):
    run = Run(known_set, tmp_path, EvalConfig(**QUICK), oracle)
    assert [mode.name for mode in modes(run)] == [
        "retrieval", "retrieval_best_of_8", "no_retrieval", "no_retrieval_best_of_8"
    ]  # fmt: skip
    assert [(mode.retrieval, mode.best_of) for mode in modes(run)] == [(True, 1), (True, 8), (False, 1), (False, 8)]
    assert all(mode.is_drawn and not mode.reads_motion and not mode.gives_length(run) for mode in modes(run))
    told = Run(known_set, tmp_path, EvalConfig(**QUICK, true_length=True), oracle)
    assert all(mode.gives_length(told) for mode in modes(told))
    del oracle.manifest["hashes"]["database"]
    assert [mode.name for mode in modes(run)] == ["no_retrieval", "no_retrieval_best_of_8"]


def test_a_model_that_checks_facts_is_scored_by_them_and_without(known_set, tmp_path):
    settings = {"verify": True, "fact_weight": 3.0, "retrieved": 8, "best_of": 8}
    manifest = {"name": "m", "hashes": {"retriever": "abc", "database": "abc"}, "generation": settings}
    model = SimpleNamespace(manifest=manifest)
    run = SimpleNamespace(model=model, own_database_hash="abc", config=EvalConfig(best_of=(1, 8)))
    found = {mode.name: mode for mode in modes(run)}
    assert list(found) == [
        "verified", "verified_best_of_8", "default", "default_raw_body", "retrieval", "retrieval_best_of_8",
        "no_retrieval", "no_retrieval_best_of_8",
    ]  # fmt: skip
    default, verified, plain = (found[name].options(run, []) for name in ("default", "verified_best_of_8", "retrieval"))
    assert (default.retrieved, default.verify, default.fact_weight, default.best_of) == (None, None, None, 8)
    assert (verified.retrieved, verified.verify, verified.fact_weight) == (0, None, None)
    assert (plain.retrieved, plain.verify, plain.fact_weight) == (0, False, 0.0)
    assert default.cleanup and not found["default_raw_body"].options(run, []).cleanup
    assert found["default_raw_body"].card(run) == found["default"].card(run) | {"cleanup": False}
    assert found["default"].card(run) != found["verified_best_of_8"].card(run) != found["retrieval"].card(run)
    run.config = EvalConfig(best_of=(1, 8), cleanup=False)  # as papers score motions
    assert not found["default"].options(run, []).cleanup and found["default"].card(run)["cleanup"] is False
    del settings["verify"]
    assert "default" in {mode.name for mode in modes(run)}, "a finder of facts may tell them"
    del settings["fact_weight"]
    assert [mode.name for mode in modes(run)][:3] == ["default", "default_raw_body", "retrieval"], "motions compete"
    del settings["retrieved"]
    assert "default" not in {mode.name for mode in modes(run)}


def test_modes_that_are_named_are_evaluated_alone(known_set, oracle, tmp_path):
    run = Run(known_set, tmp_path, EvalConfig(**QUICK, modes=("no_retrieval",)), oracle)
    assert [mode.name for mode in modes(run)] == ["no_retrieval"]
    unknown = Run(known_set, tmp_path, EvalConfig(**QUICK, modes=("best",)), oracle)
    with pytest.raises(RemogptError, match="mode 'best'; its modes are retrieval, retrieval_best_of_8, no_retrieval"):
        modes(unknown)
