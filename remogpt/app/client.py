"""Ask a service from Python with the methods of `ReMoGPT`; nothing of the model is loaded here.

client = Client("http://127.0.0.1:8000")
client.generate("a person waves", seed=0)[0].motion.save("wave.bvh")
client.caption(load_motion("wave.bvh")).text
"""

from __future__ import annotations

import base64
import io
import json
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, overload

import numpy as np

from remogpt.interfaces import Route
from remogpt.motion import Motion
from remogpt.notices import Notice
from remogpt.options import GenerationOptions
from remogpt.runtime.errors import RemogptError

_POLL = 0.3
"""Seconds between two looks at a job."""


@dataclass(frozen=True)
class ServedExample:
    """A retrieved example, as the service tells it; fields as in `remogpt.retriever.RetrievedExample`."""

    id: str
    caption: str
    score: float
    route: str
    used: bool = False
    pinned: bool = False
    answers: bool | None = None


@dataclass(frozen=True)
class ServedMotion:
    """An answer to a caption; fields as in `remogpt.pipeline.Generated`."""

    motion: Motion
    codes: np.ndarray
    """(N,) int64."""
    seed: int
    """It was written with."""
    examples: tuple[ServedExample, ...]
    confidence: float
    warnings: tuple[Notice, ...]
    copied_from: str | None
    joined_from: tuple[str, ...]
    follows: tuple[str, ...]
    checks: tuple[Mapping[str, Any], ...]
    """Facts in words, and whether they hold."""


@dataclass(frozen=True)
class ServedCaption:
    """An answer to a motion; fields as in `remogpt.pipeline.Captioned`."""

    text: str
    examples: tuple[ServedExample, ...]
    confidence: float
    warnings: tuple[Notice, ...]
    copied_from: tuple[str, ...]
    is_stated: bool
    checks: tuple[Mapping[str, Any], ...]
    """What it claims, in words, and whether the motion holds it."""


class Client:
    """A service that answers as a `ReMoGPT` does.

    Args:
        url: where it listens.
        api_key: if it asks for one.
        name: any secret word that tells this client's jobs and databases from others' where there are no keys.
        timeout: seconds to wait for an answer.

    Raises:
        RemogptError: in every method, in the service's words, and where no service answers.
    """

    def __init__(
        self, url: str = "http://127.0.0.1:8000", *, api_key: str | None = None, name: str = "", timeout: float = 180.0
    ) -> None:
        try:
            import httpx
        except ImportError as error:
            raise RemogptError('the client needs httpx: pip install "remogpt[client]"') from error
        headers = {"Authorization": f"Bearer {api_key}"} if api_key else {"Remogpt-Client": name} if name else {}
        self.url = url.rstrip("/")
        self._errors = (httpx.HTTPError, httpx.InvalidURL)
        self._http = httpx.Client(base_url=self.url, headers=headers, timeout=timeout)

    @overload
    def generate(
        self, text: str, *, seconds: float | None = None, num_samples: int = 1, seed: int | None = None,
        database: str | None = None, options: GenerationOptions | None = None,
    ) -> list[ServedMotion]: ...  # fmt: skip

    @overload
    def generate(
        self, text: list[str], *, seconds: float | None = None, num_samples: int = 1,
        seed: int | Sequence[int] | None = None, database: str | None = None, options: GenerationOptions | None = None,
    ) -> list[list[ServedMotion]]: ...  # fmt: skip

    def generate(
        self,
        text: str | list[str],
        *,
        seconds: float | None = None,
        num_samples: int = 1,
        seed: int | Sequence[int] | None = None,
        database: str | None = None,
        options: GenerationOptions | None = None,
    ) -> list[ServedMotion] | list[list[ServedMotion]]:
        """Write motions for a caption, or for each of several.

        Args:
            text, num_samples, options: as in `ReMoGPT.generate`.
            seconds: one length for all.
            seed: same seed, same motions as from `ReMoGPT.generate` with each caption alone.
            database: name of a database of the service.
        """
        question = {
            "text": text, "seconds": seconds, "num_samples": num_samples, "database": database,
            "seed": seed if seed is None or isinstance(seed, int) else list(seed),
            "options": _options(options), "include": ["features", "codes"],
        }  # fmt: skip
        rows = self._ask("POST", "/v1/generate", json=question)["answers"]
        answers = [[_motion(row) for row in own] for own in rows]
        return answers[0] if isinstance(text, str) else answers

    @overload
    def caption(
        self, motion: Motion, *, seed: int | None = None, database: str | None = None,
        options: GenerationOptions | None = None,
    ) -> ServedCaption: ...  # fmt: skip

    @overload
    def caption(
        self, motion: list[Motion], *, seed: int | None = None, database: str | None = None,
        options: GenerationOptions | None = None,
    ) -> list[ServedCaption]: ...  # fmt: skip

    def caption(
        self,
        motion: Motion | list[Motion],
        *,
        seed: int | None = None,
        database: str | None = None,
        options: GenerationOptions | None = None,
    ) -> ServedCaption | list[ServedCaption]:
        """Write a caption for a motion, or for each of several.

        Args:
            motion, options: as in `ReMoGPT.caption`.
            seed: same seed, same captions as from `ReMoGPT.caption`; default: 0.
            database: name of a database of the service.

        Raises:
            RemogptError: what the service refuses, in its words.
        """
        motions = [motion] if isinstance(motion, Motion) else motion
        question = {"seed": seed or 0, "database": database, "options": _options(options)}
        files = [("files", file) for file in _files(motions)]
        rows = self._ask("POST", "/v1/caption", files=files, data={"question": json.dumps(question)})["captions"]
        if failed := [row for row in rows if row["error"]]:
            raise RemogptError(failed[0]["error"])
        answers = [
            ServedCaption(
                row["caption"],
                _examples(row),
                _confidence(row),
                _warnings(row),
                tuple(row["copied_from"]),
                row["is_stated"],
                tuple(row["checks"]),
            )
            for row in rows
        ]
        return answers[0] if isinstance(motion, Motion) else answers

    def search(
        self,
        text: str | None = None,
        *,
        motion: Motion | None = None,
        route: Route | None = None,
        k: int = 5,
        database: str | None = None,
        part: str | Sequence[str] | None = None,
        min_score: float = -1.0,
    ) -> list[ServedExample]:
        """Find the k nearest clips by words or by a motion.

        Args:
            text, motion, route, k, part, min_score: as in `ReMoGPT.search`.
            database: name of a database of the service.

        Raises:
            RemogptError: what the service refuses, in its words.
        """
        question = {
            "text": text, "route": route, "k": k, "database": database, "min_score": min_score,
            "part": part if part is None or isinstance(part, str) else ",".join(part),
        }  # fmt: skip
        if motion is None:
            return [_example(row) for row in self._ask("POST", "/v1/search", json=question)["hits"]]
        files = {"motion": next(_files([motion]))}
        found = self._ask("POST", "/v1/search", files=files, data={"question": json.dumps(question)})
        return [_example(row) for row in found["hits"]]

    def similarity(self, texts: Sequence[str], motions: Sequence[Motion] = ()) -> np.ndarray:
        """Return cosines: texts (rows) with motions, or each text with each where there is no motion."""
        question = {"texts": list(texts)}
        if motions:
            files = [("files", file) for file in _files(motions)]
            found = self._ask("POST", "/v1/similarity", files=files, data={"question": json.dumps(question)})
        else:
            found = self._ask("POST", "/v1/similarity", json=question)
        return np.array(found["cosine"])

    def databases(self) -> list[dict[str, Any]]:
        """List the databases that may be named."""
        found: list[dict[str, Any]] = self._ask("GET", "/v1/databases")["databases"]
        return found

    def build_database(self, name: str, files: Sequence[str | Path]) -> dict[str, Any]:
        """Build a database of recordings and their captions, and wait until it is there.

        Args:
            name: by which it is called then.
            files: one zip, or motion files with captions.csv (file, caption) or a .txt beside each.
        """
        with ExitStack() as stack:
            opened = [("files", (Path(path).name, stack.enter_context(Path(path).open("rb")))) for path in files]
            job = self._ask("POST", "/v1/databases", files=opened, data={"name": name})
        while job["state"] == "running":
            time.sleep(_POLL)
            job = self._ask("GET", f"/v1/jobs/{job['id']}")
        result: dict[str, Any] = self._ask("GET", f"/v1/jobs/{job['id']}/result")
        return result

    def remove_database(self, name: str) -> None:
        """Delete a database that this client built."""
        self._ask("DELETE", f"/v1/databases/{name}")

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def _ask(self, method: str, path: str, **content: Any) -> Any:
        try:
            response = self._http.request(method, path, **content)
        except self._errors as error:
            raise RemogptError(f"no service answers at {self.url} ({error}); start one with 'remogpt serve'") from error
        if response.is_success:
            return response.json() if response.content else None
        try:
            words = str(response.json()["detail"])
        except (ValueError, KeyError, TypeError):
            words = f"{self.url} answers {response.status_code}; is it a remogpt service?"
        raise RemogptError(words)


def _options(options: GenerationOptions | None) -> dict[str, Any]:
    return {} if options is None else {name: _listed(value) for name, value in asdict(options).items()}


def _listed(value: Any) -> Any:
    return list(value) if isinstance(value, tuple | set | frozenset) else value


def _files(motions: Sequence[Motion]) -> Iterator[tuple[str, bytes]]:
    """Yield motions as files: features, which the model reads, so that nothing is lost on the way."""
    for number, motion in enumerate(motions):
        content = io.BytesIO()
        np.save(content, motion.features, allow_pickle=False)
        yield f"motion_{number:04d}.npy", content.getvalue()


def _motion(row: Mapping[str, Any]) -> ServedMotion:
    packed = row["features"]
    features = np.frombuffer(base64.b64decode(packed["base64"]), "<f4").reshape(packed["shape"]).astype(np.float32)
    motion = Motion.from_features(features, caption=row["caption"], name=row["caption"])
    return ServedMotion(
        motion, np.array(row["codes"], dtype=np.int64), row["seed"], _examples(row), _confidence(row), _warnings(row),
        row["copied_from"], tuple(row["joined_from"]), tuple(row["follows"]),
        tuple(row["checks"]),
    )  # fmt: skip


def _examples(row: Mapping[str, Any]) -> tuple[ServedExample, ...]:
    return tuple(_example(one) for one in row["examples"])


def _example(row: Mapping[str, Any]) -> ServedExample:
    return ServedExample(
        row["id"], row["caption"], row["score"], row["route"], row.get("used", False), row.get("pinned", False),
        row.get("answers"),
    )  # fmt: skip


def _confidence(row: Mapping[str, Any]) -> float:
    return math.nan if row["confidence"] is None else float(row["confidence"])


def _warnings(row: Mapping[str, Any]) -> tuple[Notice, ...]:
    return tuple(Notice(one["kind"], one["text"]) for one in row["warnings"])
