"""Turn released weights into parts: TMR (a retriever), T2M-GPT (a tokenizer), MotionGPT (a tokenizer and a language
model), Guo et al. (an evaluator).

Examples:
  remogpt import tmr text_encoder.pt motion_encoder.pt motion_decoder.pt --statistics stats/guoh3dfeats --out parts/tmr
  remogpt import t2mgpt net_last.pth --statistics meta --out parts/tokenizer
  remogpt import motiongpt motiongpt_s3_h3d.tar --statistics meta --text-tokenizer flan-t5-base --out parts/motiongpt
  remogpt import motiongpt motiongpt_s3_h3d.tar --part tokenizer --statistics meta --out parts/tokenizer
  remogpt import guo text_mot_match/model/finest.tar Comp_v6_KLD005/meta glove --out parts/evaluator

Files are PyTorch's (.pt, .pth, .ckpt, .tar, .bin) or safetensors, and are opened without running what they hold. Every
name and every shape has to fit. --statistics is the folder of the mean and std (.pt or .npy) that the weights were
trained with: a network that reads features of another scale answers nonsense. `guo` takes its files or their folders.
MotionGPT's language model reads its own prompts, which have no place for examples: ask it with --no-retrieval.
"""

from pathlib import Path
from typing import Any

from remogpt.commands.cli_parts.parser import CommandParser
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import check_output_folder

_PREFIXES = {"t2mgpt": ("vqvae.",), "motiongpt": ("vae.", "motion_vae.")}
"""Under which the tokenizer's names stand in a checkpoint."""
_LM_PREFIX = "lm.language_model."


def add_arguments(parser: Any) -> None:
    """Declare the subcommands."""
    kinds = parser.add_subcommands(dest="kind")
    tmr = CommandParser(description="Import TMR: a file for each of its three modules, or one with all of them.")
    tmr.add_argument(
        "files", type=str, nargs="+", help="text_encoder, motion_encoder and motion_decoder, or a checkpoint"
    )
    tmr.add_argument("--text-model", type=str, default="distilbert-base-uncased", help="whose token states it reads")
    tmr.add_argument("--heads", type=int, default=4, help="attention heads, which the weights do not tell")
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
    parser.add_argument("file", type=str, help="checkpoint that holds them")
    parser.add_argument("--part", type=str, default=None, choices=("tokenizer", "lm"), help="one; both without it")
    parser.add_argument("--statistics", type=str, default=None, help="mean and std that the tokenizer was trained with")
    parser.add_argument(
        "--text-tokenizer",
        type=str,
        default="google/flan-t5-base",
        help="folder or hub name of its T5",
    )
    parser.add_argument("--out", type=str, required=True, help="folder of the part; of tokenizer/ and lm/ for both")
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
        help="the original, or MotionGPT's, whose numbers do not compare; can be chosen anew whenever it is opened",
    )  # fmt: skip
    guo.add_argument("--trained-on", type=str, default="HumanML3D", help="set that it was trained on")
    return guo


def _add_common(parser: Any, part: str) -> None:
    parser.add_argument("--statistics", type=str, required=True, help="folder of the mean and std it was trained with")
    parser.add_argument("--out", type=str, required=True, help=f"folder of the {part}")


def run(args: Any) -> int:
    """Import the chosen kind."""
    chosen = args[args.kind]
    out = check_output_folder(chosen.out)
    if args.kind == "tmr":
        _import_tmr(chosen, out)
    elif args.kind == "guo":
        _import_guo(chosen, out)
    elif args.kind == "motiongpt":
        _import_motiongpt(chosen, out)
    else:
        _import_t2mgpt(chosen, out)
    return 0


def _import_tmr(args: Any, out: Path) -> None:
    from remogpt.retriever.import_tmr import from_reference, join_modules
    from remogpt.retriever.training.new_retriever import new_tmr_retriever
    from remogpt.runtime.folders.safe_torch_load import read_released, read_statistics

    files: dict[str, Any] = {}
    for path in map(Path, args.files):
        if path.stem in files:
            raise RemogptError(f"two of the files are named {path.stem}; give each module once")
        files[path.stem] = read_released(path)
    network, config = from_reference(join_modules(files), args.heads)
    retriever = new_tmr_retriever(config, args.text_model, *read_statistics(args.statistics), network)
    own_hash = retriever.save_pretrained(out)
    count = sum(parameter.numel() for parameter in network.parameters())
    print(f"{out}: retriever {own_hash[:12]}, TMR of {count / 1e6:.1f} M parameters, {config.num_features} features")


def _import_t2mgpt(args: Any, out: Path) -> None:
    from remogpt.runtime.folders.safe_torch_load import read_released, read_statistics, strip_prefix
    from remogpt.tokenizer_vqvae.import_t2mgpt import tokenizer_from_reference

    state, others = strip_prefix(read_released(args.file), _PREFIXES["t2mgpt"])
    _save_tokenizer(tokenizer_from_reference(state, *read_statistics(args.statistics)), out, others)


def _import_motiongpt(args: Any, out: Path) -> None:
    """Make both parts, or the one that is wanted, before the first is written."""
    from remogpt.lm.import_motiongpt import language_model_from_reference, read_text_tokenizer
    from remogpt.runtime.folders.safe_torch_load import read_released, read_statistics, strip_prefix
    from remogpt.tokenizer_vqvae.import_t2mgpt import CODEBOOK, tokenizer_from_reference

    has_tokenizer, has_lm = args.part != "lm", args.part != "tokenizer"
    if has_tokenizer and args.statistics is None:
        raise RemogptError(
            "the tokenizer needs --statistics, the folder of the mean and std that it was trained with; give it, or "
            "import the language model alone with --part lm"
        )
    # Everything small comes first: a checkpoint of a gigabyte is not read in vain.
    statistics = read_statistics(args.statistics) if has_tokenizer else None
    text_tokenizer = read_text_tokenizer(args.text_tokenizer) if has_lm else None
    released = read_released(args.file, skip_objects=True)
    state, others = strip_prefix(released, _PREFIXES["motiongpt"])
    tokenizer = tokenizer_from_reference(state, *statistics) if statistics else None
    if has_lm:
        num_codes = len(state[CODEBOOK]) if CODEBOOK in state else None
        weights, _ = strip_prefix(released, (_LM_PREFIX,))
        lm = language_model_from_reference(weights, text_tokenizer, num_codes)
        others = [name for name in others if name != "lm"]
    if tokenizer:
        _save_tokenizer(tokenizer, out / "tokenizer" if has_lm else out, others)
    if has_lm:
        _save_lm(lm, out / "lm" if has_tokenizer else out)


def _save_tokenizer(tokenizer: Any, out: Path, others: list[str]) -> None:
    own_hash = tokenizer.save_pretrained(out)
    aside = f"; left aside: {', '.join(others)}" if others else ""
    print(f"{out}: tokenizer {own_hash[:12]}, {tokenizer.num_codes} codes, {tokenizer.num_features} features{aside}")


def _save_lm(lm: Any, out: Path) -> None:
    own_hash = lm.save_pretrained(out)
    count = sum(parameter.numel() for parameter in lm.parameters())
    print(
        f"{out}: lm {own_hash[:12]}, T5 of {count / 1e6:.1f} M parameters, {lm.vocabulary.num_codes} codes, "
        "asked in MotionGPT's words, without examples"
    )


def _import_guo(args: Any, out: Path) -> None:
    from remogpt.eval.evaluators.guo_words import KIND
    from remogpt.eval.evaluators.import_guo import load_released
    from remogpt.runtime.folders.envelope import read_envelope
    from remogpt.runtime.folders.training_record import TrainingRecord, write_record

    evaluator = load_released(args.files, args.variant)
    evaluator_hash = evaluator.save_pretrained(out)
    write_record(out, TrainingRecord(args.trained_on, part=read_envelope(out, KIND)["hash"]))
    count = sum(parameter.numel() for parameter in evaluator.parameters())
    print(
        f"{out}: evaluator {evaluator.name} {evaluator_hash[:12]}, {count / 1e6:.1f} M parameters, "
        f"{len(evaluator.words.words)} words"
    )
