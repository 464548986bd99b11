"""Run every stage from Python: the functions behind `remogpt train`, `db build` and `eval`.

train_tokenizer("sets/mine", out="runs/tokenizer")
train_retriever("sets/mine", out="runs/retriever")
database = build_database("sets/mine", out="runs/database", retriever="runs/retriever", tokenizer="runs/tokenizer")
report = evaluate("models/my-model", "sets/mine", out="runs/eval")

Inputs of a stage are paths or opened objects. Interrupted stages resume, like the commands.
"""

from typing import TYPE_CHECKING

from remogpt.runtime.lazy import lazy_names

if TYPE_CHECKING:
    from remogpt.stages.database_audit import audit_database, export_entries
    from remogpt.stages.database_edits import (
        add_to_database,
        collect_garbage,
        drop_doubles,
        filter_database,
        find_facts_anew,
        merge_databases,
        rebuild_database,
        send_to_milvus,
        separate_database,
        withdraw_from_milvus,
    )
    from remogpt.stages.database_page import write_database_page
    from remogpt.stages.database_sharing import database_card, pull_database, push_database
    from remogpt.stages.databases import build_database, find_neighbours
    from remogpt.stages.evaluation import evaluate
    from remogpt.stages.released import import_guo, import_motiongpt, import_t2mgpt, import_tmr_retriever
    from remogpt.stages.set_captions import describe_set, list_dissimilar
    from remogpt.stages.train import (
        join_readers,
        train_copy,
        train_finder,
        train_lm,
        train_reader,
        train_retriever,
        train_tmr,
        train_tokenizer,
    )

__all__ = [
    "add_to_database",
    "audit_database",
    "build_database",
    "collect_garbage",
    "database_card",
    "describe_set",
    "drop_doubles",
    "evaluate",
    "export_entries",
    "filter_database",
    "find_facts_anew",
    "find_neighbours",
    "import_guo",
    "import_motiongpt",
    "import_t2mgpt",
    "import_tmr_retriever",
    "join_readers",
    "list_dissimilar",
    "merge_databases",
    "pull_database",
    "push_database",
    "rebuild_database",
    "send_to_milvus",
    "separate_database",
    "train_copy",
    "train_finder",
    "train_lm",
    "train_reader",
    "train_retriever",
    "train_tmr",
    "train_tokenizer",
    "withdraw_from_milvus",
    "write_database_page",
]

_NAMES = {
    "database_audit": ("audit_database", "export_entries"),
    "database_edits": (
        "add_to_database",
        "collect_garbage",
        "drop_doubles",
        "separate_database",
        "filter_database",
        "merge_databases",
        "find_facts_anew",
        "rebuild_database",
        "send_to_milvus",
        "withdraw_from_milvus",
    ),
    "database_page": ("write_database_page",),
    "database_sharing": ("database_card", "pull_database", "push_database"),
    "databases": ("build_database", "find_neighbours"),
    "evaluation": ("evaluate",),
    "released": ("import_guo", "import_motiongpt", "import_t2mgpt", "import_tmr_retriever"),
    "set_captions": ("describe_set", "list_dissimilar"),
    "train": (
        "join_readers",
        "train_copy",
        "train_finder",
        "train_lm",
        "train_reader",
        "train_retriever",
        "train_tmr",
        "train_tokenizer",
    ),
}
_HOMES = {name: f"remogpt.stages.{module}" for module, names in _NAMES.items() for name in names}

# Import lazily, so that a command's --help loads no torch.
__getattr__ = lazy_names(__name__, _HOMES)
