"""`remogpt data map`: draft the table that says which joint of a motion file is which."""

from pathlib import Path
from typing import Any

from remogpt.commands.cli_parts.parser import CommandParser
from remogpt.motion.skeleton import JOINT_NAMES
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import check_output_file, write_text


def add_map(actions: Any) -> None:
    """Declare `map`."""
    parser = CommandParser(description="Draft the table that says which joint of a motion file is which, to correct.")
    parser.add_argument("file", type=str, help="motion file: .bvh, .glb, .gltf, .amc, .mat")
    parser.add_argument("--clip", type=str, default=None, help="which animation (or person) of a file with several")
    parser.add_argument("--asf", type=str, default=None, help="body of an .amc motion; default: the one beside it")
    parser.add_argument("--out", type=str, default=None, help="file to write (.yaml); default: standard output")
    actions.add_subcommand("map", parser)


def run_map(args: Any) -> int:
    """Write what was understood of a file's skeleton; all animations of a file have one skeleton."""
    from remogpt.motion.files.read import clips_of, read_recording, with_clip
    from remogpt.motion.retarget import draft_table

    path, clip = with_clip(clips_of(args.file)[0] if args.clip is None else args.file, args.clip)
    source = read_recording(Path(path), clip=clip, asf=args.asf).source
    if source is None or source.names == JOINT_NAMES:
        raise RemogptError(f"{args.file} holds joints or features of our own skeleton; there is nothing to map")
    text = draft_table(source)
    if args.out is None:
        print(text, end="")
    else:
        write_text(check_output_file(args.out), text)
        print(f"{args.out}: correct it, then give it with --skeleton {args.out}")
    return 0
