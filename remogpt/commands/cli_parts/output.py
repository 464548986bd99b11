"""Declare the options for written motions, and write them: one format for `generate` and `convert`.

An existing file is never replaced without --force. `-` stands for standard output.
"""

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from remogpt.motion import Motion
from remogpt.motion.door.given import UNITS, UP_AXES
from remogpt.motion.edit import edit_motion, parse_trim
from remogpt.motion.files.write import WRITABLE, Layout, check_layout, motion_bytes
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import atomic_path, check_output_file, check_output_folder

STDOUT = "-"


def add_output_options(parser: Any) -> None:
    """Add --format, --to-skeleton, --content, --fps, --unit, --up, --in-place, --trim, --mirror and --force."""
    suffixes = ", ".join(suffix.removeprefix(".") for suffix in WRITABLE)
    add = parser.add_argument
    add("--format", type=str, default=None, help=f"format in a folder or on standard output: {suffixes}")
    add(
        "--to-skeleton",
        type=str,
        default=None,
        help="joints of .bvh and .glb: remogpt (default), smpl, mixamo, humanik, unreal, or a .bvh file with your rig",
    )
    add("--content", type=str, default=None, help=".npy: joints or features; .npz: joints, rotations or amass (SMPL)")
    add("--fps", type=float, default=None, help="frames a second of the written file; default: as it is")
    add("--unit", type=str, default=None, help=f"{', '.join(UNITS)}; default: cm in .bvh, else m")
    add(
        "--up", type=str, default=None, help=f"axis that points up, {', '.join(UP_AXES)}; default: y (z in AMASS files)"
    )
    add("--in-place", action="store_true", help="keep the pelvis above its starting point")
    add("--trim", type=str, default=None, help="write only START:END in seconds, e.g. 1.5:3, :2 or 1:")
    add("--mirror", action="store_true", help="swap left and right")
    add("--force", action="store_true", help="replace files that are there already")  # fmt: skip


@dataclass(frozen=True)
class Output:
    """How motions are edited and written."""

    layout: Layout
    edits: dict[str, Any]
    suffix: str | None
    """Of files in a folder and of standard output; None if --format was not given."""
    force: bool

    @classmethod
    def of(cls, args: Any) -> "Output":
        """Read the options of a command line.

        Raises:
            RemogptError: a format that cannot be written, a piece that is not START:END.
        """
        suffix = None if args.format is None else f".{args.format.lower().lstrip('.')}"
        if suffix is not None and suffix not in WRITABLE:
            choices = ", ".join(known.removeprefix(".") for known in WRITABLE)
            raise RemogptError(f"--format must be one of {choices}, got {args.format!r}")
        if args.fps is not None and not 0 < args.fps <= 1000:
            raise RemogptError(f"--fps must be above 0 and at most 1000, got {args.fps:g}")
        edits = {
            "trim": None if args.trim is None else parse_trim(args.trim), "mirror": args.mirror,
            "in_place": args.in_place, "fps": args.fps,
        }  # fmt: skip
        return cls(Layout(args.content, args.to_skeleton, args.unit, args.up), edits, suffix, args.force)

    def check(self, targets: Iterable[str | Path]) -> None:
        """Refuse files that cannot be written or would be replaced, before anything is computed.

        Raises:
            RemogptError: names the first such file.
        """
        for target in targets:
            if str(target) == STDOUT:
                check_layout(self._stdout_name(), self.layout, self.edits["fps"])
                continue
            check_layout(target, self.layout, self.edits["fps"])
            check_output_file(target)
            if Path(target).exists() and not self.force:
                raise RemogptError(f"{target} is there already; give --force to replace it, or another name")

    def check_folder(self, folder: str | Path) -> None:
        """Refuse a folder that cannot be written, or a missing --format."""
        if self.suffix is None:
            raise RemogptError(f"files in the folder {folder} need a format; add for example --format bvh")
        check_layout(f"*{self.suffix}", self.layout, self.edits["fps"])
        check_output_folder(folder)

    def write(self, motion: Motion, target: str | Path) -> Motion:
        """Edit a motion, write it, and return it as written."""
        edited = edit_motion(motion, **self.edits)
        if str(target) == STDOUT:
            content = motion_bytes(edited, Path(self._stdout_name()).suffix, self.layout)
            sys.stdout.flush()
            sys.stdout.buffer.write(content)
            return edited
        content = motion_bytes(edited, Path(target).suffix, self.layout)
        with atomic_path(target) as temporary:
            temporary.write_bytes(content)
        return edited

    def _stdout_name(self) -> str:
        if self.suffix is None:
            raise RemogptError("standard output needs a format; add for example --format bvh")
        return f"standard output{self.suffix}"
