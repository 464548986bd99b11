"""Search the embeddings of a database in Milvus, for databases that one machine does not scan fast enough.

    <database>/milvus.json    where the embeddings of a version are: a URI, and the version's hash

Milvus (`pip install "remogpt[milvus]"`) only finds candidates. Their similarities are computed again from the
database's own files, as for every other index, and what Milvus cannot answer (more than 16,384 candidates) is searched
there too. A token for the server is read from MILVUS_TOKEN, never from a file. A database that was changed since has
other rows: it is searched in its own files until it is sent again.
"""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np

from remogpt.retriever.database.vector_index import VectorIndex
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import read_json, write_json
from remogpt.runtime.progress import progress
from remogpt.runtime.schema import Hash

if TYPE_CHECKING:
    from remogpt.retriever.database.version_reader import VersionReader

_log = logging.getLogger(__name__)

FILE = "milvus.json"
MOST = 16_384
"""Candidates of one search that a Milvus server returns."""
_SENT = 1000
"""Rows sent at a time."""
GALLERIES = ("motion", "caption")


class MilvusFile(TypedDict):
    """Content of `milvus.json`."""

    uri: str
    version: Hash


class MilvusIndex(VectorIndex):
    """Search among unit rows that a Milvus collection holds too.

    Args:
        rows: (M, D) float, of the database's own files.
        uri: of a server (`http://host:19530`), or a file of Milvus Lite (`vectors.db`).
        collection: its name there.
    """

    def __init__(self, rows: np.ndarray, uri: str, collection: str) -> None:
        super().__init__(rows)
        self.uri, self.collection = uri, collection

    @cached_property
    def _client(self) -> Any:
        client = connect(self.uri)
        with _told(self.uri):
            if not client.has_collection(self.collection):
                raise RemogptError(
                    f"{self.uri} has no collection {self.collection}; send it there with 'remogpt db milvus', "
                    "or search its own files after 'remogpt db milvus --remove'"
                )
            client.load_collection(self.collection)
        return client

    def _candidates(
        self, query: np.ndarray, count: int, bonus: np.ndarray | None, whole: bool
    ) -> tuple[np.ndarray, np.ndarray]:
        if whole or bonus is not None or count > MOST:
            return super()._candidates(query, count, bonus, whole)
        with _told(self.uri):
            (hits,) = self._client.search(
                self.collection, data=[query.tolist()], limit=count, output_fields=["row"],
                search_params={"metric_type": "IP"},
            )  # fmt: skip
        rows = np.array([hit["entity"]["row"] for hit in hits], dtype=np.int64)
        return rows, np.array([hit["distance"] for hit in hits], dtype=np.float32)


def connect(uri: str) -> Any:
    """Return a client of a server, or of a file.

    Raises:
        RemogptError: where pymilvus is not installed, or nothing answers.
    """
    try:
        from pymilvus import MilvusClient
    except ImportError as error:
        raise RemogptError(
            f"these embeddings are in Milvus ({uri}), whose client is not installed: pip install 'remogpt[milvus]'"
        ) from error
    with _told(uri):
        return MilvusClient(uri, token=os.environ.get("MILVUS_TOKEN", ""), timeout=10)


@contextmanager
def _told(uri: str) -> Iterator[None]:
    """Turn what the client says into an error that names the server."""
    try:
        yield
    except RemogptError:
        raise
    except Exception as error:  # its exceptions have no common class but this one
        words = " ".join(str(error).split())[:300]
        raise RemogptError(
            f"Milvus at {uri} does not answer as it should: {words}; is it running, and is the token right?"
        ) from error


def collection_of(version: str, gallery: str) -> str:
    """Return the name of the collection that holds a version's embeddings of motions or captions."""
    return f"remogpt_{version[:32]}_{gallery}"


def milvus_file(database: "VersionReader") -> MilvusFile | None:
    """Return where a database's embeddings are in Milvus, if they are there as they are here."""
    path = database.path / FILE
    if not path.is_file():
        return None
    told: MilvusFile = read_json(path, MilvusFile)
    if told["version"] == database.hash:
        return told
    _log.warning(
        "%s was changed since it was sent to Milvus (%s), and is searched in its own files; send it again with "
        "'remogpt db milvus %s --uri %s'", database.path, told["uri"], database.path, told["uri"],
    )  # fmt: skip
    return None


def send(database: "VersionReader", uri: str) -> int:
    """Send the embeddings of a database to Milvus, and note it in its folder; return the number of rows.

    What an earlier version left there is dropped. A send that was interrupted begins anew.
    """
    client, rows = connect(uri), 0
    from pymilvus import DataType

    old = read_json(database.path / FILE, MilvusFile) if (database.path / FILE).is_file() else None
    galleries = dict(zip(GALLERIES, (database.motion_embeddings, database.caption_embeddings), strict=True))
    with _told(uri), progress(total=sum(map(len, galleries.values())), desc="milvus", unit="row") as bar:
        for gallery, embeddings in galleries.items():
            name = collection_of(database.hash, gallery)
            if client.has_collection(name):
                client.drop_collection(name)
            schema = client.create_schema(auto_id=False, enable_dynamic_field=False)
            schema.add_field("row", DataType.INT64, is_primary=True)
            schema.add_field("vector", DataType.FLOAT_VECTOR, dim=embeddings.shape[1])
            index = client.prepare_index_params()
            index.add_index(field_name="vector", index_type="AUTOINDEX", metric_type="IP")
            client.create_collection(name, schema=schema, index_params=index, consistency_level="Strong")
            for start in range(0, len(embeddings), _SENT):
                block = np.asarray(embeddings[start : start + _SENT], dtype=np.float32).tolist()
                client.insert(name, [{"row": start + place, "vector": row} for place, row in enumerate(block)])
                bar.update(len(block))
            client.flush(name)
            rows += len(embeddings)
    write_json(database.path / FILE, MilvusFile(uri=uri, version=database.hash))
    if old is not None and old != MilvusFile(uri=uri, version=database.hash):
        _drop(old)
    return rows


def withdraw(folder: Path) -> bool:
    """Drop what Milvus holds of a database, and forget it; False where nothing is known of any."""
    path = folder / FILE
    if not path.is_file():
        return False
    _drop(read_json(path, MilvusFile))
    path.unlink()
    return True


def _drop(told: MilvusFile) -> None:
    client = connect(told["uri"])
    with _told(told["uri"]):
        for gallery in GALLERIES:
            client.drop_collection(collection_of(told["version"], gallery))
