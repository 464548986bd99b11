"""Make the procedural set, import motion capture and captioned recordings, examine and describe a set.

Examples:
  remogpt data make --out sets/procedural --clips 5000
  remogpt data make --out sets/procedural --clips 5000 --long 500
  remogpt data import bandai Bandai-Namco-Research-Motiondataset/ --out sets/bandai
  remogpt data import folder recordings/ --captions captions.csv --out sets/mine
  remogpt data import tmr datasets/annotations/kitml --features datasets/motions/guoh3dfeats --out sets/kitml
  remogpt data prepare AMASS bvh/ --captions captions.csv --body-model body_models/ --out sets/mine
  remogpt data doctor datasets/HumanML3D
  remogpt data pack datasets/HumanML3D
  remogpt data check sets/procedural
  remogpt data stats sets/procedural --similar
  remogpt data dissimilar sets/procedural --split test --size 100
  remogpt data map walk.bvh --out my_skeleton.yaml
"""

import json
from typing import Any

from remogpt import stages
from remogpt.commands.cli_parts.left_out import report_left_out
from remogpt.commands.cli_parts.parser import CommandParser
from remogpt.commands.data_doctor import add_doctor, run_doctor
from remogpt.commands.data_import import add_import, run_import
from remogpt.commands.data_map import add_map, run_map
from remogpt.commands.data_pack import add_pack, run_pack
from remogpt.commands.data_prepare import add_prepare, run_prepare
from remogpt.data.humanml3d import MotionTextSet
from remogpt.stages.inputs import SENTENCE_MODEL


def add_arguments(parser: Any) -> None:
    """Declare the subcommands."""
    actions = parser.add_subcommands(dest="action")
    make = CommandParser(description="Write the procedural set in HumanML3D's layout. An interrupted run resumes.")
    make.add_argument("--out", type=str, required=True, help="folder of the set")
    make.add_argument("--clips", type=int, default=5000, help="number of clips")
    make.add_argument("--seed", type=int, default=0, help="same seed, same set")
    make.add_argument("--workers", type=int, default=2, help="number of processes")
    make.add_argument("--unseen-share", type=float, default=0.06, help="share of combinations only in test_unseen")
    make.add_argument("--families", type=int, default=0, help="training clips that get variants: split 'families'")
    make.add_argument("--long", type=int, default=0, help="further recordings, of 10 to 20 s, described in stretches")
    make.add_argument(
        "--vocabulary", type=str, default="core", help="actions and words: core, or wide (more; mini was trained on it)"
    )
    actions.add_subcommand("make", make)
    add_import(actions)
    check = CommandParser(description="Test every checkable fact of a set on its own joints, and on shuffled ones.")
    check.add_argument("folder", type=str, help="folder of the set")
    check.add_argument("--clips", type=int, default=1000, help="number of clips to test")
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
    dissimilar.add_argument("--split", type=str, default="test", help="split of the motions")
    dissimilar.add_argument("--size", type=int, default=100, help="number of motions; TMR: 100")
    dissimilar.add_argument("--seed", type=int, default=0, help="seed of the random starts")
    dissimilar.add_argument("--out", type=str, default=None, help="list to write; default: FOLDER/nsim_SPLIT.txt")
    _add_text_model(dissimilar)
    dissimilar.add_argument("--json", action="store_true", help="print as JSON")
    actions.add_subcommand("dissimilar", dissimilar)
    add_prepare(actions)
    add_doctor(actions)
    add_pack(actions)
    add_map(actions)


def _add_text_model(parser: Any) -> None:
    parser.add_argument(
        "--text-model", type=str, default=SENTENCE_MODEL,
        help="model of the sentence vectors that compare captions; TMR: sentence-transformers/all-mpnet-base-v2",
    )  # fmt: skip


def run(args: Any) -> int:
    """Run the chosen subcommand."""
    chosen = args[args.action]
    actions = {
        "make": _make, "import": _import, "check": _check, "stats": _stats, "dissimilar": _dissimilar, "map": run_map,
        "doctor": run_doctor, "pack": run_pack, "prepare": run_prepare,
    }  # fmt: skip
    return actions[args.action](chosen)


def _make(args: Any) -> int:
    from remogpt.data.procedural.make import make_procedural_set

    make_procedural_set(
        args.out, args.clips, args.seed, args.workers, args.unseen_share, families=args.families, long=args.long,
        vocabulary=args.vocabulary,
    )  # fmt: skip
    _print_stats(stages.describe_set(args.out))
    return 0


def _import(args: Any) -> int:
    code = run_import(args)
    _print_stats(stages.describe_set(args[args.source].out))
    return code


def _check(args: Any) -> int:
    from remogpt.data.procedural.validate import validate_set

    report = validate_set(MotionTextSet.open(args.folder), num_clips=args.clips)
    if args.json:
        print(json.dumps(report.to_json(), indent=2))
    else:
        print(report)
    return 0


def _stats(args: Any) -> int:
    motions = MotionTextSet.open(args.folder)
    described = stages.describe_set(motions, text_model=args.text_model if args.similar else None)
    if args.json:
        print(json.dumps(described, indent=2))
    else:
        _print_stats(described)
    return report_left_out(motions.left_out, args.folder)


def _dissimilar(args: Any) -> int:
    """Write the list and print the similarity of its captions, beside a random choice."""
    report = stages.list_dissimilar(
        args.folder, split=args.split, size=args.size, seed=args.seed, out=args.out, text_model=args.text_model
    )
    if args.json:
        print(json.dumps(report, indent=2))
        return 0
    name = MotionTextSet.open(args.folder).name
    print(f"{report['out']}: {args.size} of {report['of']} motions of {name}, split {args.split}")
    for choice in ("chosen", "random"):
        print(f"  {choice}: " + ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in report[choice].items()))
    return 0


def _print_stats(described: dict[str, Any]) -> None:
    """Print one row a split, and the numbers of similar captions if counted."""
    print(f"{described['name']} ({described['licence']})")
    for split, counts in described["splits"].items():
        similar = counts.pop("similar", None)
        print(f"  {split:<12} " + ", ".join(f"{value} {name}" for name, value in counts.items()))
        if similar is not None:
            print("\n".join(f"               {line}" for line in _similar_lines(similar)))


def _similar_lines(counts: dict[str, Any]) -> list[str]:
    """Return the counts as lines of text."""
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
