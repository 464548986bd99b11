"""Answers of the pipeline as JSON, and back to motions."""

import base64
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from remogpt.motion import Motion
from remogpt.pipeline.described import describe_caption, describe_motion
from remogpt.runtime.errors import RemogptError

if TYPE_CHECKING:
    from remogpt.pipeline import Captioned, Generated

ARRAYS = ("joints", "codes", "features")
"""Parts of an answer that are left out unless they are asked for."""


def motion_answer(answer: "Generated", seed: int, include: Iterable[str] = ()) -> dict[str, Any]:
    """Describe a written motion.

    Args:
        answer: of the pipeline.
        seed: it was written with.
        include: arrays to add: joints (nested lists in metres), codes, features (see `packed`).
    """
    motion, wanted = answer.motion, set(include)
    row = {
        "caption": motion.caption, "seed": seed, "frames": motion.num_frames, "fps": motion.fps,
        "seconds": round(motion.seconds, 3), **describe_motion(answer),
    }  # fmt: skip
    if "joints" in wanted:
        row["joints"] = np.round(motion.joints.astype(np.float64), 4).tolist()
    if "codes" in wanted:
        row["codes"] = answer.codes.tolist()
    if "features" in wanted:
        row["features"] = packed(motion.features)
    return row


def caption_answer(file: str, motion: Motion, answer: "Captioned") -> dict[str, Any]:
    """Describe a written caption."""
    about = {"file": file, "caption": answer.text, "seconds": round(motion.seconds, 2), "error": None}
    return {**about, **describe_caption(answer), "notices": list(motion.notices)}


def packed(array: np.ndarray) -> dict[str, Any]:
    """Return an array as JSON: its shape, and base64 of its little-endian float32."""
    data = np.ascontiguousarray(array, dtype="<f4")
    return {"dtype": "<f4", "shape": list(data.shape), "base64": base64.b64encode(data.tobytes()).decode("ascii")}


def unpacked(value: Mapping[str, Any]) -> np.ndarray:
    """Read what `packed` wrote.

    Raises:
        RemogptError: if it is something else.
    """
    try:
        content = base64.b64decode(value["base64"], validate=True)
        return np.frombuffer(content, dtype="<f4").reshape(value["shape"]).astype(np.float32)
    except (KeyError, TypeError, ValueError) as error:
        raise RemogptError(f"wanted a packed array with shape and base64, got something else ({error})") from error


def motions_of(rows: Sequence[Mapping[str, Any]]) -> list[Motion]:
    """Return the motions of described answers that include features."""
    return [
        Motion.from_features(unpacked(row["features"]), caption=row["caption"], name=row["caption"]) for row in rows
    ]


def without_arrays(row: Mapping[str, Any], include: Iterable[str]) -> dict[str, Any]:
    """Return a described answer with those of its arrays alone that are wanted."""
    kept = set(include)
    return {name: value for name, value in row.items() if name not in ARRAYS or name in kept}
