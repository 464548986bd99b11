"""Whole documents of any content, drawn by hypothesis, are read or refused by one clear error."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from remogpt.data.clip import Caption
from remogpt.data.humanml3d import ItemFile, SetFile
from remogpt.eval.runs.caption_files import read_captions
from remogpt.motion.door.bones import check_reach
from remogpt.retriever.database.entry import EntryInfo
from remogpt.retriever.database.version_files import Manifest as DatabaseManifest
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import read_json
from remogpt.runtime.folders.envelope import Envelope
from remogpt.runtime.folders.model_folder import Manifest

KINDS = (Envelope, Manifest, DatabaseManifest, SetFile, ItemFile)
KEYS = sorted({key for kind in KINDS for key in kind.__annotations__} | {"id", "caption", "captions", "references"})
NAMES = st.sampled_from(KEYS) | st.text(max_size=5)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=8),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=VALUES)
def test_json_of_any_content(value: Any, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps(value), encoding="utf-8", errors="surrogatepass")
    for kind in KINDS:
        try:
            assert isinstance(read_json(path, kind), dict)
        except RemogptError as error:
            assert "a.json" in str(error)
    try:
        read_captions(path, {})
    except RemogptError as error:
        assert "a.json" in str(error)


@settings(max_examples=80, deadline=None)
@given(value=VALUES)
def test_lines_of_a_database_of_any_content(value: Any) -> None:
    try:
        info = EntryInfo.from_line(json.dumps(value).encode())
    except RemogptError as error:
        assert "entries.jsonl" in str(error)
    else:
        assert EntryInfo.from_line(info.to_line()) == info


@settings(max_examples=200, deadline=None)
@given(
    line=st.text(max_size=30)
    | st.builds("{}#{}#{}#{}".format, st.text(max_size=5), st.text(max_size=5), st.floats(), st.floats())
)
def test_lines_of_captions(line: str) -> None:
    try:
        caption = Caption.from_line(line)
    except RemogptError:
        return
    assert caption.text.strip() and 0 <= caption.start < math.inf and 0 <= caption.end < math.inf
    assert caption.is_whole or caption.start < caption.end


@pytest.mark.parametrize("value", [np.inf, np.nan, 1e37, 400.0])
def test_a_joint_out_of_reach_is_named(value: float) -> None:
    rng = np.random.default_rng(0)
    joints = rng.normal(0, 0.4, (12, 22, 3)).astype(np.float32)
    check_reach(joints + np.array([90.0, 0.0, -70.0]), "walk.npy")
    joints[7, 3, 1] = value
    with pytest.raises(RemogptError, match=r"walk\.npy: in frame 7 the spine1 lies at .*1 of 12 frames"):
        check_reach(joints, "walk.npy")
