"""Share databases: the hub is a local folder here, with one commit at a time and the client's own errors."""

import shutil
from pathlib import Path
from typing import Any

import httpx
import pytest
from huggingface_hub import CommitOperationDelete
from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError

from remogpt import ReMoGPT, stages
from remogpt.cli import main
from remogpt.retriever import MotionDatabase
from remogpt.retriever.database.entry_filter import EntryFilter
from remogpt.runtime.errors import MissingPathError, RemogptError

ANSWER = httpx.Response(404, request=httpx.Request("GET", "https://hub.invalid/"))


class LocalHub:
    """What these functions use of `HfApi`, on folders."""

    root: Path
    is_down = False
    complaint: Exception = HfHubHTTPError("503 Server Error: try again later\nmore", response=ANSWER)
    private: dict[str, bool]

    def create_repo(self, name: str, *, repo_type: str, private: bool, exist_ok: bool) -> str:
        if self.is_down:
            raise self.complaint
        assert repo_type == "dataset" and exist_ok
        if not (self.root / name).is_dir():
            (self.root / name).mkdir(parents=True)
            self.private[name] = private
        return f"hub/datasets/{name}"

    def list_repo_files(self, name: str, *, repo_type: str) -> list[str]:
        return [
            path.relative_to(self.root / name).as_posix() for path in (self.root / name).rglob("*") if path.is_file()
        ]

    def create_commit(self, name: str, operations: list[Any], *, commit_message: str, repo_type: str) -> None:
        assert "entries" in commit_message
        for one in operations:
            target = self.root / name / one.path_in_repo
            if isinstance(one, CommitOperationDelete):
                target.unlink()
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            content = one.path_or_fileobj
            target.write_bytes(content if isinstance(content, bytes) else Path(content).read_bytes())

    def snapshot_download(
        self, name: str, *, repo_type: str, revision: str | None, local_dir: Path, allow_patterns: list[str]
    ) -> str:
        if not (self.root / name).is_dir():
            raise RepositoryNotFoundError("404", response=ANSWER)
        shutil.copytree(self.root / name, local_dir, dirs_exist_ok=True)
        return str(local_dir)


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> type[LocalHub]:
    own = type("Hub", (LocalHub,), {"root": tmp_path / "hub", "private": {}})
    monkeypatch.setattr("huggingface_hub.HfApi", own)
    return own


@pytest.fixture(scope="module")
def built(tiny_set: Path, tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("built") / "db"
    stages.build_database(tiny_set, out=out, model=ReMoGPT.from_pretrained(tiny_model, device="cpu"), split="all")
    return out


@pytest.fixture
def database(built: Path, tmp_path: Path) -> MotionDatabase:
    return MotionDatabase.open(shutil.copytree(built, tmp_path / "db"))


def test_what_is_pulled_is_what_was_pushed(
    hub: type[LocalHub], database: MotionDatabase, tiny_set: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["db", "push", str(database.path), "me/moves", "--audit", f"{tiny_set}:test"]) == 0
    assert hub.private == {"me/moves": True}
    card = (hub.root / "me/moves/README.md").read_text(encoding="utf-8")
    assert database.hash in card and f"{len(database)} entries" in card and "have something in common" in card
    assert all(f"| {licence} | {count} |" in card for licence, count in database.manifest["licences"].items())
    assert str(tmp_path) not in card, "no path of this machine"
    assert main(["db", "pull", "me/moves", "--out", str(tmp_path / "theirs")]) == 0
    assert f"{len(database)} entries of me/moves" in capsys.readouterr().out
    pulled = MotionDatabase.open(tmp_path / "theirs")
    pulled.verify()
    assert pulled.hash == database.hash and sorted(path.name for path in tmp_path.iterdir()) == ["db", "hub", "theirs"]


def test_a_new_version_takes_the_place_of_the_old_one_on_both_sides(
    hub: type[LocalHub], database: MotionDatabase, tmp_path: Path
) -> None:
    stages.push_database(database, "me/moves", private=False)
    stages.pull_database("me/moves", out=tmp_path / "theirs")
    first = next(database.infos()).id
    fewer = stages.filter_database(database, EntryFilter(ids=frozenset([first])), invert=True)
    stages.push_database(fewer, "me/moves")
    assert {path.name for path in (hub.root / "me/moves/versions").iterdir() if any(path.iterdir())} == {fewer.hash}
    pulled = stages.pull_database("me/moves", out=tmp_path / "theirs")
    assert pulled.hash == fewer.hash and first not in pulled.rows
    assert hub.private == {"me/moves": False}
    assert stages.pull_database("me/moves", out=tmp_path / "theirs").hash == fewer.hash


def test_what_comes_damaged_changes_nothing(hub: type[LocalHub], database: MotionDatabase, tmp_path: Path) -> None:
    stages.push_database(database, "me/moves")
    before = stages.pull_database("me/moves", out=tmp_path / "theirs").hash
    path = hub.root / "me/moves/versions" / database.hash / "codes.npy"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(bytes(content))
    for out in ("theirs", "new"):
        with pytest.raises(RemogptError, match=r"codes\.npy"):
            stages.pull_database("me/moves", out=tmp_path / out)
    assert MotionDatabase.open(tmp_path / "theirs").hash == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["db", "hub", "theirs"]


def test_the_hubs_complaints_are_one_sentence(hub: type[LocalHub], database: MotionDatabase, tmp_path: Path) -> None:
    with pytest.raises(MissingPathError, match="shows no dataset 'me/none' to you"):
        stages.pull_database("me/none", out=tmp_path / "theirs")
    (hub.root / "me/other").mkdir(parents=True)
    with pytest.raises(MissingPathError, match="holds no motion database"):
        stages.pull_database("me/other", out=tmp_path / "theirs")
    hub.is_down = True
    with pytest.raises(RemogptError, match=r"did not answer for 'me/moves': 503 Server Error: try again later$"):
        stages.push_database(database, "me/moves")
    hub.complaint = ConnectionError("the network is unreachable")
    with pytest.raises(RemogptError, match=r"did not answer for 'me/moves': the network is unreachable$"):
        stages.push_database(database, "me/moves")
