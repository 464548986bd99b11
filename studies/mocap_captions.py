"""Caption real motion capture, for someone to judge if the captions name the action and the side.

    python -m studies.mocap_captions answer --mocap ../shared/data/mocap --work runs/mocap
    python -m studies.mocap_captions count --work runs/mocap

`answer` captions clips of Bandai-Namco, CMU and UTD-MHAD and writes `answers.json`: what a clip's label says and what
the model wrote. The judge then writes `judged.json`: for each number an object of `action` (true if the caption names
what the label names), and of `side` where the label has one, and perhaps a `note`. `count` puts both together in
studies/results/mocap_captions.json, without the labels.

An equal number of each source, in the order of the crc32 of their ids; of CMU's those of cmu_bvh.npz and of
cmu_daz_30fps.tar.xz after those of cmu.npz. No model here has learned from any of them. After the first 60 were judged,
sides of limbs and directions of swipes in captions were checked on the joints; further ones (`--skip 20 --out
studies/results/mocap_captions_second.json`) were judged once.
"""

import argparse
import tarfile
import tempfile
import zlib
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from remogpt import Motion, ReMoGPT
from remogpt.data.importers.cmu_captions import read_captions, trial_key
from remogpt.data.importers.packed import read_packed
from remogpt.motion.files.read import load_motion, motion_from_source
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import read_json, write_json
from remogpt.runtime.progress import progress
from studies.judged import count, how_sure

RESULTS = Path(__file__).parent / "results" / "mocap_captions.json"
SOURCES = {
    "bandai": ["bandai.npz"], "cmu": ["cmu.npz", "cmu_bvh.npz", "cmu_daz_30fps.tar.xz"], "utd_mhad": ["utd_mhad.npz"],
}  # fmt: skip
"""Files of each source, in the order in which their clips are drawn."""


def draw(mocap: Path, clips_of_each: int, passed_over: Sequence[int]) -> list[tuple[dict[str, Any], Motion]]:
    """Draw clips of each source, behind those passed over: where each stands, what its label says, and its motion."""
    found = list[tuple[dict[str, Any], Motion]]()
    for (source, files), skipped in zip(SOURCES.items(), passed_over, strict=True):
        clips = [clip for file in files for clip in _clips(mocap / file)]
        for name, load in clips[skipped : skipped + clips_of_each]:
            row = {"number": len(found), "id": name, "source": source, "text": label(mocap, source, name)}
            found.append((row, load()))
    return found


def _clips(path: Path) -> list[tuple[str, Callable[[], Motion]]]:
    """Return the clips of a file in the order of the crc32 of their ids: each with what loads its motion."""
    if path.suffix == ".npz":
        found = [(clip.id, partial(motion_from_source, clip.source, clip.id)) for clip in read_packed(path)]
    elif path.is_file():
        with tarfile.open(path) as archive:
            names = [name for name in archive.getnames() if name.endswith(".bvh")]
        found = [(trial_key(Path(name).stem), partial(_of_archive, path, name)) for name in names]
    else:
        found = []
    return sorted(found, key=lambda clip: zlib.crc32(clip[0].encode()))


def _of_archive(path: Path, name: str) -> Motion:
    with tempfile.TemporaryDirectory() as folder, tarfile.open(path) as archive:
        archive.extract(name, folder, filter="data")
        return load_motion(Path(folder) / name)


def label(mocap: Path, source: str, clip: str) -> str:
    """Return what a source says that a clip shows."""
    if source == "bandai":
        _, content, style, _ = clip.split("_")
        return f"{content.replace('-', ' ')}, {style}"
    if source == "cmu":
        # Its own list has the trials that cmu_captions.json lacks.
        listed = mocap.parent / "text" / "CMU_trial_descriptions.csv"
        own = read_captions(mocap / "cmu_captions.json")
        return (own if clip in own else read_captions(listed))[clip].description
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
