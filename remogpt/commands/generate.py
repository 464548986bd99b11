"""Write a motion for a caption, or motions for a file of captions.

Examples:
  remogpt generate "a person waves with the right hand" --out wave.bvh
  remogpt generate "someone walks forward and sits down" --seconds 6 --out walk.html
  remogpt generate "a person walks in a circle. the person sits down." --seconds 20 --out scene.bvh
  remogpt generate "a person walks" --out walk.glb --to-skeleton mixamo --fps 30 --in-place
  remogpt generate --file prompts.txt --out motions/ --format npy
  remogpt generate "a person walks" --pin 000343 --ban 002854 --out walk.bvh
  remogpt generate "a person walks" --retriever imported/tmr --seconds 5 --out walk.bvh

The suffix of --out chooses the format: .bvh and .glb for animation programs, .html (a page that plays the motion),
.gif, .mp4, .png (a strip of poses), .npy and .npz for arrays; - is standard output. --fps, --unit, --up and so on say
how the motion is written. With --retriever there is no model: the decoder that a TMR was trained with writes the
motion, without examples.
"""

import json
import sys
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import remogpt
from remogpt.commands.cli_parts.options import (
    add_example_options,
    add_id_options,
    add_model_options,
    add_writing_options,
    check_ids,
    chosen_database,
    file_name_of,
    generation_options,
    print_warnings,
    read_lines,
)
from remogpt.commands.cli_parts.output import STDOUT, Output, add_output_options
from remogpt.lm.long_motion import num_frames
from remogpt.motion.files.write import WRITABLE
from remogpt.options import GenerationOptions
from remogpt.pipeline.checks import check_model, check_our_body, check_seed, check_words
from remogpt.pipeline.described import describe_motion, made_of
from remogpt.runtime.errors import ITEM_ERRORS, RemogptError, why
from remogpt.runtime.progress import progress

_OF_A_MODEL = (
    "model", "database", "licence", "tag", "no_retrieval", "retrieved", "no_verify", "best_of", "guidance",
    "temperature", "copy_strength", "precision", "routes", "k", "ban", "pin",
)  # fmt: skip
"""Options that a TMR's decoder cannot use."""


def add_arguments(parser: Any) -> None:
    """Declare the command's options."""
    parser.add_argument("text", type=str, nargs="?", default=None, help="the caption")
    parser.add_argument("--file", type=str, default=None, help="text file with one caption a line")
    parser.add_argument("--out", type=str, default="motion.html",
                        help="file, or a folder with --file or --num-samples, or - for standard output")  # fmt: skip
    add_output_options(parser)
    parser.add_argument("--seconds", type=float, default=None, help="length, 0.4 to 60; default: the model chooses")
    parser.add_argument("--num-samples", type=int, default=1, help="motions for each caption")
    parser.add_argument("--seed", type=int, default=0, help="same seed, same motion")
    parser.add_argument("--json", action="store_true", help="print what was written as JSON")
    parser.add_argument("--retriever", type=str, default=None, help="folder of a TMR, whose decoder writes the motion")
    add_model_options(parser)
    add_example_options(parser)
    add_id_options(parser, pin=True)
    add_writing_options(parser, None, "0 takes the likeliest code at each step")
    parser.add_argument(
        "--retrieved", type=int, default=None,
        help="retrieved motions that compete with the written ones; 0: the motion is always written; "
        "default: the model's own",
    )  # fmt: skip
    parser.add_argument(
        "--joined", type=int, default=None,
        help="motions joined of stretches of retrieved ones that show what the caption claims; 0: none; "
        "default: the model's own",
    )  # fmt: skip
    parser.add_argument(
        "--raw-body", action="store_true", help="the body as decoded: bones may stretch and standing feet slide"
    )


def run(args: Any) -> int:
    """Generate, save, and list the retrieved examples; a bad caption in a file does not stop the others."""
    texts = _texts(args)
    in_folder = args.file is not None or args.num_samples > 1
    output = _output(args, in_folder)
    targets = _targets(args, texts, in_folder, output)
    output.check(target for row in targets for target in row)
    answers = _generator(args)
    written, failed = [], []
    pairs = list(zip(texts, targets, strict=True))
    for (number, text), paths in progress(pairs, desc="generate", unit="caption") if len(texts) > 1 else pairs:
        try:
            results = answers(text)
        except ITEM_ERRORS as error:
            if args.file is None:
                raise
            failed.append((number, text, why(error)))
            continue
        for path, result in zip(paths, results, strict=True):
            motion = output.write(result.motion, path)
            written.append({
                "path": str(path), "caption": text, "frames": motion.num_frames, "seconds": motion.seconds,
                **describe_motion(result),
            })  # fmt: skip
    _report(args, written)
    for text in dict.fromkeys(row["caption"] for row in written):
        own = [warning for row in written if row["caption"] == text for warning in row["warnings"]]
        print_warnings(own, f"{text!r}: " if len(texts) > 1 else "")
    for number, text, reason in failed:
        print(f"line {number}: {text!r}: {reason}", file=sys.stderr)
    if failed:
        print(f"{len(failed)} of {len(texts)} captions could not be used; the rest is in {args.out}", file=sys.stderr)
    return 1 if failed else 0


def _generator(args: Any) -> Callable[[str], Sequence[Any]]:
    """Open a model, or a TMR whose decoder generates."""
    check_seed(args.seed)
    if args.retriever is None:
        options = generation_options(args)
        num_frames(args.seconds)
        check_model(args.model, None if args.no_retrieval else args.database)
        model = remogpt.ReMoGPT.from_pretrained(args.model, precision=args.precision or "float32")
        if (args.format or Path(args.out).suffix).lower().lstrip(".") != "npy":
            check_our_body(model.body, "such files hold", "write .npy")
        if not args.no_retrieval and (args.ban or args.pin):
            check_ids(args, model.database(args.database))
        return partial(
            model.generate, seconds=args.seconds, num_samples=args.num_samples, seed=args.seed,
            database=None if args.no_retrieval else chosen_database(args, model), options=options,
        )  # fmt: skip
    from remogpt.stages.tmr_generator import Synthesis, check_seconds

    unused = [name for name in _OF_A_MODEL if args[name] not in (None, False, [])]
    if unused:
        raise RemogptError(
            f"--retriever writes with TMR's decoder instead of a model; leave --{unused[0].replace('_', '-')} out"
        )
    check_seconds(args.seconds)
    return partial(
        Synthesis(args.retriever).generate, seconds=args.seconds, num_samples=args.num_samples, seed=args.seed,
        options=GenerationOptions(cleanup=not args.raw_body),
    )  # fmt: skip


def _texts(args: Any) -> list[tuple[int, str]]:
    """Return captions with their line numbers."""
    if (args.text is None) == (args.file is None):
        raise RemogptError("give a caption, or --file with one caption a line; see 'remogpt generate --help'")
    if args.file is not None:
        return read_lines(args.file)
    check_words(args.text)
    return [(1, args.text)]


def _output(args: Any, in_folder: bool) -> Output:
    """Return how motions are written; refuse an output that cannot be, before generating."""
    if args.num_samples < 1:
        raise RemogptError(f"--num-samples must be at least 1, got {args.num_samples}")
    output, suffix = Output.of(args), Path(args.out).suffix.lower()
    if args.out == STDOUT:
        if in_folder:
            raise RemogptError("several motions need a folder, but --out is -; give a folder's name")
    elif in_folder and suffix in WRITABLE:
        raise RemogptError(f"several motions need a folder, but --out is {args.out}; give a folder's name")
    elif not in_folder and suffix not in WRITABLE:
        raise RemogptError(f"--out must end in {', '.join(WRITABLE)}, got {args.out!r}; e.g. --out wave.bvh")
    if (in_folder or args.out == STDOUT) and output.suffix is None:
        output = replace(output, suffix=".bvh")
    if in_folder:
        output.check_folder(args.out)
    return output


def _targets(args: Any, texts: list[tuple[int, str]], in_folder: bool, output: Output) -> list[list[str | Path]]:
    """Return for each caption the files that its samples are written to."""
    if not in_folder:
        return [[args.out]]
    ends = [f"_{sample}{output.suffix}" for sample in range(args.num_samples)]
    if args.num_samples == 1:
        ends = [str(output.suffix)]
    return [[Path(args.out) / f"{file_name_of(text, number)}{end}" for end in ends] for number, text in texts]


def _tell(row: dict[str, Any]) -> None:
    """Print what the motion is made of, and what of the caption its joints hold."""
    other = (
        "; --retrieved 0 writes one" if row["copied_from"] else "; --joined 0 joins none" if row["joined_from"] else ""
    )
    print(f"  {made_of(row)}{other}")
    if row["checks"]:
        held = sum(check["holds"] for check in row["checks"])
        print(f"  {held} of {len(row['checks'])} facts of the caption hold")
    for check in row["checks"]:
        if not check["holds"]:
            print(f"  not seen: {check['fact']}" + ("" if check["seen"] is None else f" ({check['seen']} seen)"))


def _report(args: Any, written: list[dict[str, Any]]) -> None:
    with redirect_stdout(sys.stderr if args.out == STDOUT else sys.stdout):
        _print_written(args, written)


def _print_written(args: Any, written: list[dict[str, Any]]) -> None:
    if args.json:
        print(json.dumps(written, indent=2, ensure_ascii=False))
        return
    for row in written:
        print(f"{row['path']}  ({row['seconds']:.1f} s)  {row['caption']}")
        if len(written) == 1:
            _tell(row)
            for example in row["examples"]:
                score, route = example["score"], example["route"]
                how = f"pinned, score {score:.3f}" if example["pinned"] else f"retrieved {score:.3f} by {route}"
                print(f"  {how}: {example['id']}  {example['caption']}")
