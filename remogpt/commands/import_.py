"""Turn released weights into components: TMR (a retriever), T2M-GPT (a tokenizer), MotionGPT (a tokenizer and a
language model), Guo et al. (an evaluator).

Examples:
  remogpt import tmr text_encoder.pt motion_encoder.pt motion_decoder.pt --statistics guoh3dfeats --out imported/tmr
  remogpt import t2mgpt net_last.pth --statistics meta --out imported/tokenizer
  remogpt import motiongpt motiongpt_s3_h3d.tar --statistics meta --text-tokenizer flan-t5-base --out imported/motiongpt
  remogpt import motiongpt motiongpt_s3_h3d.tar --part tokenizer --statistics meta --out imported/tokenizer
  remogpt import guo text_mot_match/model/finest.tar Comp_v6_KLD005/meta glove --out imported/evaluator

Files are PyTorch's (.pt, .pth, .ckpt, .tar, .bin) or safetensors, and are opened without running their code. Every
name and every shape has to fit. --statistics is the folder of the mean and std (.pt or .npy) that the weights were
trained with: a network that reads features of another scale answers nonsense. `guo` takes its files or their folders.
--expect is a .npz of answers that the source gave to a few inputs; where ours differ, nothing is written.
MotionGPT's language model reads its own prompts, which cannot hold examples: use it with --no-retrieval.
"""

from typing import Any

from remogpt import stages
from remogpt.commands.cli_parts.parser import CommandParser


def add_arguments(parser: Any) -> None:
    """Declare the subcommands."""
    kinds = parser.add_subcommands(dest="kind")
    tmr = CommandParser(description="Import TMR: a file for each of its three modules, or one with all of them.")
    tmr.add_argument(
        "files", type=str, nargs="+", help="text_encoder, motion_encoder and motion_decoder, or a checkpoint"
    )
    tmr.add_argument("--text-model", type=str, default="distilbert-base-uncased", help="text model that TMR reads")
    tmr.add_argument("--heads", type=int, default=4, help="number of attention heads, not in the weights")
    _add_common(tmr, "retriever")
    kinds.add_subcommand("tmr", tmr)
    tokenizer = CommandParser(description="Import the motion tokenizer (VQ-VAE) of T2M-GPT.")
    tokenizer.add_argument("file", type=str, help="checkpoint that holds the tokenizer")
    _add_common(tokenizer, "tokenizer")
    kinds.add_subcommand("t2mgpt", tokenizer)
    kinds.add_subcommand("motiongpt", _motiongpt_parser())
    kinds.add_subcommand("guo", _guo_parser())


def _motiongpt_parser() -> CommandParser:
    parser = CommandParser(description="Import MotionGPT: its motion tokenizer (VQ-VAE) and its language model (T5).")
    parser.add_argument("file", type=str, help="checkpoint with both")
    parser.add_argument(
        "--part", type=str, default=None, choices=("tokenizer", "lm"), help="which component; default: both"
    )
    parser.add_argument("--statistics", type=str, default=None, help="folder of the tokenizer's training mean and std")
    parser.add_argument(
        "--text-tokenizer",
        type=str,
        default="google/flan-t5-base",
        help="folder or hub name of MotionGPT's T5",
    )
    parser.add_argument("--out", type=str, required=True, help="folder of the component, or of tokenizer/ and lm/")
    _add_expect(parser)
    return parser


def _guo_parser() -> CommandParser:
    guo = CommandParser(
        description="Import the evaluator of Guo et al.: finest.tar, the mean.npy and std.npy that it was trained "
        "with, and the GloVe files our_vab_data.npy, our_vab_words.pkl and our_vab_idx.pkl."
    )
    guo.add_argument("files", type=str, nargs="+", help="the released files, or folders that hold them")
    guo.add_argument("--out", type=str, required=True, help="folder of the evaluator")
    guo.add_argument(
        "--variant", type=str, default="packed", choices=("packed", "unpacked"),
        help="packed: the original; unpacked: MotionGPT's. Their numbers are not comparable",
    )  # fmt: skip
    guo.add_argument("--trained-on", type=str, default="HumanML3D", help="name of the training set")
    _add_expect(guo)
    return guo


def _add_expect(parser: Any) -> None:
    parser.add_argument(
        "--expect", type=str, default=None,
        help=".npz of the source's own answers (motion_0 and codes_0, text_0 and text_embedding_0, …) to compare with",
    )  # fmt: skip


def _add_common(parser: Any, kind: str) -> None:
    parser.add_argument("--statistics", type=str, required=True, help="folder of the training set's mean and std")
    parser.add_argument("--out", type=str, required=True, help=f"folder of the {kind}")
    _add_expect(parser)


def run(args: Any) -> int:
    """Import the chosen kind."""
    options = dict(vars(args[args.kind]))
    if args.kind == "tmr":
        made = {"tmr": stages.import_tmr_retriever(options.pop("files"), **options)}
    elif args.kind == "guo":
        made = {"guo": stages.import_guo(options.pop("files"), **options)}
    elif args.kind == "t2mgpt":
        made = {"tokenizer": stages.import_t2mgpt(options.pop("file"), **options)}
    else:
        made = stages.import_motiongpt(options.pop("file"), **options)
    for kind, imported in made.items():
        {"tmr": _tell_tmr, "guo": _tell_guo, "tokenizer": _tell_tokenizer, "lm": _tell_lm}[kind](imported)
        for line in imported.compared:
            print(f"  {line}")
    return 0


def _tell_tmr(imported: Any) -> None:
    retriever = imported.component
    print(
        f"{imported.folder}: retriever {retriever.hash[:12]}, TMR of {_millions(retriever.network)} M parameters, "
        f"{len(retriever.mean)} features"
    )


def _tell_tokenizer(imported: Any) -> None:
    tokenizer = imported.component
    aside = f"; left aside: {', '.join(imported.left_aside)}" if imported.left_aside else ""
    print(
        f"{imported.folder}: tokenizer {tokenizer.hash[:12]}, {tokenizer.num_codes} codes, {tokenizer.num_features} "
        f"features{aside}"
    )


def _tell_lm(imported: Any) -> None:
    lm = imported.component
    print(
        f"{imported.folder}: lm {lm.hash[:12]}, T5 of {_millions(lm)} M parameters, {lm.vocabulary.num_codes} codes, "
        "asked in MotionGPT's words, without examples"
    )


def _tell_guo(imported: Any) -> None:
    evaluator = imported.component
    print(
        f"{imported.folder}: evaluator {evaluator.name} {evaluator.hash[:12]}, {_millions(evaluator)} M parameters, "
        f"{len(evaluator.words.words)} words"
    )


def _millions(network: Any) -> str:
    return f"{sum(parameter.numel() for parameter in network.parameters()) / 1e6:.1f}"
