"""Embeddings by an evaluator, computed once and kept on disk.

    <folder>/<evaluator's hash, 12 digits>/<sha of the items>.npy     (N, D) float32, memory-mapped when read
                                       <sha of the items>.json    what they are
                                       <sha of the items>.shards/ finished pieces of an array that is not complete yet

A computation that is killed goes on after its last finished shard when it is started again.
"""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from remogpt.eval.cards import sha256_of
from remogpt.eval.evaluators.evaluator import check_texts
from remogpt.interfaces import Evaluator, TextEncoder
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import atomic_path, fingerprint, read_npy, write_json, write_npy
from remogpt.runtime.progress import progress

SHARD = 512
"""Items of a shard: what a killed computation loses at most. A multiple of the evaluators' batches."""
NUM_PROBES = 16
"""Motions that `probe` reads."""


def probe(count: int, load: Callable[[int], np.ndarray]) -> str:
    """Return a SHA-256 over a few of `count` motions, evenly spaced.

    It notices a set that was made anew under the same ids, without reading all of it.
    """
    places = np.unique(np.linspace(0, count - 1, NUM_PROBES).round().astype(int)).tolist()
    return fingerprint([np.asarray(load(place), dtype=np.float32) for place in places])


class EmbeddingCache:
    """A folder of embeddings.

    Args:
        folder: made when something is written.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)

    def motions(
        self,
        evaluator: Evaluator,
        ids: Sequence[str],
        load: Callable[[int], np.ndarray],
        version: str = "",
        what: str = "motions",
    ) -> np.ndarray:
        """Embed motions: (N, D) float32, read-only.

        Args:
            evaluator: who embeds.
            ids: of the N motions; they, their order and a `probe` of the motions are the key.
            load: place of a motion in `ids` -> (T, 263) raw features.
            version: what else tells these motions from others of the same ids, such as how they were generated.
            what: shown by the progress bar.

        Raises:
            RemogptError: if the evaluator does not answer with a row for each motion, or a kept array is damaged.
        """
        if not len(ids):
            return evaluator.encode_motion([])
        key = sha256_of(["motions", version, probe(len(ids), load), list(ids)])
        about = {"kind": "motions", "version": version, "first": ids[0], "last": ids[-1]}
        return self._rows(
            evaluator,
            key,
            len(ids),
            about,
            what,
            lambda start, stop: evaluator.encode_motion([*map(load, range(start, stop))]),
        )

    def texts(
        self, evaluator: TextEncoder, captions: Sequence[str], tokens: Sequence[Sequence[str]] | None = None
    ) -> np.ndarray:
        """Embed captions: (N, D) float32, read-only.

        Args:
            evaluator: who embeds; it need not know motions.
            captions: N sentences.
            tokens: `lemma/POS` tokens of each, empty where it has none.

        Raises:
            RemogptError: as `motions`, and as the evaluator does.
        """
        if not len(captions):
            return evaluator.encode_text([])
        rows = [list(row) for row in check_texts(captions, tokens)]
        key = sha256_of(["texts", list(captions), rows])
        about = {"kind": "texts", "first": captions[0], "last": captions[-1]}
        return self._rows(
            evaluator, key, len(captions), about, "captions",
            lambda start, stop: evaluator.encode_text(captions[start:stop], rows[start:stop]),
        )  # fmt: skip

    def _rows(
        self,
        evaluator: TextEncoder,
        key: str,
        count: int,
        about: dict[str, Any],
        what: str,
        embed: Callable[[int, int], np.ndarray],
    ) -> np.ndarray:
        path = self.folder / evaluator.hash[:12] / f"{key}.npy"
        if not path.is_file():
            shards = path.with_suffix(".shards")
            self._compute(shards, count, f"{evaluator.name}: {what}", embed)
            scored = {"name": evaluator.name, "hash": evaluator.hash, "trained_on": evaluator.trained_on}
            write_json(path.with_suffix(".json"), {**about, "num_items": count, "evaluator": scored})
            _join(shards, count, path)
            shutil.rmtree(shards, ignore_errors=True)
        rows = read_npy(path, mmap=True)
        if rows.ndim != 2 or len(rows) != count or rows.dtype != np.float32:
            raise RemogptError(
                f"{path} should hold {count} rows of float32 and holds {rows.dtype} {rows.shape}; delete it, and it is "
                "computed again"
            )
        return rows

    @staticmethod
    def _compute(shards: Path, count: int, desc: str, embed: Callable[[int, int], np.ndarray]) -> None:
        """Write the shards that are not there yet."""
        with progress(total=count, desc=desc, unit="item") as bar:
            for start in range(0, count, SHARD):
                stop = min(count, start + SHARD)
                shard = _shard(shards, start)
                if not shard.is_file():
                    rows = np.asarray(embed(start, stop), dtype=np.float32)
                    _check(rows, start, stop, desc)
                    write_npy(shard, rows)
                bar.update(stop - start)


def _shard(shards: Path, start: int) -> Path:
    return shards / f"{start:09d}.npy"


def _join(shards: Path, count: int, path: Path) -> None:
    """Write the shards' rows into one array without holding them all."""
    width = read_npy(_shard(shards, 0), mmap=True).shape[1]
    with atomic_path(path) as temporary:
        whole = np.lib.format.open_memmap(temporary, mode="w+", dtype=np.float32, shape=(count, width))
        for start in range(0, count, SHARD):
            whole[start : start + SHARD] = read_npy(_shard(shards, start))
        whole.flush()
        del whole


def _check(rows: np.ndarray, start: int, stop: int, name: str) -> None:
    if rows.ndim != 2 or len(rows) != stop - start:
        raise RemogptError(
            f"{name}: the evaluator was given {stop - start} items and answered with an array of shape {rows.shape}; "
            "it should answer with a row for each"
        )
    strange = np.flatnonzero(~np.isfinite(rows).all(axis=1))
    if len(strange):
        raise RemogptError(f"{name}: the embedding of item {start + strange[0]} is not finite; repair or drop the item")
