"""The HTTP API: the pipeline's answers in every format, jobs, search, and errors in the words of the command line."""

import base64
import io
import json
import sys
import threading
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("fastapi", reason='the service needs pip install ".[serve]"')

from fastapi import FastAPI
from fastapi.testclient import TestClient

from remogpt import GenerationOptions, load_motion
from remogpt.app.service.application import create_app
from remogpt.app.service.service import Service
from remogpt.app.service.settings import ServiceSettings
from remogpt.motion.files.film import has_ffmpeg

WALK = {"text": "a person walks", "seed": 3}


def test_the_same_seed_gives_what_the_pipeline_gives(client: TestClient, service: Service) -> None:
    options = {"best_of": 2, "strength": 0.5}
    question = {**WALK, "num_samples": 2, "options": options, "include": ["features", "joints", "codes"]}
    rows = client.post("/v1/generate", json=question).json()["answers"][0]
    wanted = service.model.generate("a person walks", num_samples=2, seed=3, options=GenerationOptions(**options))
    for row, one in zip(rows, wanted, strict=True):
        assert row["codes"] == one.codes.tolist() and row["seed"] == 3
        packed = np.frombuffer(base64.b64decode(row["features"]["base64"]), "<f4").reshape(row["features"]["shape"])
        np.testing.assert_array_equal(packed, one.motion.features)
        np.testing.assert_allclose(row["joints"], one.motion.joints, atol=6e-5)
        assert [example["id"] for example in row["examples"]] == [example.id for example in one.examples]
    plain = client.post("/v1/generate", json=WALK).json()["answers"][0][0]
    assert not {"joints", "features", "codes"} & set(plain)


def test_captions_of_one_request_are_answered_as_if_alone(client: TestClient, service: Service) -> None:
    texts = ["a person walks", "a man waves"]
    question = {"text": texts, "seed": [4, 5], "include": ["codes"], "seconds": 3.0}
    rows = client.post("/v1/generate", json=question).json()["answers"]
    for text, seed, own in zip(texts, (4, 5), rows, strict=True):
        alone = service.model.generate(text, seed=seed, seconds=3.0)[0]
        assert own[0]["codes"] == alone.codes.tolist() and own[0]["frames"] == 60


@pytest.mark.parametrize(
    ("kind", "suffix"),
    [
        ("application/x-bvh", "bvh"),
        ("model/gltf-binary", "glb"),
        ("application/x-npz", "npz"),
        ("application/x-npy", "npy"),
    ],
)
def test_motions_come_in_the_format_that_is_asked_for(
    client: TestClient, service: Service, tmp_path: Path, kind: str, suffix: str
) -> None:
    response = client.post("/v1/generate", json=WALK, headers={"Accept": f"text/x-none, {kind};q=0.9"})
    assert response.status_code == 200 and response.headers["content-type"] == kind
    path = tmp_path / f"walk.{suffix}"
    path.write_bytes(response.content)
    wanted = service.model.generate("a person walks", seed=3)[0].motion
    read = load_motion(path) if suffix == "npz" else load_motion(path, first_frame=0)
    assert read.num_frames == wanted.num_frames
    named = client.post(f"/v1/generate?format={suffix}", json=WALK)
    assert named.content == response.content or suffix == "npz"  # a zip holds the time


def test_several_motions_come_as_a_zip_and_pages_are_sandboxed(client: TestClient) -> None:
    several = client.post("/v1/generate?format=npy", json={**WALK, "num_samples": 2})
    assert zipfile.ZipFile(io.BytesIO(several.content)).namelist() == ["0000.npy", "0001.npy"]
    page = client.post("/v1/generate?format=html", json={**WALK, "seconds": 1})
    assert page.headers["content-security-policy"].startswith("sandbox allow-scripts")
    assert client.post("/v1/generate?format=gif", json={**WALK, "seconds": 0.5}).content[:3] == b"GIF"
    mixamo = client.post("/v1/generate?format=bvh&skeleton=mixamo&fps=30", json={**WALK, "seconds": 1})
    assert b"mixamorig:Hips" in mixamo.content and b"Frame Time: 0.0333333" in mixamo.content


@pytest.mark.skipif(not has_ffmpeg(), reason="no ffmpeg to write a film with: pip install '.[video]'")
def test_a_film_has_every_frame(client: TestClient, service: Service, tmp_path: Path) -> None:
    imageio_ffmpeg = pytest.importorskip("imageio_ffmpeg", reason="reads the film: pip install '.[video]'")
    response = client.post("/v1/generate", json={**WALK, "seconds": 1}, headers={"Accept": "video/mp4"})
    assert response.status_code == 200 and response.headers["content-type"] == "video/mp4"
    (tmp_path / "film.mp4").write_bytes(response.content)
    assert imageio_ffmpeg.count_frames_and_secs(str(tmp_path / "film.mp4"))[0] == 20


def test_films_are_refused_without_an_encoder_and_when_they_are_long(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = {**WALK, "seconds": 9, "num_samples": 2}
    too_many = client.post("/v1/generate?format=gif&fps=240", json=long)
    assert too_many.status_code == 422 and "would have 4320 pictures, at most 2400" in too_many.json()["detail"]
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    monkeypatch.setenv("PATH", "")
    none = client.post("/v1/generate", json={**WALK, "seconds": 1}, headers={"Accept": "video/mp4"})
    assert none.status_code == 406 and none.headers["content-type"] == "application/problem+json"
    assert none.json()["detail"].startswith("an .mp4 needs ffmpeg, and there is none: pip install")


PROBLEMS = [
    ({"text": ""}, 422, "holds no words; describe a motion"),
    ({"text": "a", "seconds": 0.1}, 422, "seconds"),
    ({"text": "a", "sead": 1}, 422, "there is no field 'sead'"),
    ({"text": "a" * 5000}, 422, "at most 4000 characters"),
    ({"text": "a", "seed": -1}, 422, "seed"),
    ({"text": ["a person walks"], "seed": [1, 2]}, 422, "seed has 2 seeds for 1 captions"),
    ({"text": "a", "num_samples": 1000}, 422, "num_samples"),
    ({"text": "a", "database": "../../etc"}, 404, "there is no database '../../etc'; there are default"),
    ({"text": "a person walks", "options": {"pinned": ["nobody"]}}, 422, "has no entry 'nobody' to pin"),
    ({}, 422, "text is missing"),
]


@pytest.mark.parametrize(("question", "status", "words"), PROBLEMS)
def test_errors_are_problems_in_plain_words(client: TestClient, question: dict, status: int, words: str) -> None:
    response = client.post("/v1/generate", json=question)
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    assert words in body["detail"] and body["status"] == status and "/tmp" not in body["detail"]


def test_other_errors_are_problems_too(client: TestClient) -> None:
    assert client.get("/v1/nothing").json()["detail"] == "there is nothing at /v1/nothing"
    assert client.put("/v1/generate").status_code == 405
    json_type = {"Content-Type": "application/json"}
    assert "not valid JSON" in client.post("/v1/generate", content=b"{", headers=json_type).json()["detail"]
    assert "Content-Type: application/json" in client.post("/v1/generate", content=b"{}").json()["detail"]
    wrong = client.post("/v1/generate", json=WALK, headers={"Accept": "audio/ogg"})
    assert wrong.status_code == 406 and "application/x-bvh" in wrong.json()["detail"]
    assert client.post("/v1/generate?skeleton=/etc/rig.bvh&format=bvh", json=WALK).status_code == 422
    assert client.get("/v1/jobs/" + "0" * 32).status_code == 404


def test_files_are_captioned_and_a_bad_one_stops_none(client: TestClient, service: Service, wave: Path) -> None:
    files = [("files", ("wave.npy", wave.read_bytes())), ("files", ("bad.npy", b"no array"))]
    rows = client.post("/v1/caption", files=files).json()["captions"]
    assert rows[0]["caption"] == service.model.caption(load_motion(wave), seed=0).text and rows[0]["error"] is None
    assert rows[1]["caption"] == "" and rows[1]["error"].startswith("bad.npy is not a readable numeric .npy array")
    table = client.post("/v1/caption", files=files[:1], headers={"Accept": "text/csv"})
    assert table.text.splitlines()[0] == "file,caption,seconds,error" and table.text.splitlines()[1].startswith("wave")
    alone = client.post("/v1/caption", files=files[1:])
    assert alone.status_code == 422 and "bad.npy is not" in alone.json()["detail"]
    assert client.post("/v1/caption", files={"files": ("evil.exe", b"MZ")}).status_code == 415
    assert not list((service.settings.work / "uploads").iterdir())


def test_search_by_words_by_a_motion_and_inside_a_recording(client: TestClient, service: Service, wave: Path) -> None:
    hits = client.post("/v1/search", json={"text": "a person walks", "k": 3}).json()["hits"]
    assert [hit["id"] for hit in hits] == [hit.id for hit in service.model.search("a person walks", k=3)]
    motion = {"motion": ("wave.npy", wave.read_bytes())}
    found = client.post("/v1/search", files=motion, data={"question": json.dumps({"k": 2, "route": "m2m"})})
    assert len(found.json()["hits"]) == 2
    inside = {"inside": ("wave.npy", wave.read_bytes())}
    moments = client.post("/v1/search", files=inside, data={"question": '{"text": "walks", "k": 1}'}).json()
    assert len(moments["spans"]) == 1 and len(moments["curve"]) == load_motion(wave).num_frames - 1
    assert "and not both" in client.post("/v1/search", json={}).json()["detail"]
    stray = client.post("/v1/search", files={"other": ("wave.npy", wave.read_bytes())})
    assert "take motion or inside" in stray.json()["detail"]


def test_similarity_compares_texts_and_motions(client: TestClient, service: Service, wave: Path) -> None:
    body = client.post("/v1/similarity", json={"texts": ["a person walks", "a man runs"]}).json()
    np.testing.assert_allclose(np.diag(body["cosine"]), 1, atol=1e-5)
    files = {"files": ("wave.npy", wave.read_bytes())}
    body = client.post("/v1/similarity", files=files, data={"question": '{"texts": ["a person walks"]}'}).json()
    retriever = service.model.retriever
    cosine = float(
        retriever.encode_text(["a person walks"])[0] @ retriever.encode_motion([load_motion(wave).features])[0]
    )
    assert body["columns"] == ["wave.npy"] and body["cosine"][0][0] == pytest.approx(cosine, abs=1e-5)
    assert body["score"][0][0] == pytest.approx(cosine / 2 + 0.5, abs=1e-5)
    assert client.post("/v1/similarity", json={"texts": ["one"]}).status_code == 422


def test_motions_of_a_database_play_elsewhere(client: TestClient, service: Service) -> None:
    entry = service.model.search("a person walks", k=1)[0].id
    motion = client.get(f"/v1/databases/default/motions/{entry}").json()
    assert motion["id"] == entry and len(motion["joints"]) == motion["frames"]
    assert client.get(f"/v1/databases/default/motions/{entry}?format=bvh").text.startswith("HIERARCHY")
    assert client.get("/v1/databases/default/motions/..%2F..%2Fx").status_code == 404
    row = client.get("/v1/databases").json()["databases"][0]
    assert row["name"] == "default" and row["entries"] == len(service.model.database()) and not row["yours"]


def test_jobs_belong_to_who_began_them(finished, client: TestClient) -> None:
    mine, others = {"Remogpt-Client": "mine", "Prefer": "respond-async"}, {"Remogpt-Client": "others"}
    begun = client.post("/v1/generate", json={**WALK, "text": ["a person walks", "a man waves"]}, headers=mine)
    assert begun.status_code == 202
    location = begun.headers["location"]
    job = finished(client, location, mine)
    assert job["state"] == "done" and job["done"] == job["total"] == 2 and "owner" not in job
    answers = client.get(f"{location}/result", headers=mine).json()["answers"]
    assert len(answers) == 2 and "features" not in answers[0][0]
    archive = client.get(f"{location}/result?format=bvh", headers=mine)
    assert zipfile.ZipFile(io.BytesIO(archive.content)).namelist() == ["0000.bvh", "0001.bvh"]
    assert job["id"] in [one["id"] for one in client.get("/v1/jobs", headers=mine).json()["jobs"]]
    for method, path in (("GET", location), ("GET", f"{location}/result"), ("DELETE", location)):
        assert client.request(method, path, headers=others).status_code == 404
    assert client.get("/v1/jobs", headers=others).json()["jobs"] == []
    assert client.delete(location, headers=mine).status_code == 204
    assert client.get(location, headers=mine).status_code == 404
    # Who gives no name finds a job by its id, and no list: others may give none either.
    nameless = client.post("/v1/generate", json=WALK, headers={"Prefer": "respond-async"}).headers["location"]
    assert finished(client, nameless)["state"] == "done" and client.get("/v1/jobs").json()["jobs"] == []


def test_waiting_requests_are_written_together_and_one_at_fault_fails_alone(
    service: Service, client: TestClient
) -> None:
    """The thread is held up, six requests come in, and one call answers them; the sixth names no entry."""
    calls, held = [], threading.Event()
    generate = service.model.generate

    def counted(texts, **arguments):
        calls.append(len(texts))
        return generate(texts, **arguments)

    service.model.generate = counted  # type: ignore[method-assign]
    try:
        service.thread.call(held.wait)
        questions = [{"text": f"a person walks {number}", "seed": number, "include": ["codes"]} for number in range(5)]
        questions.append({"text": "a person runs", "options": {"pinned": ["nobody"]}})
        responses: dict[int, object] = {}
        threads = [
            threading.Thread(target=lambda n=n, q=q: responses.update({n: client.post("/v1/generate", json=q)}))
            for n, q in enumerate(questions)
        ]
        for one in threads:
            one.start()
        while service.thread.num_waiting < 6:
            time.sleep(0.01)
        held.set()
        for one in threads:
            one.join()
    finally:
        held.set()
        del service.model.generate
    assert calls[0] == 6 and calls[1:] == [1] * 6
    assert [responses[n].status_code for n in range(6)] == [200] * 5 + [422]  # type: ignore[attr-defined]
    alone = generate("a person walks 2", seed=2)[0]
    assert responses[2].json()["answers"][0][0]["codes"] == alone.codes.tolist()  # type: ignore[attr-defined]


def test_who_comes_to_a_full_queue_is_told_to_come_back(ask_service) -> None:
    held = threading.Event()
    with ask_service(max_waiting=1) as client:
        service = client.app.state.service
        service.thread.call(held.wait)
        while service.thread.num_waiting:
            time.sleep(0.01)
        response = client.post("/v1/generate", json={"text": ["a person walks", "a man waves"]})
        held.set()
    assert response.status_code == 503 and response.headers["retry-after"] == "5"
    assert "come back in a few seconds" in response.json()["detail"]


def test_a_cancelled_job_ends_and_a_slow_answer_is_given_up(finished, ask_service) -> None:
    held = threading.Event()
    with ask_service(timeout=0.3) as client:
        client.app.state.service.thread.call(held.wait)
        location = client.post("/v1/generate", json=WALK, headers={"Prefer": "respond-async"}).headers["location"]
        late = client.post("/v1/generate", json=WALK)
        assert late.status_code == 504 and "took too long" in late.json()["detail"]
        assert client.delete(location).status_code == 204
        assert finished(client, location)["state"] == "cancelled"
        assert client.get(f"{location}/result").status_code == 409
        held.set()


def test_finished_jobs_outlive_the_service_and_others_say_what_happened(finished, ask_service, tmp_path: Path) -> None:
    with ask_service() as client:
        location = client.post("/v1/generate", json=WALK, headers={"Prefer": "respond-async"}).headers["location"]
        finished(client, location)
        result = client.get(f"{location}/result").json()
    jobs = tmp_path / "work" / "jobs"
    killed = json.loads((jobs / location.rpartition("/")[2] / "job.json").read_text()) | {
        "state": "running",
        "id": "a" * 32,
    }
    (jobs / ("a" * 32)).mkdir()
    (jobs / ("a" * 32) / "job.json").write_text(json.dumps(killed))
    (jobs / ("a" * 32) / "recordings").mkdir()
    (jobs / ("b" * 32)).mkdir()  # killed before its first line
    with ask_service() as again:
        assert again.get(f"{location}/result").json() == result
        assert "stopped before this job was done" in again.get(f"/v1/jobs/{'a' * 32}").json()["problem"]["detail"]
    assert not (jobs / ("a" * 32) / "recordings").exists() and not (jobs / ("b" * 32)).exists()


def test_unknown_addresses_are_refused_in_the_services_words_beside_a_page(tiny_model: Path, tmp_path: Path) -> None:
    app = create_app(Service(ServiceSettings(work=tmp_path / "ours" / "work", model=str(tiny_model))))
    app.mount("/", FastAPI())  # as the page is mounted: it would answer {"detail": "Not Found"}
    with TestClient(app, base_url="http://localhost") as client:
        for path in ("/v1/nothing", "/v1/jobs/a/b/c"):
            answer = client.post(path)
            assert answer.status_code == 404 and answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["detail"] == f"there is nothing at {path}"
        refused = client.put("/v1/generate")
        assert (refused.status_code, refused.headers["allow"]) == (405, "POST")
        assert refused.headers["content-type"] == "application/problem+json"
