"""Train a tokenizer, a retriever, a language model, a copy head, a reader or a finder.

Examples:
  remogpt train tokenizer --config mini/tokenizer --data sets/procedural --out runs/tokenizer
  remogpt train retriever --config mini/retriever --data sets/procedural --out runs/retriever
  remogpt train tmr --config humanml3d/tmr --data sets/humanml3d --out runs/tmr
  remogpt train lm --config mini/lm_pretrain --data sets/procedural --tokenizer runs/tokenizer \\
                   --out runs/lm0
  remogpt train lm --config mini/lm_instruct --data sets/procedural --tokenizer runs/tokenizer \\
                   --start-from runs/lm0 --database runs/database --neighbours runs/train.safetensors \\
                   --val-neighbours runs/val.safetensors --out runs/lm
  remogpt train reader --config mini/reader --out runs/reader
  remogpt train finder --config mini/finder --data sets/procedural --out runs/finder
  remogpt train copy --config mini/copy --tokenizer runs/tokenizer --database runs/database \\
                   --queries runs/database_val --neighbours runs/val.safetensors --out runs/copy

`retriever` is PL-TMR or, with a vision_model, MotionPatches; `tmr` is TMR; each makes a retriever folder. `reader`
learns to read what captions claim, from captions that the procedural grammar writes, and needs no set; `finder` learns
to see these facts in features. `copy` learns which examples answer, from clips that the language model has not seen.

--config takes a YAML file, or the name of one that comes with the package (`mini/tokenizer`). Every setting can be
changed on the command line: --config.loop.steps 2000; `remogpt train tokenizer --help` lists those of the tokenizer.
Log and checkpoints go to <out>/run, and the same command resumes an interrupted run.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from remogpt import stages
from remogpt.commands.cli_parts.left_out import report_left_out
from remogpt.commands.cli_parts.parser import CommandParser
from remogpt.finder.train import FinderConfig
from remogpt.lm.copying.train import CopyConfig
from remogpt.lm.training.train import LanguageModelConfig
from remogpt.reader.train import ReaderConfig
from remogpt.retriever.training.pl_tmr import RetrieverConfig
from remogpt.retriever.training.tmr import TMRTrainingConfig
from remogpt.runtime.files import read_json
from remogpt.stages.train import LEFT_OUT
from remogpt.tokenizer_vqvae.train import TokenizerConfig

_STAGES: dict[str, tuple[Any, Callable[..., Any]]] = {
    "tokenizer": (TokenizerConfig, stages.train_tokenizer),
    "retriever": (RetrieverConfig, stages.train_retriever),
    "tmr": (TMRTrainingConfig, stages.train_tmr),
    "lm": (LanguageModelConfig, stages.train_lm),
    "reader": (ReaderConfig, stages.train_reader),
    "finder": (FinderConfig, stages.train_finder),
    "copy": (CopyConfig, stages.train_copy),
}
"""Settings and training function of each stage; its options are the function's arguments."""


def add_arguments(parser: Any) -> None:
    """Declare the subcommands."""
    actions = parser.add_subcommands(dest="stage")
    for stage, (config, _) in _STAGES.items():
        own = CommandParser(description=(config.__doc__ or "").strip())
        own.add_argument("--config", type=config, default=config(), help="YAML file, or a name such as mini/tokenizer")
        if stage not in ("copy", "reader"):
            own.add_argument("--data", type=str, required=True, help="set in HumanML3D's layout, splits train and val")
        own.add_argument(
            "--out",
            type=str,
            required=True,
            help="finished component; log and checkpoints in <out>/run",
        )
        if stage == "lm":
            own.add_argument("--tokenizer", type=str, required=True, help="tokenizer folder")
            own.add_argument("--start-from", type=str, default=None, help="language model folder to start from")
            own.add_argument("--database", type=str, default=None, help="database folder of the examples")
            own.add_argument("--neighbours", type=str, default=None, help="training clips' examples ('db neighbours')")
            own.add_argument("--val-neighbours", type=str, default=None, help="validation clips' examples")
        if stage == "copy":
            own.add_argument("--tokenizer", type=str, required=True, help="tokenizer folder")
            own.add_argument("--database", type=str, required=True, help="database folder of the examples")
            own.add_argument("--queries", type=str, required=True, help="database folder of the query clips")
            own.add_argument("--neighbours", type=str, required=True, help="query clips' examples ('db neighbours')")
        actions.add_subcommand(stage, own)


def run(args: Any) -> int:
    """Train the chosen stage."""
    chosen = args[args.stage]
    _STAGES[args.stage][1](**vars(chosen))
    learned_from = {"copy": "queries", "reader": None}.get(args.stage, "data")
    source = "captions of the procedural grammar" if learned_from is None else chosen[learned_from]
    print(f"{chosen.out}: {args.stage} trained on {source}")
    record = Path(chosen.out) / "run" / LEFT_OUT
    return report_left_out(read_json(record, dict[str, str]), source) if record.is_file() else 0
