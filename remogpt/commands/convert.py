"""Convert motion files for other programs: read any known format, write any of ours.

Examples:
  remogpt convert walk.bvh walk.glb
  remogpt convert take.npz take.bvh --to-skeleton mixamo --fps 30
  remogpt convert recordings/ converted/ --format glb --in-place
  remogpt convert walk.bvh walk.npz --content amass
  remogpt convert walk.npy - --format bvh --trim 1:3 > middle.bvh

The last argument is what is written: a file whose suffix names the format, a folder (with --format), or - for standard
output (with --format). --fps, --unit, --up and so on say how the result is written; --in-fps, --in-unit, --in-up,
--skeleton and so on how the files are to be read.
"""

import json
import sys
from pathlib import Path
from typing import Any

import remogpt
from remogpt.commands.cli_parts.output import STDOUT, Output, add_output_options
from remogpt.commands.cli_parts.reading import add_reading_options, print_notices, reading_options
from remogpt.motion.files.read import READABLE
from remogpt.motion.files.write import WRITABLE
from remogpt.runtime.errors import MissingPathError, RemogptError
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
    *sources, out = args.files
    output = Output.of(args)
    targets = _targets(sources, out, output)
    output.check(targets.values())
    how = reading_options(args)
    written: list[dict[str, Any]] = []
    failed: list[tuple[Path, str]] = []
    for source, target in (
        progress(targets.items(), desc="convert", unit="file") if len(targets) > 1 else targets.items()
    ):
        try:
            motion = remogpt.load_motion(source, **how)
            print_notices(motion, f"{source}: " if len(targets) > 1 else "")
            motion = output.write(motion, target)
        except RemogptError as error:
            if len(targets) == 1:
                raise
            failed.append((source, str(error)))
            continue
        written.append({
            "path": str(target), "source": str(source), "frames": motion.num_frames, "fps": motion.fps,
            "seconds": motion.seconds,
        })  # fmt: skip
    _report(args, written, out)
    for source, why in failed:
        print(why if str(source) in why else f"{source}: {why}", file=sys.stderr)
    if failed:
        print(f"{len(failed)} of {len(targets)} files could not be converted", file=sys.stderr)
    return 1 if failed else 0


def _targets(sources: list[str], out: str, output: Output) -> dict[Path, Path | str]:
    """Return what is read, with what it is written to.

    Raises:
        RemogptError: several files for one, two files of one name, nothing to read.
    """
    found = [pair for source in sources for pair in _files(Path(source))]
    several = len(found) > 1 or Path(sources[0]).is_dir()
    suffix = Path(out).suffix.lower()
    if out == STDOUT:
        if several:
            raise RemogptError(f"{len(found)} files cannot be written to standard output; name a folder")
        return {found[0][0]: STDOUT}
    is_folder = out.endswith(("/", "\\")) or Path(out).is_dir() or not suffix
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


def _files(source: Path) -> list[tuple[Path, Path]]:
    """Return a file, or the motion files of a folder, each with its name below the folder."""
    if not source.is_dir():
        return [(source, Path(source.name))]
    files = sorted(file for file in source.rglob("*") if file.suffix.lower() in READABLE)
    if not files:
        raise MissingPathError(f"no motion files in {source}; looked for {', '.join(sorted(READABLE))}")
    return [(file, file.relative_to(source)) for file in files]


def _report(args: Any, written: list[dict[str, Any]], out: str) -> None:
    stream = sys.stderr if out == STDOUT else sys.stdout
    if args.json:
        print(json.dumps(written, indent=2, ensure_ascii=False), file=stream)
        return
    for row in written:
        print(f"{row['path']}  ({row['frames']} frames at {row['fps']:g} fps, {row['seconds']:.1f} s)", file=stream)
