"""Share databases through a hub: the version in use, with a card that says what is in it and under which licences."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from remogpt.retriever import MotionDatabase
from remogpt.retriever.database.description import describe, to_text
from remogpt.retriever.database.version_files import name_in_use, new_version, publish
from remogpt.runtime.errors import MissingPathError, RemogptError
from remogpt.runtime.files import check_output_folder
from remogpt.runtime.leftovers import temporary_path
from remogpt.stages.database_audit import audit_database
from remogpt.stages.inputs import open_database

_log = logging.getLogger(__name__)

KIND = "dataset"
"""Kind of the hub's repository."""
UNKNOWN = "unknown"
"""Licence of entries whose maker did not name one."""


def push_database(
    database: str | Path | MotionDatabase, name: str, *, audit: str | None = None, private: bool = True
) -> str:
    """Upload the version in use as one commit of a hub's dataset repository; returns its address.

    What the repository held before goes with the same commit; its history keeps it.

    Args:
        database: to share. Recordings keep their licences: look at them before making anything public.
        name: "owner/name" on the hub; the repository is made if there is none.
        audit: SET:SPLIT; the card tells how many of its clips the database has something in common with.
        private: for a new repository.

    Raises:
        RemogptError: if the hub refuses, or cannot be reached.
    """
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi

    opened = open_database(database)
    opened.verify()
    if opened.manifest["licences"].get(UNKNOWN):
        _log.warning("%s: %d entries have no licence", opened.path, opened.manifest["licences"][UNKNOWN])
    version = f"versions/{opened.hash}"
    files = sorted(path for path in opened.folder.iterdir() if path.is_file())
    added = [CommitOperationAdd(f"{version}/{path.name}", path) for path in files]
    added.append(CommitOperationAdd("CURRENT", f"{opened.hash}\n".encode()))
    added.append(CommitOperationAdd("README.md", database_card(opened, audit=audit).encode()))
    api = HfApi()
    with _told(name):
        address = api.create_repo(name, repo_type=KIND, private=private, exist_ok=True)
        kept = {operation.path_in_repo for operation in added} | {".gitattributes"}
        gone = [
            CommitOperationDelete(place)
            for place in api.list_repo_files(name, repo_type=KIND)
            if place.startswith("versions/") and place not in kept
        ]
        about = f"{len(opened)} entries, version {opened.hash[:12]}"
        api.create_commit(name, [*added, *gone], commit_message=about, repo_type=KIND)
    return str(address)


def pull_database(name: str, *, out: str | Path, revision: str | None = None) -> MotionDatabase:
    """Download a database from a hub, check it, and make it the version in use of a folder.

    Args:
        name: "owner/name" on the hub.
        out: folder; what it held stays in use until the new version is whole and checked.
        revision: branch, tag or commit of the repository; default: its newest.

    Raises:
        MissingPathError: if there is no database of that name.
        RemogptError: if the hub refuses or cannot be reached, or what came is damaged.
    """
    from huggingface_hub import HfApi

    path = check_output_folder(out)
    replaces = name_in_use(path)
    with temporary_path(path.with_name(f"{path.name}.pulled"), is_folder=True) as work:
        with _told(name):
            HfApi().snapshot_download(
                name, repo_type=KIND, revision=revision, local_dir=work, allow_patterns=["CURRENT", "versions/*"]
            )
        if name_in_use(work) is None:
            raise MissingPathError(f"{name} on the hub holds no motion database (wanted a file CURRENT)")
        came = MotionDatabase.open(work)
        came.verify()
        version = came.hash
        with new_version(path) as folder:
            for file in (work / "versions" / version).iterdir():
                file.replace(folder / file.name)
            publish(path, folder, version, replaces)
    return MotionDatabase.open(path)


def database_card(database: str | Path | MotionDatabase, *, audit: str | None = None) -> str:
    """Write a database's card as Markdown: licences, sources, counts, what the tokenizer loses, what it shares.

    Args:
        database: to describe.
        audit: SET:SPLIT to compare it with; see `audit_database`.
    """
    opened = open_database(database)
    described = describe(opened)
    lines = [
        "---", "tags: [remogpt, motion-retrieval-database]", "license: other",
        "license_name: licences-of-its-recordings", "---", "", "# A motion database for remogpt", "",
        "Captioned motions to retrieve from, for the model whose retriever and tokenizer made it:", "",
        "```", "remogpt db pull OWNER/NAME --out databases/mine", "```", "",
        f"* retriever `{opened.manifest['retriever_hash']}`", f"* tokenizer `{opened.manifest['tokenizer_hash']}`",
        f"* version `{opened.hash}`", "", "## Licences", "", "| licence | entries |", "|---|---|",
        *(f"| {_cell(licence)} | {count} |" for licence, count in sorted(described["licences"].items())),
        "", "## Sources", "", "| source | entries |", "|---|---|",
        *(f"| {_cell(source)} | {count} |" for source, count in described["provenance"].items()),
        "", "## Content", "", "```", to_text(described).rstrip(), "```", "",
    ]  # fmt: skip
    if audit is not None:
        found = audit_database(opened, audit)
        clips = len({one.query for one in found})
        split = f"{Path(audit.rpartition(':')[0]).name}:{audit.rpartition(':')[2]}"
        lines += ["## Shared with test sets", "",
                  f"{clips} clips of `{split}` have something in common with it ({len(found)} pairs).", ""]  # fmt: skip
    return "\n".join(lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")


@contextmanager
def _told(name: str) -> Iterator[None]:
    """Say in one sentence what the hub's client complains of."""
    from huggingface_hub.errors import (
        HfHubHTTPError,
        HFValidationError,
        LocalEntryNotFoundError,
        LocalTokenNotFoundError,
        RepositoryNotFoundError,
    )

    try:
        yield
    except RepositoryNotFoundError as error:
        raise MissingPathError(f"the hub shows no dataset {name!r} to you; check the name, or log in") from error
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, LocalTokenNotFoundError, OSError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise RemogptError(f"the hub did not answer for {name!r}: {reason}") from error
