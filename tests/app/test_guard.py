"""What strangers may not do: sizes, origins, keys, and files that are not what they seem."""

import io
import json
import zipfile
from pathlib import Path

import pytest

pytest.importorskip("fastapi", reason='the service needs pip install ".[serve]"')

from fastapi.testclient import TestClient

from remogpt.app.service.databases import find_table
from remogpt.app.service.problems import ServiceError
from remogpt.app.service.settings import ServiceSettings
from remogpt.app.service.uploads import plain_name, unpack
from remogpt.runtime.errors import RemogptError

WALK = {"text": "a person walks"}


def test_a_key_is_asked_for_and_keys_are_clients(ask_service) -> None:
    with ask_service(api_keys=("first-key-1", "second-key")) as client:
        assert client.get("/health").status_code == 200
        refused = client.post("/v1/generate", json=WALK)
        assert refused.status_code == 401 and "Authorization: Bearer" in refused.json()["detail"]
        assert client.post("/v1/generate", json=WALK, headers={"X-API-Key": "wrong-key"}).status_code == 401
        shown = client.get("/", headers={"Accept": "text/html"}, follow_redirects=False)
        assert shown.status_code == 303 and shown.headers["location"] == "/login"
        first, second = {"Authorization": "Bearer first-key-1"}, {"X-API-Key": "second-key"}
        begun = client.post("/v1/generate", json=WALK, headers={**first, "Prefer": "respond-async"})
        assert begun.status_code == 202
        assert client.get(begun.headers["location"], headers=first).status_code == 200
        # A name in Remogpt-Client does not lend another's jobs where there are keys.
        assert client.get(begun.headers["location"], headers={**second, "Remogpt-Client": "x"}).status_code == 404
        shown = client.post("/login", data={"key": "first-key-1"}, follow_redirects=False)
        assert shown.status_code == 303 and "HttpOnly" in shown.headers["set-cookie"]
        assert client.get(begun.headers["location"]).status_code == 200  # the cookie is the key
    with pytest.raises(RemogptError, match="at least 8 characters"):
        ServiceSettings(work=Path("x"), api_keys=("short",))


def test_other_sites_pages_and_names_are_refused(client: TestClient) -> None:
    cross = client.post("/v1/generate", json=WALK, headers={"Origin": "https://evil.example"})
    assert cross.status_code == 403 and "another site" in cross.json()["detail"]
    assert client.get("/health", headers={"Host": "evil.example"}).status_code == 421
    assert client.get("/health", headers={"Origin": "http://localhost"}).status_code == 200
    policy = client.get("/health").headers["content-security-policy"]
    assert "default-src 'self'" in policy and "http" not in policy


def test_a_body_that_is_too_large_is_refused_whatever_it_announces(ask_service) -> None:
    with ask_service(max_upload=10_000) as client:
        announced = client.post("/v1/generate", content=b"x" * 20_000)
        counted = client.post("/v1/generate", content=(b"x" * 1000 for _ in range(20)))  # chunked, without a length
        assert announced.status_code == counted.status_code == 413
        files = [("files", (f"{number}.npy", b"x" * 3000)) for number in range(5)]
        assert client.post("/v1/caption", files=files).status_code == 413
        assert client.post("/v1/generate", json=WALK).status_code == 200
        assert not list((client.app.state.service.settings.work / "uploads").glob("*"))


def test_names_are_plain_and_kinds_are_known() -> None:
    assert plain_name("folder/a b.bvh", (".bvh",)) == "a b.bvh" and plain_name("C:\\x\\y.BVH", (".bvh",)) == "y.BVH"
    for name, status in {
        "": 422,
        "..": 422,
        ".bvh": 422,
        "a\x00.bvh": 422,
        "a.exe": 415,
        "x" * 300 + ".bvh": 422,
    }.items():
        with pytest.raises(ServiceError) as caught:
            plain_name(name, (".bvh",))
        assert caught.value.status == status, name


def zipped(path: Path, members: dict[str, bytes], mode: int = 0o100644) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            info = zipfile.ZipInfo(name)
            info.external_attr, info.compress_type = mode << 16, zipfile.ZIP_DEFLATED
            archive.writestr(info, content)
    return path


@pytest.mark.parametrize(
    "name", ["../out.bvh", "/etc/out.bvh", "a/../../out.bvh", "a\\..\\..\\out.bvh", "C:/../x/../y.bvh"]
)
def test_a_zip_never_leaves_its_folder(tmp_path: Path, name: str) -> None:
    (tmp_path / "inner").mkdir()
    with pytest.raises(ServiceError, match="the zip names a file"):
        unpack(zipped(tmp_path / "x.zip", {name: b"x"}), tmp_path / "inner", ServiceSettings(work=tmp_path))
    assert [path.name for path in tmp_path.rglob("*.bvh")] == []


def test_links_hidden_files_and_other_kinds_are_passed_over(tmp_path: Path) -> None:
    settings, target = ServiceSettings(work=tmp_path), tmp_path / "inner"
    target.mkdir()
    link = zipped(tmp_path / "link.zip", {"a.bvh": b"/etc/passwd"}, mode=0o120777)
    assert unpack(link, target, settings) == 0
    others = {".x.bvh": b"", "__MACOSX/a.bvh": b"", "run.sh": b"", "in.zip": b"", "sub/a.bvh": b"HIERARCHY"}
    assert unpack(zipped(tmp_path / "others.zip", others), target, settings) == 1
    assert [path.relative_to(target).as_posix() for path in target.rglob("*.*")] == ["sub/a.bvh"]


def test_bombs_are_stopped_while_they_unpack(tmp_path: Path) -> None:
    settings = ServiceSettings(work=tmp_path, max_unpacked=1 << 20, max_files=2)
    bomb = zipped(tmp_path / "bomb.zip", {"a.bvh": b"0" * (1 << 23)})
    assert bomb.stat().st_size < 10_000
    with pytest.raises(ServiceError, match="unpacks to more than the 1 MiB") as caught:
        unpack(bomb, tmp_path, settings)
    assert caught.value.status == 413
    with pytest.raises(ServiceError, match="holds 41 files, at most 40"):
        unpack(zipped(tmp_path / "many.zip", {f"{number}.bvh": b"" for number in range(41)}), tmp_path, settings)
    (tmp_path / "no.zip").write_bytes(b"PK\x03\x04 no zip")
    with pytest.raises(ServiceError, match="no zip that can be unpacked"):
        unpack(tmp_path / "no.zip", tmp_path, settings)


def test_a_table_names_only_what_came_with_it(tmp_path: Path) -> None:
    recordings = tmp_path / "recordings"
    recordings.mkdir()
    (tmp_path / "secret.npy").write_bytes(b"x")
    for name in ("../secret.npy", str(tmp_path / "secret.npy"), "nowhere.npy"):
        (recordings / "captions.csv").write_text(f"file,caption\n{name},a person walks\n")
        with pytest.raises(RemogptError, match="which was not sent with it"):
            find_table(recordings)


@pytest.mark.parametrize(
    ("name", "status", "why"),
    [("../x", 422, "'../x' is no name"), ("a b", 422, "is no name"), ("default", 409, "there is a database 'default'")],
)
def test_a_new_database_needs_a_name_of_its_own(client: TestClient, name: str, status: int, why: str) -> None:
    refused = client.post("/v1/databases", data={"name": name}, files={"files": ("a.npy", b"x")})
    assert refused.status_code == status and why in refused.json()["detail"]


@pytest.mark.slow
def test_a_database_is_built_used_and_deleted_by_its_owner_alone(finished, client: TestClient, tiny_set: Path) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for number, clip in enumerate(("000003", "000005")):
            archive.write(tiny_set / "new_joints" / f"{clip}.npy", f"take {number}.npy")
            archive.writestr(f"take {number}.txt", "a person dances <b>wildly</b>\n=1+1 spins\n")
    archive_file = {"files": ("mine.zip", content.getvalue())}
    mine, others = {"Remogpt-Client": "mine"}, {"Remogpt-Client": "others"}
    begun = client.post("/v1/databases", data={"name": "dance"}, files=archive_file, headers=mine)
    assert begun.status_code == 202, begun.text
    job = finished(client, begun.headers["location"], mine)
    assert job["state"] == "done", job
    row = client.get(f"{begun.headers['location']}/result", headers=mine).json()
    assert (row["name"], row["entries"], row["captions"], row["yours"]) == ("dance", 2, 4, True)
    hits = client.post("/v1/search", json={"text": "a person dances", "database": "dance"}, headers=mine).json()["hits"]
    assert len(hits) == 2 and {hit["caption"] for hit in hits} <= {"a person dances <b>wildly</b>", "=1+1 spins"}
    answer = client.post("/v1/generate", json={**WALK, "database": "dance"}, headers=mine).json()["answers"][0][0]
    assert {example["id"] for example in answer["examples"]} <= {hit["id"] for hit in hits}
    assert client.post("/v1/search", json={"text": "a", "database": "dance"}, headers=others).status_code == 404
    assert client.delete("/v1/databases/dance", headers=others).status_code == 404
    assert client.delete("/v1/databases/default", headers=mine).status_code == 403
    taken = client.post("/v1/databases", data={"name": "dance"}, files=archive_file, headers=mine)
    assert taken.status_code == 409 and "there is a database 'dance' already" in taken.json()["detail"]
    assert client.delete("/v1/databases/dance", headers=mine).status_code == 204
    assert client.post("/v1/search", json={"text": "a", "database": "dance"}, headers=mine).status_code == 404
    empty = client.post("/v1/databases", data={"name": "none"}, files={"files": ("a.npy", b"x")}, headers=mine)
    failed = finished(client, empty.headers["location"], mine)
    assert failed["state"] == "failed" and "no captions came with the recordings" in failed["problem"]["detail"]
    assert "/tmp" not in json.dumps(failed)
