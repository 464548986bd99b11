"""Show a database on a page: what it holds, and which of its motions the tokenizer cannot say."""

import base64
import tempfile
from pathlib import Path
from typing import Any

from remogpt.motion.features import features_to_joints
from remogpt.motion.motion_page import clip_list, table, write_motion_page
from remogpt.retriever import MotionDatabase
from remogpt.retriever.database.description import POORLY_SAID, describe, plot
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import check_output_file
from remogpt.stages.inputs import open_database


def write_database_page(database: str | Path | MotionDatabase, out: str | Path) -> None:
    """Write a page of distributions, counts, and the motions of which the tokenizer loses most.

    Args:
        database: the motions play where it keeps them.
        out: .html; one file.

    Raises:
        RemogptError: for another suffix.
    """
    opened, path = open_database(database), check_output_file(out)
    if path.suffix != ".html":
        raise RemogptError(f"wanted --page to end in .html, came {str(out)!r}")
    described = describe(opened)
    parts = [
        f"<p>{described['entries']} entries of {described['sources']} recordings, {described['captions']} captions, "
        f"{described['minutes']:g} minutes. Motions are kept as {described['motions']}.</p>",
        _picture(opened),
        *(_percentiles(name, described) for name in ("seconds", "lost by the tokenizer (cm)") if name in described),
        *_poorly_said(opened, described),
    ]
    for name in ("actions", "licences", "provenance"):
        if name in described:
            parts += [f"<h2>{name.capitalize()}</h2>", table([name, "entries"], list(described[name].items()))]
    for name, counts in described["tags"].items():
        parts += [table([f"tag {name}", "entries"], list(counts.items()))]
    write_motion_page(path, opened.path.resolve().name, parts)


def _picture(database: MotionDatabase) -> str:
    with tempfile.TemporaryDirectory() as folder:
        plot(database, file := Path(folder) / "plot.png")
        content = base64.b64encode(file.read_bytes()).decode()
    return f'<img alt="distributions of lengths, losses, actions and licences" src="data:image/png;base64,{content}">'


def _percentiles(name: str, described: dict[str, Any]) -> str:
    return table([name, *described[name]], [["", *described[name].values()]])


def _poorly_said(database: MotionDatabase, described: dict[str, Any]) -> list[str]:
    """Return the entries that lose most, if any lose much."""
    if "poorly said" not in described:
        return []
    poor = described["poorly said"]
    parts = [
        "<h2>What the tokenizer cannot say</h2>",
        f"<p>{poor['entries']} entries lose over {POORLY_SAID:g} times what the median entry loses; a model with this "
        "tokenizer cannot write such motions well. The worst:</p>",
    ]
    if database.motions_kept == "nothing":
        return [*parts, table(["id", "cm", "caption"], [list(row.values()) for row in poor["worst"]])]
    clips = (
        (
            features_to_joints(database.features(database.rows[row["id"]])),
            row["caption"],
            f"{row['id']}: {row['cm']:g} cm",
        )
        for row in poor["worst"]
    )
    return [*parts, clip_list(clips)]
