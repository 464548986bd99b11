"""Send the service what strangers send: damaged bodies, files, zips, headers, paths, markup, megabytes.

  python -m fuzz.http --requests 2000 --seed 0

Every answer must be one that was foreseen: no status 500, every error a problem in plain words without a path of the
server, nothing written outside the work folder, and nothing of what was sent in an HTML answer as markup. One request
is made from one seed: `--seed 17 --requests 1` makes number 17 again.
"""

import argparse
import io
import json
import logging
import sys
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from fastapi.testclient import TestClient

from fuzz.mutate import NUMBERS, WORDS, mutate
from remogpt.app.service.application import create_app
from remogpt.app.service.service import Service
from remogpt.app.service.settings import ServiceSettings
from remogpt.data.procedural.make import make_procedural_set
from remogpt.motion import Motion

OPTIONS = {"best_of": 1, "retrieved": 0, "verify": False, "fact_weight": 0}
MARKUP = "<script>alert(1)</script><img src=x onerror=alert(2)>"
TEXTS = (
    "", " ", "a person walks", MARKUP, "../../etc/passwd", "\x00\x1b[2J", "\u202eevil", "=cmd()", "{{7*7}}",
    "a" * 1_000_000,
)  # fmt: skip
NAMES = (
    "walk.bvh", "../../walk.bvh", "/etc/passwd", "a\x00.npy", ".hidden.npy", "x" * 500 + ".npz", "<b>.glb", "con.mat",
    "w.exe",
)  # fmt: skip
PATHS = (
    "/v1/jobs/../../etc/passwd", "/v1/jobs/%2e%2e%2f%2e%2e%2fetc%2fpasswd", "/v1/databases/..%2f..%2f/motions/x",
    "/v1/databases/default/motions/../../../x", "/v1/databases/default/motions/%00", "/v1/jobs/" + "a" * 3000, "//",
    "/v1/jobs/" + "f" * 32 + "/result?format=../../x", "/v1/databases/default/motions/%3Cscript%3E", "/health/..",
)  # fmt: skip
HEADERS = (
    "Accept", "Prefer", "Remogpt-Client", "Authorization", "Range", "Content-Type", "Cookie", "Origin", "X-API-Key",
)  # fmt: skip
UPLOADS = (("/v1/caption", "files"), ("/v1/search", "motion"), ("/v1/search", "inside"), ("/v1/similarity", "files"))
"""Routes that take motion files, and the field of the form."""


@dataclass
class Request:
    """One request."""

    method: str
    path: str
    headers: dict[str, bytes] = field(default_factory=dict)
    content: bytes | None = None
    files: list[tuple[str, tuple[str, bytes]]] | None = None
    data: dict[str, str] | None = None


class Sender:
    """Makes requests from seeds, sends them, and says what is wrong with an answer.

    Args:
        work: folder of the service and of the inputs.
        model: of the service; None: the embedded mini.
    """

    def __init__(self, work: Path, model: Path | None = None) -> None:
        self.work = work
        settings = ServiceSettings(work=work / "work", model=None if model is None else str(model), max_jobs=5)
        self.service = Service(settings)
        self.client = TestClient(create_app(self.service), base_url="http://localhost", raise_server_exceptions=False)
        self.client.__enter__()
        self.motions = self._seed_motions(work)
        self.kinds: tuple[Callable[[np.random.Generator], Request], ...] = (
            self._json, self._json, self._files, self._zip, self._path, self._headers,
        )  # fmt: skip

    def close(self) -> None:
        """Close the service."""
        self.client.__exit__(None, None, None)

    def _seed_motions(self, work: Path) -> dict[str, bytes]:
        make_procedural_set(work / "seeds", 1, 0, 1, 0.0)
        motion = Motion(np.load(next((work / "seeds" / "new_joints").iterdir()))[:24])
        found = {}
        for suffix in ("bvh", "glb", "npy", "npz"):
            found[suffix] = motion.save(work / f"walk.{suffix}").read_bytes()
        return found

    def make(self, seed: int) -> Request:
        """Make a request."""
        rng = np.random.default_rng(seed)
        return self.kinds[int(rng.integers(len(self.kinds)))](rng)

    def _json(self, rng: np.random.Generator) -> Request:
        text: Any = TEXTS[int(rng.integers(len(TEXTS)))] if rng.random() < 0.6 else "a person waves"
        path, body = [
            ("/v1/generate", {"text": text, "seconds": 0.5, "seed": 1, "options": OPTIONS}),
            ("/v1/search", {"text": text, "k": 2, "route": "t2m", "part": "legs", "database": "default"}),
            ("/v1/similarity", {"texts": [text, "a person walks"]}),
        ][int(rng.integers(3))]
        if rng.random() < 0.4:  # a value of another kind
            strange: list[Any] = [None, [], {}, -1, 1e308, "x", True, [[]], {"a": {}}, 10**30, text]
            name = list(body)[int(rng.integers(len(body)))]
            body = body | {name: strange[int(rng.integers(len(strange)))]}
        content = json.dumps(body).encode("utf-8", "replace")
        if rng.random() < 0.5:
            content = mutate(content, rng)
        kind = "" if rng.random() < 0.9 else "?format=" + str(rng.choice(["html", "exe", "../x", "npy"]))
        return Request("POST", path + kind, {"Content-Type": b"application/json"}, content)

    def _motion(self, rng: np.random.Generator) -> tuple[str, bytes]:
        suffix = list(self.motions)[int(rng.integers(len(self.motions)))]
        name = f"walk.{suffix}" if rng.random() < 0.7 else NAMES[int(rng.integers(len(NAMES)))]
        content = self.motions[suffix]
        return name, mutate(content, rng) if rng.random() < 0.8 else content

    def _files(self, rng: np.random.Generator) -> Request:
        path, name = UPLOADS[int(rng.integers(len(UPLOADS)))]
        question = json.dumps({"text": "a person walks", "k": 2} if "search" in path else {}).encode()
        question = mutate(question, rng) if rng.random() < 0.3 else question
        files = [(name, self._motion(rng)) for _ in range(int(rng.integers(1, 3)))]
        data = {"question": question.decode("utf-8", "replace")}
        headers = {"Prefer": b"respond-async"} if rng.random() < 0.1 else {}
        return Request("POST", path, headers, files=files, data=data)

    def _zip(self, rng: np.random.Generator) -> Request:
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
            for number in range(int(rng.integers(1, 4))):
                name, motion = self._motion(rng)
                name = f"{number}/{name}"
                info = zipfile.ZipInfo(name.replace("\x00", ""))
                info.external_attr = (0o120777 if rng.random() < 0.2 else 0o100644) << 16
                archive.writestr(info, motion)
                archive.writestr(f"{number}.txt", MARKUP)
        packed = mutate(content.getvalue(), rng) if rng.random() < 0.6 else content.getvalue()
        name = str(rng.choice(["mine", "../x", "", "default", "a" * 200, "<b>"]))
        return Request("POST", "/v1/databases", files=[("files", ("x.zip", packed))], data={"name": name})

    def _path(self, rng: np.random.Generator) -> Request:
        method = str(rng.choice(["GET", "DELETE", "POST", "PUT", "PATCH", "OPTIONS", "HEAD"]))
        return Request(method, PATHS[int(rng.integers(len(PATHS)))])

    def _headers(self, rng: np.random.Generator) -> Request:
        body = json.dumps({"text": "a person walks", "k": 1}).encode()
        names = rng.choice(HEADERS, size=2, replace=False)
        words = [*WORDS, *NUMBERS, b"text/html", b"application/x-bvh;q=x", b"respond-async"]
        values = [words[int(rng.integers(len(words)))].translate(None, b"\r\n\x00")[:3000].strip() for _ in names]
        headers = {"Content-Type": b"application/json", **dict(zip(names, values, strict=True))}
        return Request("POST", "/v1/search", headers, body)

    def send(self, seed: int) -> tuple[int, str]:
        """Send a request; return the answer's status and what is wrong with it, nothing where all is well."""
        request = self.make(seed)
        headers = [(name.encode(), value) for name, value in request.headers.items()]
        response = self.client.request(
            request.method,
            request.path,
            headers=headers,
            content=request.content,
            files=request.files,
            data=request.data,
        )
        if response.status_code == 202:  # a build would take seconds
            self.client.delete(response.headers["location"])
        return response.status_code, self._wrong(response)

    def _wrong(self, response: Any) -> str:
        kind, text = response.headers.get("content-type", ""), response.text if len(response.content) < 10**6 else ""
        if response.status_code >= 500 and response.status_code not in (503, 504):
            return f"status {response.status_code}: {text[:300]}"
        if "Traceback" in text or str(self.work) in text or "site-packages" in text:
            return f"it tells of the server: {text[:300]}"
        if response.status_code >= 400 and response.request.method != "HEAD" and kind != "application/problem+json":
            return f"status {response.status_code} as {kind}"
        if "html" in kind and ("<script>alert" in text or "<img src=x" in text):
            return "markup came back as markup"
        if response.headers.get("x-content-type-options") != "nosniff":
            return "without nosniff"
        return ""

    def strays(self) -> list[str]:
        """Return files that lie where none should: in the folder around the work folder, or left in uploads."""
        known = {"work", "seeds", *(f"walk.{suffix}" for suffix in self.motions)}
        outside = [path.name for path in self.work.iterdir() if path.name not in known]
        left = [str(path) for path in (self.work / "work" / "uploads").glob("*")]
        return outside + left


def main(arguments: Sequence[str] | None = None) -> int:
    """Send requests, print what came, and return 1 if there was a finding."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0, help="of the first request")
    args = parser.parse_args(arguments)
    logging.disable(logging.WARNING)
    found, statuses, started = 0, Counter[int](), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="fuzz.") as name:
        sender = Sender(Path(name))
        for seed in range(args.seed, args.seed + args.requests):
            status, wrong = sender.send(seed)
            statuses[status] += 1
            if wrong:
                found += 1
                print(f"--seed {seed}: {wrong}", file=sys.stderr)
        strays = sender.strays()
        sender.close()
    for stray in strays:
        print(f"left behind: {stray}", file=sys.stderr)
    took = time.monotonic() - started
    print(f"{args.requests} requests in {took:.0f} s, {found + len(strays)} findings; {dict(sorted(statuses.items()))}")
    return 1 if found or strays else 0


if __name__ == "__main__":
    sys.exit(main())
