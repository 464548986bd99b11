"""The evaluation of a real, tiny, untrained model on the procedural set: every part runs and every number is there."""

import numpy as np

from remogpt.data.humanml3d import MotionTextSet
from remogpt.eval.mini import EvalConfig, evaluate_model
from remogpt.pipeline import ReMoGPT


def test_an_untrained_model_is_measured_and_scores_nothing_to_be_proud_of(tiny_model, tiny_set, tmp_path):
    motions = MotionTextSet.open(tiny_set)
    model = ReMoGPT.from_pretrained(tiny_model)
    report = evaluate_model(model, motions, tmp_path, EvalConfig(batch_size=2))
    results = {name: result["scores"] for name, result in report["results"].items()}
    modes = [f"{mode}{count}" for mode in ("retrieval", "no_retrieval") for count in ("", "_best_of_8")]
    assert set(results) == {
        "reconstruction/test", "retrieval/test",
        *(f"{part}/test/{mode}" for part in ("generation", "captioning") for mode in modes),
    }  # fmt: skip
    assert 0.0 < results["reconstruction/test"]["mpjpe"] < 3000.0
    for mode in modes:
        facts = results[f"generation/test/{mode}"]["facts"]
        assert 0.0 <= facts["share"] < facts["real"] <= 1.0
        assert facts["num_facts"] == sum(entry["num_facts"] for entry in facts["by_factor"].values())
        assert all(np.isfinite(value["mean"]) for value in results[f"generation/test/{mode}"]["physical"].values())
        assert results[f"captioning/test/{mode}"]["raw"]["bleu1"] <= 1.0
    test_ids = {clip.id for clip in motions.clips("test")}
    for item in results["generation/test/retrieval"]["items"]:
        assert len(item["examples"]) == 2 and not test_ids & set(item["examples"])
    assert "| test | retrieval |" in (tmp_path / "report.md").read_text()
