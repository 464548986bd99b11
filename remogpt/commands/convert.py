"""Convert motion files for other programs: read any known format, write any of ours.

Examples:
  remogpt convert walk.bvh walk.glb
  remogpt convert take.npz take.bvh --to-skeleton mixamo --fps 30
  remogpt convert recordings/ converted/ --format glb --in-place
  remogpt convert moves.glb clips/ --format bvh
  remogpt convert walk.bvh walk.npz --content amass
  remogpt convert walk.npy - --format bvh --trim 1:3 > middle.bvh

The last argument is what is written: a file whose suffix names the format, a folder (with --format), or - for standard
output (with --format). A file of several animations gives one file each in a folder. Frame rates are kept.
--fps, --unit, --up and so on say how the result is written; --in-fps, --in-unit, --in-up, --skeleton and so on how the
files are to be read.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import remogpt
from remogpt.commands.cli_parts.output import STDOUT, Output, add_output_options
from remogpt.commands.cli_parts.reading import add_reading_options, print_notices, reading_options
from remogpt.motion.files.read import READABLE, clips_of, recordings_in, with_clip
from remogpt.motion.files.write import WRITABLE
from remogpt.runtime.errors import ITEM_ERRORS, MissingPathError, RemogptError, why
from remogpt.runtime.progress import progress


def add_arguments(parser: Any) -> None:
    """Declare the command's options."""
    parser.add_argument("files", type=str, nargs="*", help="motion files or folders to read, then what to write")
    add_output_options(parser)
    add_reading_options(parser, "in-")
    parser.add_argument("--json", action="store_true", help="print what was written as JSON")


def run(args: Any) -> int:
    """Convert one motion after the other; an unreadable one of several does not stop the others."""
    if len(args.files) < 2:
        raise RemogptError("name what to read and what to write, e.g. 'remogpt convert walk.bvh walk.glb'")
    output = Output.of(args)
    targets = _targets(args, output)
    output.check(targets.values())
    how = reading_options(args)
    written: list[dict[str, Any]] = []
    failed: list[tuple[Path, str]] = []
    notices: dict[str, Sequence[str]] = {}
    for source, target in (
        progress(targets.items(), desc="convert", unit="file") if len(targets) > 1 else targets.items()
    ):
        try:
            motion = remogpt.load_motion(source, rate=None, **how)
            notices[str(source)] = motion.notices
            motion = output.write(motion, target)
        except ITEM_ERRORS as error:
            if len(targets) == 1:
                raise
            failed.append((source, why(error)))
            continue
        written.append({
            "path": str(target), "source": str(source), "frames": motion.num_frames, "fps": motion.fps,
            "seconds": motion.seconds,
        })  # fmt: skip
    _report(args, written)
    print_notices(notices, with_names=len(targets) > 1)
    for source, reason in failed:
        print(reason if str(source) in reason else f"{source}: {reason}", file=sys.stderr)
    if failed:
        print(f"{len(failed)} of {len(targets)} files could not be converted", file=sys.stderr)
    return 1 if failed else 0


def _targets(args: Any, output: Output) -> dict[Path, Path | str]:
    """Return what is read, with what it is written to.

    Raises:
        RemogptError: several files for one, two files of one name, nothing to read.
    """
    *sources, out = args.files
    suffix = Path(out).suffix.lower()
    is_folder = out != STDOUT and (out.endswith(("/", "\\")) or Path(out).is_dir() or not suffix)
    found = [pair for source in sources for pair in _files(Path(source), every_clip=is_folder and args.clip is None)]
    several = len(found) > 1 or Path(sources[0]).is_dir()
    if out == STDOUT:
        if several:
            raise RemogptError(f"{len(found)} files cannot be written to standard output; name a folder")
        return {found[0][0]: STDOUT}
    if not is_folder and not several:
        return {found[0][0]: Path(out)}
    if suffix in WRITABLE and not Path(out).is_dir():
        raise RemogptError(f"{len(found)} files need a folder to be written to, but {out} is a file; name a folder")
    output.check_folder(out)
    targets: dict[Path, Path | str] = {}
    for source, name in found:
        target = Path(out) / name.with_suffix(output.suffix or "")
        if target in targets.values():
            raise RemogptError(f"two of the files would be written to {target}; convert them into different folders")
        targets[source] = target
    return targets


def _files(source: Path, every_clip: bool) -> list[tuple[Path, Path]]:
    """Return a file, or the motion files of a folder, each with its name below the folder.

    Args:
        source: the file or folder.
        every_clip: a file of several animations stands for each of them.
    """
    files, folder = [source], source.parent
    if source.is_dir():
        files, folder = recordings_in(source), source
        if not files:
            raise MissingPathError(f"no motion files in {source}; looked for {', '.join(sorted(READABLE))}")
    motions = [motion for file in files for motion in (clips_of(file) if every_clip else [file])]
    return [(motion, _name(motion).relative_to(folder)) for motion in motions]


def _name(motion: Path) -> Path:
    """Return the path of a motion with the name of its animation: `moves.glb#Jump` is moves_Jump.glb."""
    path, clip = with_clip(motion)
    words = "" if clip is None else "_" + "".join(letter if letter.isalnum() else "_" for letter in clip)
    return path.with_name(f"{path.stem}{words}{path.suffix}")


def _report(args: Any, written: list[dict[str, Any]]) -> None:
    stream = sys.stderr if args.files[-1] == STDOUT else sys.stdout
    if args.json:
        print(json.dumps(written, indent=2, ensure_ascii=False), file=stream)
        return
    for row in written:
        print(f"{row['path']}  ({row['frames']} frames at {row['fps']:g} fps, {row['seconds']:.1f} s)", file=stream)
