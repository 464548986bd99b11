"""The benchmark of reading and extraction, on a few motions, beside another checkout and a stand-in for HumanML3D's."""

import json
from pathlib import Path

import pytest

from benchmarks import motion_sets

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOK = """
from remogpt.motion import joints_to_features

def process_file(positions, threshold):
    assert (threshold, face_joint_indx, fid_l, tgt_offsets.shape) == (0.002, [2, 1, 17, 16], [7, 10], (22, 3))
    from remogpt.motion import joints_to_features
    return joints_to_features(positions), None, None, None

process_file("the main cell is not run")
"""


def test_numbers_and_differences(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reference = tmp_path / "HumanML3D"
    (reference / "common").mkdir(parents=True)
    (reference / "common" / "skeleton.py").write_text("Skeleton = None")
    (reference / "common" / "quaternion.py").write_text("")
    (reference / "paramUtil.py").write_text("t2m_raw_offsets = t2m_kinematic_chain = 0")
    (reference / "torch.py").write_text("from_numpy = lambda x: x\nset_num_threads = lambda n: None")
    cells = [{"cell_type": "markdown", "source": ["# a title"]}, {"cell_type": "code", "source": [NOTEBOOK]}]
    (reference / "motion_representation.ipynb").write_text(json.dumps({"cells": cells}))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setattr(
        motion_sets, "HUMANML3D", f"import sys; sys.path.append({str(ROOT)!r})\n{motion_sets.HUMANML3D}"
    )
    monkeypatch.setattr(motion_sets, "READ_ONCE", 40)
    out = tmp_path / "found.json"
    words = ["--clips", "5", "--extracted", "3", "--turns", "1", "--against", str(ROOT)]
    motion_sets.main([*words, "--reference", str(reference), "--out", str(out)])
    found = json.loads(out.read_text())
    assert found["reading"]["equal"] and set(found["reading"]["clips_per_second"]) == {
        "numpy.load", "set, its files", "set, packed", "packed motions",
    }  # fmt: skip
    assert found["extraction"]["largest_difference"] == {"against": 0.0, "HumanML3D": 0.0}
    assert set(found["extraction"]["batches_are_times_as_fast_as"]) == {"one at a time", "against", "HumanML3D"}


def test_a_checkout_that_fails_ends_the_benchmark(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="its code failed"):
        motion_sets.elsewhere(tmp_path, "raise SystemExit('no')", [])
