"""Train a tokenizer, a retriever, a language model, or how it copies from examples.

Examples:
  remogpt train tokenizer --config configs/mini/tokenizer.yaml --data sets/procedural --out runs/tokenizer
  remogpt train retriever --config configs/mini/retriever.yaml --data sets/procedural --out runs/retriever
  remogpt train tmr --config configs/humanml3d/tmr.yaml --data sets/humanml3d --out runs/tmr
  remogpt train lm --config configs/mini/lm_pretrain.yaml --data sets/procedural --tokenizer runs/tokenizer \\
                   --out runs/lm0
  remogpt train lm --config configs/mini/lm_instruct.yaml --data sets/procedural --tokenizer runs/tokenizer \\
                   --start-from runs/lm0 --database runs/database --neighbours runs/train.safetensors \\
                   --val-neighbours runs/val.safetensors --out runs/lm
  remogpt train copy --config configs/mini/copy.yaml --tokenizer runs/tokenizer --database runs/database \\
                   --queries runs/database_val --neighbours runs/val.safetensors --out runs/copy

`retriever` is PL-TMR, `tmr` is TMR; either makes a retriever folder. `copy` learns from clips that the language model
has not seen, and their examples. The YAML's fields are those of TokenizerConfig, RetrieverConfig, TMRTrainingConfig,
LanguageModelConfig and CopyConfig; any of them can be changed on the command line:
--config.loop.steps 2000. Log and checkpoints go to <out>/run, and a run that was interrupted goes on from there when it
is started again.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

from remogpt.commands.cli_parts.parser import CommandParser
from remogpt.data.humanml3d import MotionTextSet
from remogpt.lm.copying.train import CopyConfig, train_copy_head
from remogpt.lm.training.samples import ExampleBank
from remogpt.lm.training.train import LanguageModelConfig, train_language_model
from remogpt.motion.skeleton import KIT_NUM_FEATURES, NUM_FEATURES
from remogpt.retriever import MotionDatabase
from remogpt.retriever.database.neighbours import Neighbours
from remogpt.retriever.training.loop import RetrieverConfig, train_retriever
from remogpt.retriever.training.pairs import TrainingPairs
from remogpt.retriever.training.tmr import TMRTrainingConfig, train_tmr
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import check_output_folder, remove_leftovers
from remogpt.runtime.folders.model_folder import check_belongs
from remogpt.stages.training_data import coded_clips, copy_pairs, example_bank, features_of
from remogpt.tokenizer_vqvae import MotionTokenizer
from remogpt.tokenizer_vqvae.train import TokenizerConfig, train_tokenizer

_CONFIGS: dict[str, Any] = {
    "tokenizer": TokenizerConfig,
    "retriever": RetrieverConfig,
    "tmr": TMRTrainingConfig,
    "lm": LanguageModelConfig,
    "copy": CopyConfig,
}


def add_arguments(parser: Any) -> None:
    """Declare the subcommands."""
    stages = parser.add_subcommands(dest="stage")
    for stage, config in _CONFIGS.items():
        own = CommandParser(description=(config.__doc__ or "").strip())
        own.add_argument("--config", type=config, default=config(), help="YAML file; single fields as --config.field")
        if stage != "copy":
            own.add_argument("--data", type=str, required=True, help="set in HumanML3D's layout, splits train and val")
        own.add_argument("--out", type=str, required=True, help="folder of the finished part; <out>/run holds the run")
        if stage == "lm":
            own.add_argument("--tokenizer", type=str, required=True, help="tokenizer folder")
            own.add_argument("--start-from", type=str, default=None, help="language model folder to go on from")
            own.add_argument("--database", type=str, default=None, help="where the examples come from")
            own.add_argument("--neighbours", type=str, default=None, help="training clips' examples ('db neighbours')")
            own.add_argument("--val-neighbours", type=str, default=None, help="validation clips' examples, likewise")
        if stage == "copy":
            own.add_argument("--tokenizer", type=str, required=True, help="tokenizer folder")
            own.add_argument("--database", type=str, required=True, help="where the examples come from")
            own.add_argument("--queries", type=str, required=True, help="database of clips that look for examples")
            own.add_argument("--neighbours", type=str, required=True, help="their examples ('db neighbours')")
        stages.add_subcommand(stage, own)


def run(args: Any) -> int:
    """Train the chosen stage."""
    chosen = args[args.stage]
    if args.stage == "copy":
        _train_copy(chosen, _cleared(chosen.out))
        print(f"{chosen.out}: copy head trained on {chosen.queries}")
        return 0
    stages = {"tokenizer": _train_tokenizer, "retriever": _train_retriever, "tmr": _train_tmr, "lm": _train_lm}
    is_kit = args.stage == "retriever" and chosen.config.model.skeleton == "kit"
    motions = MotionTextSet.open(chosen.data, KIT_NUM_FEATURES if is_kit else NUM_FEATURES)
    stages[args.stage](chosen, motions, _cleared(chosen.out))
    print(f"{chosen.out}: {args.stage} trained on {chosen.data}")
    return 0


def _cleared(path: str) -> Path:
    """Return the folder of a part, without what a killed run left half written."""
    out = check_output_folder(path)
    for name in ("model.safetensors", "normalizer.safetensors", "config.json"):
        remove_leftovers(out / name)
    return out


def _train_tokenizer(args: Any, motions: MotionTextSet, out: Path) -> None:
    train, val = (features_of(motions, split) for split in ("train", "val"))
    train_tokenizer(args.config, train, val, out / "run", out)


def _train_retriever(args: Any, motions: MotionTextSet, out: Path) -> None:
    train, val = (TrainingPairs.from_set(motions, split, args.config.same_tag) for split in ("train", "val"))
    train_retriever(args.config, train, val, out / "run", out)


def _train_tmr(args: Any, motions: MotionTextSet, out: Path) -> None:
    train, val = (TrainingPairs.from_set(motions, split, args.config.same_tag) for split in ("train", "val"))
    train_tmr(args.config, train, val, out / "run", out)


def _train_lm(args: Any, motions: MotionTextSet, out: Path) -> None:
    if (args.neighbours or args.val_neighbours) and args.database is None:
        raise RemogptError("neighbours are rows of a database: give it with --database")
    config = args.config if args.start_from is None else replace(args.config, start_from=args.start_from)
    tokenizer = MotionTokenizer.from_pretrained(args.tokenizer)
    tokenizer.check_one_code_a_step("the language model")
    database = None if args.database is None else MotionDatabase.open(args.database)
    clips = {split: motions.clips(split) for split in ("train", "val")}
    coded = {split: coded_clips(motions, chosen, tokenizer) for split, chosen in clips.items()}
    banks: dict[str, ExampleBank | None] = {"train": None, "val": None}
    for split, file in (("train", args.neighbours), ("val", args.val_neighbours)):
        if file is not None and database is not None:
            banks[split] = example_bank(Neighbours.load(file), database, clips[split])
    train_language_model(config, coded["train"], out, out / "run", banks["train"], coded["val"], banks["val"])


def _train_copy(args: Any, out: Path) -> None:
    tokenizer = MotionTokenizer.from_pretrained(args.tokenizer)
    tokenizer.check_one_code_a_step("the copy head")
    database, queries = MotionDatabase.open(args.database), MotionDatabase.open(args.queries)
    check_belongs(database.path, database.manifest, {"tokenizer": tokenizer.hash})
    check_belongs(queries.path, queries.manifest, {"tokenizer": tokenizer.hash})
    train, val = copy_pairs(Neighbours.load(args.neighbours), database, queries, args.config)
    belongs_to = {kind: database.manifest[f"{kind}_hash"] for kind in ("tokenizer", "retriever")}
    train_copy_head(args.config, train, val, tokenizer.code_vectors, belongs_to, out, out / "run")
