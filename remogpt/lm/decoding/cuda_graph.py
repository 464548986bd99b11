"""The decoder's step as one CUDA graph: a few hundred small kernels are started by one call.

A graph's shapes are fixed. Each step attends to all positions there is memory for, with -inf for the empty ones; an
ended row stays in the graph, ignored, until half of the rows have ended, since a new graph costs about as much as a few
steps.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from remogpt.lm.decoding.kv_cache import Decoder, close_up

Step = Callable[[Tensor, Tensor], Tensor]
"""Ids (B, 1) and their position (1,) to the output (B, D)."""


def capture(step: Step, ids: Tensor, position: Tensor) -> Step:
    """Record a step as a CUDA graph. The step runs twice on the given ids; a repetition must change nothing."""
    ids, position = ids.clone(), position.clone()  # where the graph reads from
    aside = torch.cuda.Stream()
    aside.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(aside):
        step(ids, position)  # libraries take their memory the first time
    torch.cuda.current_stream().wait_stream(aside)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        output = step(ids, position)

    def replay(new_ids: Tensor, new_position: Tensor) -> Tensor:
        ids.copy_(new_ids)
        position.copy_(new_position)
        graph.replay()
        return output

    return replay


class GraphedDecoder:
    """`step` and `keep` of a `Decoder`, with the step as a graph.

    Args:
        decoder: what to run.
        num_rows: its rows.
        capture: makes a graph of a step.
    """

    def __init__(self, decoder: Decoder, num_rows: int, capture: Callable[[Step, Tensor, Tensor], Step] = capture):
        self._decoder, self._num_rows, self._capture = decoder, num_rows, capture
        self._graph_rows = np.arange(num_rows)
        """Row of the graph for each row that is still written."""
        self._step: Step | None = None

    def step(self, ids: Tensor) -> Tensor:
        """Read the next ids (B, L) and return the output at the last, (B, D)."""
        if ids.shape[1] > 1:  # the begun ids are read once, while all rows are there
            return self._decoder.step(ids)
        graph_rows = torch.as_tensor(self._graph_rows, device=ids.device)
        whole = ids.new_zeros(self._num_rows, 1)
        whole[graph_rows] = ids
        position = self._decoder.advance(1)
        if self._step is None:
            self._step = self._capture(self._decoder.read, whole, position)
        return self._step(whole, position)[graph_rows]

    def keep(self, rows: np.ndarray) -> None:
        """Go on with fewer rows: row i was row `rows[i]`."""
        self._graph_rows = self._graph_rows[rows]
        if 2 * len(rows) > self._num_rows:
            return
        order = close_up(np.isin(np.arange(self._num_rows), self._graph_rows))
        self._decoder.keep(order)
        now = np.empty(self._num_rows, dtype=np.int64)
        now[order] = np.arange(len(order))
        self._graph_rows, self._num_rows, self._step = now[self._graph_rows], len(order), None
