"""What a run hides from the model that it measures."""

from dataclasses import replace

import pytest

from remogpt.data.humanml3d import Clip
from remogpt.eval.runs.run import own_ids

CLIP = Clip("007#1.0-4.0", "007", "tape", None, ("a person walks",), ((),), 20, 60)


@pytest.mark.parametrize(
    "clip, hidden",
    [
        (CLIP, {"007#1.0-4.0", "007", "M007", "tape"}),
        (replace(CLIP, id="mirrored", file_id="mirrored", source_id="", mirror_of="007"), {"mirrored", "007"}),
    ],
)
def test_neither_a_clip_nor_its_mirror_image_may_be_its_example(clip: Clip, hidden: set[str]) -> None:
    """A test clip that is a mirror image must not retrieve its original, whatever the names of both."""
    assert own_ids(clip) >= hidden
