"""Make a page of generated motions and of captions for motion files.

Examples:
  remogpt demo --out demo
  remogpt demo --out demo --motions recordings/ --prompts prompts.txt --seed 3

Writes demo/index.html: every generated motion in a player, beside it the retrieved examples with their scores, and
every motion file with the caption that was written for it. One file, no network. Without --motions, motions that the
model has generated are captioned.
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import remogpt
from remogpt.app.demo_page import Card, demo_page
from remogpt.commands.caption import motion_files
from remogpt.commands.cli_parts.options import (
    add_example_options,
    add_model_options,
    chosen_database,
    generation_options,
    read_lines,
)
from remogpt.pipeline.checks import check_our_body
from remogpt.pipeline.described import describe_motion, made_of
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import check_output_folder, write_text
from remogpt.runtime.progress import progress

if TYPE_CHECKING:
    from remogpt import Motion, ReMoGPT

PROMPTS = (
    "a person waves with the right hand",
    "a person walks forward and then turns left",
    "someone kicks forward with the left leg",
    "a man jumps up twice",
    "a person waves the left hand, then walks backward while clapping",
    "an elderly person walks slowly",
)
EXTRA_PROMPTS = (
    "a person squats down",
    "a person runs forward",
    "someone claps three times",
    "a person punches with the right fist",
    "a person walks backward",
)
"""Prompts of motions to caption if no recordings are given."""


def add_arguments(parser: Any) -> None:
    """Declare the command's options."""
    parser.add_argument("--out", type=str, default="demo", help="folder of the page")
    parser.add_argument("--prompts", type=str, default=None, help="text file with one caption a line")
    parser.add_argument("--motions", type=str, default=None, help="motion files to caption; default: generated motions")
    parser.add_argument("--seed", type=int, default=0, help="same seed, same page")
    add_model_options(parser)
    add_example_options(parser)


def run(args: Any) -> int:
    """Generate motions and captions, and write the page."""
    check_output_folder(args.out)
    prompts = list(PROMPTS) if args.prompts is None else [text for _, text in read_lines(args.prompts)]
    questions = _recordings(args.motions) if args.motions else []
    model = remogpt.ReMoGPT.from_pretrained(args.model)
    check_our_body(model.body, "the page plays", "use 'remogpt generate --out motion.npy'")
    database = chosen_database(args, model)
    generated = [_generated(model, text, database, args) for text in progress(prompts, desc="generate", unit="caption")]
    if not args.motions:
        motions = [_generated(model, text, database, args).motion for text in EXTRA_PROMPTS]
        questions = [(motion, f"the model, for '{motion.caption}'") for motion in motions]
    captioned = []
    for motion, source in progress(questions, desc="caption", unit="motion"):
        answer = model.caption(motion, seed=args.seed, database=database, options=generation_options(args))
        captioned.append(_card(answer.text, motion, answer, model, database, f"from {source}"))
    page = Path(args.out) / "index.html"
    write_text(page, demo_page(generated, captioned, str(model.manifest["name"])))
    print(f"{page}: {len(generated)} generated motions, {len(captioned)} captioned motions; open it in a browser")
    return 0


def _recordings(folder: str) -> list[tuple["Motion", str]]:
    """Read the motions of a folder (or one file) with their names; unreadable ones are reported and skipped."""
    motions = []
    for path in motion_files([folder]):
        try:
            motions.append((remogpt.load_motion(path), path.name))
        except RemogptError as error:
            print(f"left out: {error}", file=sys.stderr)
    return motions


def _generated(model: "ReMoGPT", text: str, database: Any, args: Any) -> Card:
    answer = model.generate(text, seed=args.seed, database=database, options=generation_options(args))[0]
    return _card(text, answer.motion, answer, model, database, made_of(describe_motion(answer)))


def _card(caption: str, motion: "Motion", answer: Any, model: "ReMoGPT", database: Any, source: str) -> Card:
    """Return an answer with the motions of its examples."""
    retrieved = [model.retrieved_motion(example, database) for example in answer.examples]
    return Card(caption, motion, answer.examples, source, answer.warnings, retrieved, answer.confidence)
