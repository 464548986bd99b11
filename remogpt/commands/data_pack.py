"""`remogpt data pack`: the motions of a set in a few files, from which clips are read in a tenth of the time."""

import sys
from pathlib import Path
from typing import Any

from remogpt.commands.cli_parts.parser import CommandParser
from remogpt.runtime.files import check_output_folder


def add_pack(actions: Any) -> None:
    """Declare the subcommand."""
    parser = CommandParser(
        description="Pack the motions of a set (HumanML3D, KIT-ML, Motion-X, our own) into a few memory-mapped files "
        "beside it. Every command reads from there by itself; the set stays as it is. After a change, pack again."
    )
    parser.add_argument("folder", type=str, help="folder of the set")
    actions.add_subcommand("pack", parser)


def run_pack(args: Any) -> int:
    """Pack the set; return 1 if some motions could not be used."""
    from remogpt.data.doctor.layouts import find_layout
    from remogpt.data.packed_motions import NAME, PackedMotions
    from remogpt.runtime.errors import RemogptError

    layout = find_layout(args.folder)
    if layout.motions is None:
        raise RemogptError(
            f"{args.folder} holds {layout.name}'s annotations alone; name the folder of a set of motions"
        )
    packed = PackedMotions.build(layout.motions, check_output_folder(Path(args.folder) / NAME))
    for why in packed.left_out.values():
        print(f"left out: {why}", file=sys.stderr)
    frames = sum(map(packed.num_frames, packed.ids))
    print(f"{packed.folder}: {len(packed.ids)} motions, {frames} frames of {packed.num_channels} channels")
    return 1 if packed.left_out else 0
