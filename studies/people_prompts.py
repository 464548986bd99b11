"""Answer captions that people wrote, and draw the motions, for someone to judge by eye if they show what was asked.

    python -m studies.people_prompts answer --captions humanml3d_test_captions.json --work runs/people
    python -m studies.people_prompts count --work runs/people

`answer` writes ten strips of poses to a picture (`strips_0.png` ...) and `answers.json`. The judge then writes
`judged.json`: for each number an object of `action`, and of `side` and `order` where the caption asks for one (true or
false), and perhaps a `note`. `count` puts both together in studies/results/people_prompts_first.json, without the
captions: an answer is right where nothing is false. A second hundred (`--skip 100`, and `--out` for `count`) was judged
after the first had shown that what the reader is not sure of should count less.

The captions are HumanML3D's, of the test ids with an odd crc32, by which no word of the procedural set was chosen; in
the order of the crc32, without mirrored clips and those whose captions were labelled for the reader: one of each of 996
clips, and from number 996 on another of each.
"""

import argparse
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from remogpt import ReMoGPT
from remogpt.motion.pictures import strip_image
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import read_json, write_json
from studies.judged import count, how_made, how_sure
from studies.reader import LABELS

RESULTS = Path(__file__).parent / "results" / "people_prompts_first.json"
A_PICTURE = 10
"""Captions of a picture."""
BATCH = 5


def draw(captions: dict[str, list[str]], count: int) -> list[dict[str, Any]]:
    """Draw captions of the clips with an odd crc32, one of each, then another of each: where they stand, and texts."""
    order = half_of(captions, 1)
    found = list[dict[str, Any]]()
    for turn in range(max((len(captions[key]) for _, key in order), default=0)):
        for crc, key in order:
            if turn < len(captions[key]):
                index = ((crc >> 8) + turn) % len(captions[key])
                found.append({"number": len(found), "id": key, "caption": index, "text": captions[key][index]})
    return found[:count]


def half_of(captions: Iterable[str], remainder: int) -> list[tuple[int, str]]:
    """Return the crc32 and the id of the clips whose crc32 leaves a remainder by two, in its order.

    Mirrored clips are left out, and those whose captions were labelled for the reader.
    """
    labelled = {label["id"] for label in read_json(LABELS)}
    clips = (key for key in captions if not key.startswith("M") and key not in labelled)
    return sorted((crc, key) for key in clips if (crc := zlib.crc32(key.encode())) % 2 == remainder)


def answer(model: ReMoGPT, drawn: Sequence[dict[str, Any]], work: Path) -> None:
    """Write a motion for each caption, and the pictures."""
    work.mkdir(parents=True, exist_ok=True)
    rows = list[dict[str, Any]]()
    strips: list[tuple[str, Any]] = []
    for start in range(0, len(drawn), BATCH):
        part = drawn[start : start + BATCH]
        for one, (made, *_) in zip(part, model.generate([one["text"] for one in part], seed=0), strict=True):
            rows.append({**one, "made": how_made(made), **how_sure(made)})
            strips.append(
                (f"{one['number']}. {one['text']}", strip_image(made.motion.joints, made.motion.fps, metre=90))
            )
        if len(strips) == A_PICTURE or start + BATCH >= len(drawn):
            _stacked(strips).save(work / f"strips_{(len(rows) - 1) // A_PICTURE}.png")
            strips = []
    write_json(work / "answers.json", {"model": model.manifest["hashes"], "answers": rows})


def _stacked(strips: Sequence[tuple[str, Any]]) -> Any:
    from PIL import Image, ImageDraw

    line = 22
    width = max(strip.width for _, strip in strips)
    whole = Image.new("RGB", (width, sum(strip.height + line for _, strip in strips)), "white")
    top = 0
    for text, strip in strips:
        ImageDraw.Draw(whole).text((6, top + 4), text, fill="black", font_size=15)
        whole.paste(strip, (0, top + line))
        top += line + strip.height
    return whole


def main(words: Sequence[str] | None = None) -> None:
    """Answer captions, or count judgements."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("step", choices=("answer", "count"))
    parser.add_argument("--captions", type=Path, help="humanml3d_test_captions.json")
    parser.add_argument("--model", type=Path, default=None, help="default: the embedded one")
    parser.add_argument("--count", type=int, default=100, help="captions drawn")
    parser.add_argument("--skip", type=int, default=0, help="captions of the order that were judged before")
    parser.add_argument("--out", type=Path, default=None, help="JSON file of what is counted")
    parser.add_argument("--work", type=Path, required=True, help="folder of pictures, answers and judgements")
    args = parser.parse_args(words)
    if args.step == "count":
        count(args.work, ("action", "side", "order"), "studies.people_prompts", args.out or RESULTS)
        return
    if args.captions is None:
        raise RemogptError("answer needs --captions")
    drawn = draw(read_json(args.captions)["captions"], args.skip + args.count)[args.skip :]
    answer(ReMoGPT.from_pretrained(args.model), drawn, args.work)


if __name__ == "__main__":
    main()
