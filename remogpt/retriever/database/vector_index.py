"""Exact nearest rows by dot product: with FAISS where it is installed, else with NumPy, and the same answers from both.

Both find candidates in float32. The candidates' similarities are computed again in float64 and ties go to the smaller
row, so that the answer does not depend on the library, the batch, or the order in which a BLAS sums.

Above `FLAT_ROWS` rows FAISS uses an inverted file of 8-bit rows instead of a full scan, which may miss a neighbour; the
similarities of the rows found stay exact. Index "flat" or "ivf" instead of "auto" decides it whatever the number is.
"""

import importlib.util
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from remogpt.runtime.device import chosen_device
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import atomic_path

IndexKind = Literal["auto", "flat", "ivf"]
FLAT_ROWS = 100_000
"""Largest number of rows that are scanned in full."""
FAISS_ROWS = 10_000
"""Fewer rows are scanned by NumPy even where FAISS is there: 10,000 x 256 take 1 ms, importing FAISS 200 ms."""
LEAST_A_LIST, MOST_A_LIST = 39, 64
"""Rows for each list of an inverted file from which it is learnt; FAISS warns of fewer than 39."""
LISTS, LEAST_PROBES = 2.0, 16
"""Lists of an inverted file per root of its rows, and the least of them that a search looks into.

Twice as many lists, and twice as many searched, found no more (100,000 x 256: .9995 of the 10 best either way) and took
four times as long to learn.
"""
RERANKED = 1000
"""Rows that a bonus can reorder where there are more than `FLAT_ROWS`."""
MOST_ON_GPU = 2048
"""Hits that FAISS gives from a GPU at once."""
ROUNDING = 1e-5
"""Bound on the float32 error of a dot product of unit rows."""


def has_faiss() -> bool:
    """Say whether FAISS can be imported."""
    return importlib.util.find_spec("faiss") is not None


class VectorIndex:
    """Search among unit rows.

    Args:
        rows: (M, D) float; memory-mapped rows stay on disk.
        file: a saved inverted file (see `write_inverted_file`), if there is one.
        use_faiss: None takes it where it is installed and worth its import.
    """

    def __init__(self, rows: np.ndarray, file: Path | None = None, use_faiss: bool | None = None) -> None:
        self._rows, self.file = rows, file if file is not None and file.is_file() else None
        is_worth_it = self.file is not None or len(rows) > FAISS_ROWS
        self.use_faiss = has_faiss() and is_worth_it if use_faiss is None else use_faiss

    @cached_property
    def rows(self) -> np.ndarray:
        """(M, D) float32; those kept in float32 are not copied."""
        return np.ascontiguousarray(self._rows, dtype=np.float32)

    @cached_property
    def _inverted_file(self) -> Any:
        import faiss

        index: Any = faiss.read_index(str(self.file), faiss.IO_FLAG_MMAP | faiss.IO_FLAG_READ_ONLY)
        # By default each search starts 32 threads that read ahead, which takes ten times as long as the search itself.
        lists: Any = faiss.downcast_InvertedLists(index.invlists)
        lists.prefetch_nthread = 0
        # Files of earlier versions have twice as many lists; the same share of the rows is looked at.
        index.nprobe = max(LEAST_PROBES, round(LEAST_PROBES / LISTS * index.nlist / max(index.ntotal, 1) ** 0.5))
        return index

    @cached_property
    def _on_gpu(self) -> Any:
        """All rows on the chosen device, where it is a GPU and FAISS is built for one (never run here), else None."""
        import faiss

        if faiss.get_num_gpus() == 0 or chosen_device().type != "cuda":
            return None
        flat = faiss.IndexFlatIP(self.rows.shape[1])
        flat.add(self.rows)
        return faiss.index_cpu_to_gpu(faiss.StandardGpuResources(), chosen_device().index or 0, flat)

    def _candidates(
        self, query: np.ndarray, count: int, bonus: np.ndarray | None, whole: bool
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the about `count` best rows in any order, and their approximate similarities, with a bonus (M,).

        Of an inverted file, unless `whole`, fewer come back where the lists nearest to the query hold no more.
        """
        if self.use_faiss and bonus is None and self.file is not None and not whole:
            import faiss

            ivf = self._inverted_file
            # Many hits want more lists than the nearest few hold.
            lists = min(ivf.nlist, max(ivf.nprobe, -(-4 * count * ivf.nlist // ivf.ntotal)))
            params: Any = faiss.SearchParametersIVF()
            params.nprobe = lists
            similarities, ids = ivf.search(query[None], count, params=params)
            return ids[0][ids[0] >= 0], similarities[0][ids[0] >= 0]
        if self.use_faiss and bonus is None:
            import faiss

            if self._on_gpu is not None and count <= MOST_ON_GPU:
                similarities, ids = self._on_gpu.search(query[None], count)
            else:
                similarities, ids = faiss.knn(query[None], self.rows, count, metric=faiss.METRIC_INNER_PRODUCT)
            return ids[0].astype(np.int64), similarities[0]
        similarities = self.rows @ query if bonus is None else self.rows @ query + bonus
        ids = (
            np.argpartition(-similarities, count - 1)[:count]
            if count < len(similarities)
            else np.arange(len(similarities))
        )
        return ids, similarities[ids]

    def search(
        self,
        query: np.ndarray,
        k: int,
        owner: Callable[[np.ndarray], np.ndarray],
        excluded: np.ndarray,
        bonus: np.ndarray | None = None,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the k best owners of rows, each by its best row.

        Args:
            query: (D,) float32 unit row.
            k: owners wanted.
            owner: (n,) rows -> (n,) numbers of what they belong to.
            excluded: owners that do not count, sorted.
            bonus: (owners,) added to similarities for the ranking alone. Of more than `FLAT_ROWS` rows it ranks the
                `RERANKED` most similar ones.

        Returns:
            owners (k',), their best rows (k',), similarities (k',) float32, best first; k' < k where there are no more.

        Raises:
            RemogptError: if the query is not finite.
        """
        if not np.isfinite(query).all():
            raise RemogptError(
                "the query's embedding holds NaN or infinity and is near nothing; the retriever has diverged or "
                "overflowed, use another checkpoint"
            )
        total = len(self._rows)
        of_rows = None if bonus is None else bonus.astype(np.float32)[owner(np.arange(total))]
        is_reranked = of_rows is not None and total > FLAT_ROWS
        # Of the nearest rows as many are excluded as of all: a guess that is tried again where it was too low.
        share_left = max(1 - len(excluded) / max(total, 1), 1e-3)
        wanted = max(k, RERANKED) if is_reranked else k
        # More the more are wanted: ranks lie closer then, and too few candidates are searched for again.
        count = min(total, int((wanted + wanted // 16 + 16) / share_left))
        whole = False
        while True:
            ids, rough = self._candidates(query, count, None if is_reranked else of_rows, whole)
            found = self._ranked(query, ids, owner, excluded, of_rows)
            if len(ids) < count and len(found[0]) < k and not whole:
                whole = True
                continue
            is_all = count >= total or len(ids) < count
            # Rows that were not looked at are no better than the worst candidate, up to rounding.
            is_safe = len(found[0]) >= k and (is_reranked or found[3][k - 1] > rough.min() + ROUNDING)
            if is_all or is_safe:
                return found[0][:k], found[1][:k], found[2][:k]
            count = min(total, 4 * count)

    def _ranked(
        self,
        query: np.ndarray,
        ids: np.ndarray,
        owner: Callable[[np.ndarray], np.ndarray],
        excluded: np.ndarray,
        bonus: np.ndarray | None,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Return owners, their best rows, similarities, and these with the bonus, best first."""
        # Sorted first: of equal rows the smallest number comes first in every later stable sort.
        ids = np.sort(ids)
        if len(excluded):
            owners = owner(ids)
            ids = ids[excluded[np.minimum(np.searchsorted(excluded, owners), len(excluded) - 1)] != owners]
        similarities = exact_similarities(self.rows[ids], query)
        ranked = similarities if bonus is None else similarities + bonus[ids]
        order = np.argsort(-ranked, kind="stable")
        ids, similarities, ranked = ids[order], similarities[order], ranked[order]
        owners = owner(ids)
        first = np.sort(np.unique(owners, return_index=True)[1])
        return owners[first], ids[first], similarities[first], ranked[first]


def exact_similarities(rows: np.ndarray, query: np.ndarray) -> np.ndarray:
    """Multiply (n, D) and (D,) -> (n,) dot products, summed in float64 and rounded to float32."""
    # einsum widens a few rows at a time: a whole copy in float64 takes three times as long.
    return np.einsum("nd,d->n", rows, query.astype(np.float64)).astype(np.float32)


def check_index(index: IndexKind | None) -> None:
    """Refuse an unknown kind of index, and an inverted file where FAISS is not installed."""
    if index not in (None, *get_args(IndexKind)):
        raise RemogptError(f"wanted index {', '.join(get_args(IndexKind))}, came {index!r}")
    if index == "ivf" and not has_faiss():
        raise RemogptError("an inverted file needs FAISS: pip install 'remogpt[cpu]', or take index auto or flat")


def wants_inverted_file(num_rows: int, index: IndexKind) -> bool:
    """Say whether an inverted file is written for some rows; without FAISS never, and all are compared."""
    return has_faiss() and num_rows > (0 if index == "ivf" else FLAT_ROWS) and index != "flat"


def write_inverted_file(rows: np.ndarray, path: Path) -> None:
    """Write an IVF-SQ8 file of at least one row."""
    import faiss

    rows = np.ascontiguousarray(rows, dtype=np.float32)
    num_lists = max(1, min(int(LISTS * len(rows) ** 0.5), len(rows) // LEAST_A_LIST))
    index = faiss.index_factory(rows.shape[1], f"IVF{num_lists},SQ8", faiss.METRIC_INNER_PRODUCT)
    index.train(rows[np.random.default_rng(0).permutation(len(rows))[: MOST_A_LIST * num_lists]])
    index.add(rows)
    with atomic_path(path) as temporary:
        faiss.write_index(index, str(temporary))
