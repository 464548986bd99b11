"""The database commands that change databases, compare them with a set, or take their contents elsewhere."""

import json
from typing import Any

from remogpt import stages
from remogpt.commands.cli_parts.parser import CommandParser
from remogpt.commands.db_options import (
    add_component_options,
    add_filter_options,
    add_index_option,
    add_source_options,
    entry_filter,
    report_notes,
    source_options,
)
from remogpt.runtime.errors import RemogptError


def add_subcommands(actions: Any) -> None:
    """Declare the subcommands."""
    add = _declare(
        actions, "add", "Add the clips of a set, recordings, or another database's entries.", components=True
    )
    add.add_argument("source", type=str, help="set in HumanML3D's layout, recordings, or a database of the same model")
    add_source_options(add)
    remove = _declare(actions, "remove", "Remove the entries that meet all conditions given.")
    add_filter_options(remove)
    filtered = _declare(actions, "filter", "Write the entries that meet all conditions given as a database of its own.")
    add_filter_options(filtered)
    filtered.add_argument("--out", type=str, required=True, help="folder of the new database")
    merge = CommandParser(description="Write several databases of one model as one; nothing is embedded again.")
    merge.add_argument("databases", type=str, nargs="+", help="database folders")
    merge.add_argument("--out", type=str, required=True, help="folder of the new database")
    merge.add_argument(
        "--keep-first", action="store_true", help="where two entries have one id, take the first database's"
    )
    add_index_option(merge, "as the first database is")
    actions.add_subcommand("merge", merge)
    dedupe = _declare(actions, "dedupe", "Drop each entry whose motion an earlier entry has already.")
    dedupe.add_argument(
        "--max-distance",
        type=float,
        default=None,
        help="two motions are the same up to this mean distance of joints, in metres; default: 0.0075",
    )
    rebuild = _declare(actions, "rebuild", "Embed and tokenize the stored motions with another model.", components=True)
    which = rebuild.add_mutually_exclusive_group()
    which.add_argument("--no-facts", action="store_true", help="do not find the facts that hold for each motion")
    which.add_argument("--only-facts", action="store_true", help="find these facts anew, and embed nothing")
    for changed in (dedupe, rebuild):
        changed.add_argument("--out", type=str, default=None, help="folder of the result; default: a new version here")
    audit = _declare(actions, "audit", "List what a database shares with the clips of a set.")
    audit.add_argument("--json", action="store_true", help="print as JSON")
    separate = _declare(actions, "separate", "Write a database without the entries that are clips of a split.")
    separate.add_argument("--out", type=str, required=True, help="folder of the new database")
    for compared in (audit, separate):
        compared.add_argument("--against", type=str, required=True, help="SET:SPLIT, e.g. sets/procedural:test")
        compared.add_argument(
            "--max-distance",
            type=float,
            default=None,
            help="two motions are the same up to this mean distance of joints, in metres; default: 0.0075",
        )
    export = _declare(actions, "export", "Write ids, captions, sources, licences and tags as a table.")
    export.add_argument("--out", type=str, required=True, help="file to write: .jsonl, .csv or .parquet")
    push = _declare(actions, "push", "Upload a database to the Hugging Face hub, with a card.")
    push.add_argument("name", type=str, help="owner/name on the hub")
    push.add_argument("--audit", type=str, default=None, help="SET:SPLIT; the card tells what is shared with it")
    push.add_argument("--public", action="store_true", help="show a new repository to everybody")
    pull = CommandParser(description="Download a database from the Hugging Face hub, and check it.")
    pull.add_argument("name", type=str, help="owner/name on the hub")
    pull.add_argument("--out", type=str, required=True, help="database folder")
    pull.add_argument("--revision", type=str, default=None, help="branch, tag or commit; default: the newest")
    actions.add_subcommand("pull", pull)
    milvus = _declare(actions, "milvus", "Send the embeddings to Milvus, and search them there.")
    milvus.add_argument("--uri", type=str, default=None, help="http://host:19530, or a file of Milvus Lite")
    milvus.add_argument("--remove", action="store_true", help="drop them there; search the database's own files again")
    _declare(actions, "gc", "Delete old versions, and what killed builds left behind.")


def _declare(actions: Any, name: str, about: str, *, components: bool = False) -> Any:
    parser = CommandParser(description=about)
    parser.add_argument("database", type=str, help="database folder")
    if components:
        add_component_options(parser)
    actions.add_subcommand(name, parser)
    return parser


def _add(args: Any) -> int:
    from remogpt.stages.database_sources import Notes

    notes = Notes()
    database = stages.add_to_database(
        args.database, args.source, **source_options(args), retriever=args.retriever, tokenizer=args.tokenizer,
        model=args.model, notes=notes,
    )  # fmt: skip
    print(f"{args.database}: {len(database)} entries, with those of {args.source}")
    return report_notes(notes, args.source)


def _remove(args: Any) -> int:
    options = {"like": args.like, "min_score": args.min_score, "model": args.model}
    database = stages.filter_database(args.database, entry_filter(args), invert=True, **options)
    print(f"{args.database}: {len(database)} entries are left ('remogpt db gc' deletes the version before)")
    return 0


def _filter(args: Any) -> int:
    options = {"like": args.like, "min_score": args.min_score, "model": args.model}
    database = stages.filter_database(args.database, entry_filter(args), out=args.out, **options)
    print(f"{args.out}: {len(database)} entries of {args.database}")
    return 0


def _merge(args: Any) -> int:
    from remogpt.retriever import MotionDatabase

    opened = [MotionDatabase.open(one) for one in args.databases]
    database = stages.merge_databases(opened, out=args.out, keep_first=args.keep_first, index=args.index)
    dropped = sum(map(len, opened)) - len(database)
    doubles = f"; {dropped} left out, whose ids an earlier database has" if dropped else ""
    print(f"{args.out}: {len(database)} entries of {len(args.databases)} databases{doubles}")
    return 0


def _dedupe(args: Any) -> int:
    database, dropped = stages.drop_doubles(args.database, out=args.out, max_distance=args.max_distance)
    for name in dropped:
        print(name)
    above = " (above)" if dropped else ""
    print(f"{args.out or args.database}: {len(database)} entries, {len(dropped)} doubles dropped{above}")
    return 0


def _rebuild(args: Any) -> int:
    if args.only_facts:
        if given := [name for name in ("retriever", "tokenizer", "model") if getattr(args, name) is not None]:
            raise RemogptError(f"--only-facts embeds nothing, so that --{given[0]} has no effect; leave it out")
        database = stages.find_facts_anew(args.database, out=args.out)
        print(f"{args.out or args.database}: {len(database)} entries, their facts found anew")
        return 0
    database = stages.rebuild_database(
        args.database, out=args.out, retriever=args.retriever, tokenizer=args.tokenizer, model=args.model,
        facts=not args.no_facts,
    )  # fmt: skip
    print(f"{args.out or args.database}: {len(database)} entries, embedded again")
    return 0


def _audit(args: Any) -> int:
    found = stages.audit_database(args.database, args.against, max_distance=args.max_distance)
    if args.json:
        print(json.dumps([vars(one) for one in found], indent=2, ensure_ascii=False))
        return 0
    for one in found:
        how = f"  {100 * one.distance:.1f} cm, {one.shift:+.2f} s, speed {one.speed:g}" if "motion" in one.kind else ""
        print(f"{one.kind}  {one.query}  {one.entry}{how}")
    clips = len({one.query for one in found})
    print(f"{args.database} and {args.against}: {clips} clips have something in common ({len(found)} pairs)")
    return 0


def _separate(args: Any) -> int:
    database, dropped = stages.separate_database(
        args.database, args.against, out=args.out, max_distance=args.max_distance
    )
    print(f"{args.out}: {len(database)} entries of {args.database}, without {len(dropped)} that {args.against} has")
    return 0


def _export(args: Any) -> int:
    count = stages.export_entries(args.database, args.out)
    print(f"{args.out}: {count} entries")
    return 0


def _push(args: Any) -> int:
    address = stages.push_database(args.database, args.name, audit=args.audit, private=not args.public)
    print(f"{args.database} is at {address}")
    return 0


def _pull(args: Any) -> int:
    database = stages.pull_database(args.name, out=args.out, revision=args.revision)
    print(f"{args.out}: {len(database)} entries of {args.name}, every file as it was written")
    return 0


def _milvus(args: Any) -> int:
    if (args.uri is None) != args.remove:
        raise RemogptError("say where: --uri http://host:19530, or --remove for what was sent before")
    if args.remove:
        is_gone = stages.withdraw_from_milvus(args.database)
        print(f"{args.database}: {'dropped in Milvus' if is_gone else 'was not in Milvus'}")
        return 0
    rows = stages.send_to_milvus(args.database, args.uri)
    print(f"{args.database}: {rows} embeddings are in Milvus at {args.uri}, and are searched there")
    return 0


def _gc(args: Any) -> int:
    deleted = stages.collect_garbage(args.database)
    print(f"{args.database}: {len(deleted)} folders deleted: old versions, and what killed builds left")
    return 0


ACTIONS = {
    "add": _add, "remove": _remove, "filter": _filter, "merge": _merge, "dedupe": _dedupe, "rebuild": _rebuild,
    "audit": _audit, "separate": _separate, "export": _export, "push": _push, "pull": _pull, "milvus": _milvus,
    "gc": _gc,
}  # fmt: skip
"""What each subcommand runs."""
