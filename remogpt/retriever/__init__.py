"""Retrieval: text and motion in one embedding space, and a database of captioned motions to search.

Letters: `B` batch, `T` frames at 20 fps, `F` features (263), `L` text tokens, `D` embedding width, `E` entries of a
database, `C` captions of a database, `Q` queries. Embeddings are unit float32 rows, so that a dot product is a cosine.
Motions cross this room's border raw (metres), never z-scored.

Routes name query and gallery: `t2m` a text among motions, `t2t` among captions, `m2t` a motion among captions,
`m2m` among motions.
"""

from typing import TYPE_CHECKING

from remogpt.runtime.lazy import lazy_names

if TYPE_CHECKING:
    from remogpt.retriever.database.database import MotionDatabase
    from remogpt.retriever.database.entry import DatabaseEntry, RetrievedExample
    from remogpt.retriever.database.leave_one_out import Neighbours
    from remogpt.retriever.retriever import TextMotionRetriever

__all__ = ["DatabaseEntry", "MotionDatabase", "Neighbours", "RetrievedExample", "TextMotionRetriever"]

_HOMES = {
    "DatabaseEntry": "remogpt.retriever.database.entry",
    "MotionDatabase": "remogpt.retriever.database.database",
    "Neighbours": "remogpt.retriever.database.leave_one_out",
    "RetrievedExample": "remogpt.retriever.database.entry",
    "TextMotionRetriever": "remogpt.retriever.retriever",
}

# Lazy: opening a database needs neither torch nor transformers.
__getattr__ = lazy_names(__name__, _HOMES)
