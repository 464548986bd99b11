"""Families: variants that differ from their clip in one factor, written as a split of their own."""

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from remogpt.data.humanml3d import MotionTextSet
from remogpt.data.procedural.families import FACTORS, vary
from remogpt.data.procedural.make import make_procedural_set, split_of
from remogpt.data.procedural.sample import sample_script
from remogpt.data.procedural.script import Action, Script

FIELDS = [field.name for field in fields(Action)]
PARAMETERS = ("count", "speed", "distance", "angle", "side", "direction")


def changed_fields(script: Script, variant: Script) -> set[str]:
    pairs = zip(script.actions, variant.actions, strict=True)
    return {name for old, new in pairs for name in FIELDS if getattr(old, name) != getattr(new, name)}


def test_a_variant_differs_in_its_factor_alone() -> None:
    seen = set()
    for seed in range(150):
        script = sample_script(np.random.default_rng(seed))
        for factor, variant in vary(script, np.random.default_rng(seed)):
            seen.add(factor)
            if factor == "order":
                assert sorted(map(repr, variant.steps)) == sorted(map(repr, script.steps))
                assert variant.steps != script.steps
            elif factor == "action":
                assert sum(old != new for old, new in zip(script.actions, variant.actions, strict=True)) == 1
            else:
                allowed = {factor, "distance"} if factor == "direction" else {factor}  # a jump up has no distance
                assert factor in changed_fields(script, variant) <= allowed
    assert seen == set(FACTORS)


@pytest.mark.parametrize("factor", PARAMETERS)
def test_asked_for_one_factor_only_that_one_is_varied(factor: str) -> None:
    scripts = [sample_script(np.random.default_rng(seed)) for seed in range(40)]
    found = [name for script in scripts for name, _ in vary(script, np.random.default_rng(0), factors=(factor,))]
    assert found and set(found) == {factor}


def test_distances_of_a_family_are_told_apart() -> None:
    pairs = []
    for seed in range(150):
        script = sample_script(np.random.default_rng(seed))
        for _, variant in vary(script, np.random.default_rng(seed), factors=("distance",)):
            old, new = ([action.distance for action in one.actions] for one in (script, variant))
            pairs += [sorted(both) for both in zip(old, new, strict=True) if both[0] != both[1]]
    # 1.6 times as far at least, but for rounding to decimetres.
    assert len(pairs) > 40 and all(far / near > 1.6 - 0.1 / near for near, far in pairs)
    assert min(far / near for near, far in pairs if near >= 1.5) > 1.55


def test_families_are_written_beside_the_training_split(tmp_path: Path) -> None:
    make_procedural_set(tmp_path, 12, seed=3, workers=1)
    plain = {split: MotionTextSet.open(tmp_path).ids(split) for split in ("train", "val", "test", "test_unseen")}
    make_procedural_set(tmp_path, 12, seed=3, workers=1, families=2)
    motions = MotionTextSet.open(tmp_path)
    assert {split: motions.ids(split) for split in plain} == plain
    variants = motions.ids("families")
    assert variants
    for clip_id in variants:
        tags = motions.item(clip_id)["tags"]
        assert tags["family"] in plain["train"][:2] and tags["changed"] in FACTORS
        assert split_of(tags["combination"], tags["num_actions"], clip_id, 0.06) != "test_unseen"
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "items").iterdir()}
    make_procedural_set(tmp_path, 12, seed=3, workers=1)
    assert MotionTextSet.open(tmp_path).ids("families") == variants
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "items").iterdir()} == before
