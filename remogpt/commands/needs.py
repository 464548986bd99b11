"""Say what training and evaluation need from elsewhere, and what of it is missing, before hours are spent.

Examples:
  remogpt needs humanml3d/tokenizer humanml3d/retriever humanml3d/tmr humanml3d/lm_pretrain
  remogpt needs humanml3d/tmr --evaluator text_mot_match/model Comp_v6_KLD01/meta glove --lemmas
  remogpt needs humanml3d/tmr,tiny/tmr.yaml --gigabytes 40 --out runs/humanml3d

Published models that the settings name, the released evaluator, spaCy's model, disk. A settings file with others behind
commas is read with those laid over it, as `train` does with several --config. Nothing is downloaded. Exit code 1 if
anything is missing; the message says where to get it.
"""

import json
from dataclasses import asdict
from typing import Any

from remogpt.commands.cli_parts.settings_files import settings_file


def add_arguments(parser: Any) -> None:
    """Declare the command's options."""
    parser.add_argument("configs", type=str, nargs="+", help="settings files of the stages, or their names")
    parser.add_argument(
        "--evaluator", type=str, nargs="*", default=None, help="evaluator's folder, or the released files or folders"
    )
    parser.add_argument("--bertscore", type=str, default="", help="model of BERTScore")
    parser.add_argument("--sentence-model", type=str, default="", help="text model of rareness and retrieval")
    parser.add_argument("--lemmas", action="store_true", help="captions are tagged by spaCy")
    parser.add_argument("--out", type=str, default=None, help="folder of everything that is made")
    parser.add_argument("--gigabytes", type=float, default=0.0, help="disk that it takes")
    parser.add_argument("--json", action="store_true", help="print as JSON")


def run(args: Any) -> int:
    """Print what is there and what is missing."""
    from remogpt.stages.needs import find_needs

    stacks = [[settings_file(name) for name in word.split(",")] for word in args.configs]
    needs = find_needs(
        stacks, evaluator=args.evaluator, bertscore=args.bertscore, lemmas=args.lemmas,
        sentence_model=args.sentence_model, out=args.out, gigabytes=args.gigabytes,
    )  # fmt: skip
    missing = [need for need in needs if not need.found]
    if args.json:
        print(json.dumps([asdict(need) for need in needs], indent=2))
        return 1 if missing else 0
    for need in needs:
        where = f"here ({need.found})" if need.found else f"MISSING. Get it: {need.remedy}"
        print(f"{need.what}, for {need.used_by}: {where}")
    print(f"{len(missing)} of {len(needs)} missing" if missing else f"all {len(needs)} are here")
    return 1 if missing else 0
