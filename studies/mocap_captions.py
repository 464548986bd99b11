"""Caption real motion capture, for someone to judge if the captions name the action and the side.

    python -m studies.mocap_captions answer --mocap ../shared/data/mocap --work runs/mocap
    python -m studies.mocap_captions count --work runs/mocap

`answer` captions clips of Bandai-Namco, CMU and UTD-MHAD and writes `answers.json`: what a clip's label says and what
the model wrote. The judge then writes `judged.json`: for each number an object of `action` (true if the caption names
what the label names), and of `side` where the label has one, and perhaps a `note`. `count` puts both together in
studies/results/mocap_captions.json, without the labels.

An equal number of each source, in the order of the crc32 of their ids, of CMU's those of cmu_bvh.npz after those of
cmu.npz. No model here has learned from any of them. After the first 60 were judged, sides of limbs and directions of
swipes in captions were checked on the joints; further ones (`--skip 20 --out
studies/results/mocap_captions_second.json`) were judged once.
"""

import argparse
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from remogpt import Motion, ReMoGPT
from remogpt.data.importers.packed import read_packed
from remogpt.motion.files.read import motion_from_source
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import read_json, write_json
from remogpt.runtime.progress import progress
from studies.judged import count, how_sure

RESULTS = Path(__file__).parent / "results" / "mocap_captions.json"
SOURCES = {"bandai": ["bandai.npz"], "cmu": ["cmu.npz", "cmu_bvh.npz"], "utd_mhad": ["utd_mhad.npz"]}
"""Files of each source, in the order in which their clips are drawn."""


def draw(mocap: Path, clips_of_each: int, passed_over: Sequence[int]) -> list[tuple[dict[str, Any], Motion]]:
    """Draw clips of each source, behind those passed over: where each stands, what its label says, and its motion."""
    found = list[tuple[dict[str, Any], Motion]]()
    for (source, files), skipped in zip(SOURCES.items(), passed_over, strict=True):
        clips = [
            clip
            for file in files
            for clip in sorted(read_packed(mocap / file), key=lambda one: zlib.crc32(one.id.encode()))
        ]
        for clip in clips[skipped : skipped + clips_of_each]:
            row = {"number": len(found), "id": clip.id, "source": source, "text": label(mocap, source, clip.id)}
            found.append((row, motion_from_source(clip.source, clip.id)))
    return found


def label(mocap: Path, source: str, clip: str) -> str:
    """Return what a source says that a clip shows."""
    if source == "bandai":
        _, content, style, _ = clip.split("_")
        return f"{content.replace('-', ' ')}, {style}"
    if source == "cmu":
        return str(read_json(mocap / "cmu_captions.json")[clip]["description"])
    return str(read_json(mocap / "utd_mhad_actions.json")[clip.split("_")[0]])


def answer(model: ReMoGPT, drawn: Sequence[tuple[dict[str, Any], Motion]], work: Path) -> None:
    """Write a caption for each clip."""
    rows = []
    for row, motion in progress(drawn, desc="captions", unit="clip"):
        made = model.caption(motion, seed=0)
        rows.append({**row, "written": made.text, **how_sure(made)})
    write_json(work / "answers.json", {"model": model.manifest["hashes"], "answers": rows})


def main(words: Sequence[str] | None = None) -> None:
    """Caption clips, or count judgements."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("step", choices=("answer", "count"))
    parser.add_argument("--mocap", type=Path, help="folder of bandai.npz, cmu.npz, utd_mhad.npz and their labels")
    parser.add_argument("--model", type=Path, default=None, help="default: the embedded one")
    parser.add_argument("--clips", type=int, default=20, help="clips of each source")
    parser.add_argument(
        "--skip", type=int, nargs="+", default=[0], help="clips that were judged before: of each source, or one for all"
    )
    parser.add_argument("--out", type=Path, default=RESULTS, help="JSON file of what is counted")
    parser.add_argument("--work", type=Path, required=True, help="folder of answers and judgements")
    args = parser.parse_args(words)
    if args.step == "count":
        count(args.work, ("action", "side"), "studies.mocap_captions", args.out)
        return
    if args.mocap is None:
        raise RemogptError("answer needs --mocap")
    skipped = args.skip * len(SOURCES) if len(args.skip) == 1 else args.skip
    if len(skipped) != len(SOURCES):
        raise RemogptError(f"--skip: wanted one number, or one for each of {', '.join(SOURCES)}, got {len(skipped)}")
    args.work.mkdir(parents=True, exist_ok=True)
    answer(ReMoGPT.from_pretrained(args.model), draw(args.mocap, args.clips, skipped), args.work)


if __name__ == "__main__":
    main()
