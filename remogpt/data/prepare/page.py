"""Show a prepared set on a page: what it was made of, its clips as they play, what was left out."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from remogpt.motion.motion_page import clip_list, table, write_motion_page
from remogpt.runtime.files import read_npy
from remogpt.runtime.text import read_text

MOST_SHOWN = 60
"""Clips that are shown, evenly taken from all."""
MOST_TOLD = 200
"""Recordings that are listed as left out; the JSON has all."""


def write_page(folder: Path, report: Mapping[str, Any], path: Path) -> None:
    """Write the page of a prepared set.

    Args:
        folder: the set.
        report: as `prepare_set` returns.
        path: of the page.
    """
    rows = [[source, *(f"{counts.get(key, 0):g}" for key in ("recordings", "used", "clips", "minutes"))]
            for source, counts in report["sources"].items()]  # fmt: skip
    left_out = list(report["left_out"].items())
    more = len(left_out) - MOST_TOLD
    parts = [
        table(["source", "recordings", "used", "clips", "minutes"], rows),
        f"<p>{report['mirror_images']} mirror images; "
        + ", ".join(f"{split} {count}" for split, count in report["splits"].items())
        + "</p>",
        "<h2>Clips</h2>",
        clip_list(_clip(folder, clip) for clip in _chosen(report["clips"])),
        f"<h2>Left out: {len(left_out)}</h2>",
        table(["recording", "why"], left_out[:MOST_TOLD]),
        f"<p>and {more} more, in report.json</p>" if more > 0 else "",
        "<h2>Understood and mended</h2>",
        table(
            ["what", "recordings", "the first"],
            [[text, str(about["recordings"]), about["first"]] for text, about in report["notices"].items()],
        ),
    ]
    write_motion_page(path, folder.resolve().name, parts)


def _chosen(clips: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    places = np.unique(np.linspace(0, len(clips) - 1, min(MOST_SHOWN, len(clips))).round().astype(int))
    return [clips[place] for place in places]


def _clip(folder: Path, clip: Mapping[str, Any]) -> tuple[np.ndarray, str, str]:
    name = clip["id"]
    joints = read_npy(folder / "new_joints" / f"{name}.npy")
    caption = read_text(folder / "texts" / f"{name}.txt").partition("\n")[0].partition("#")[0]
    about = f"{name} · {clip['recording']} · {clip['frames'] / 20:.1f} s"
    return joints, caption, about
