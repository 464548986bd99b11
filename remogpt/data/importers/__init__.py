"""Import motion-capture datasets from their downloaded folders as captioned clips.

    from remogpt.data.importers import IMPORTERS
    for clip in IMPORTERS["bandai"]("Bandai-Namco-Research-Motiondataset"):
        print(clip.id, clip.captions, clip.motion.features.shape)

Some captions are made from labels, others written by people; each clip's provenance tells which.
"""

from collections.abc import Callable, Iterator

from remogpt.data.importers.bandai import import_bandai
from remogpt.data.importers.clip import MAX_FRAMES, ImportedClip, cut_windows, windowed
from remogpt.data.importers.cmu import import_cmu
from remogpt.data.importers.utd_mhad import import_utd_mhad

IMPORTERS: dict[str, Callable[..., Iterator[ImportedClip]]] = {
    "bandai": import_bandai,
    "cmu": import_cmu,
    "utd_mhad": import_utd_mhad,
}
"""Importer by dataset name; each takes a path and yields `ImportedClip`."""

__all__ = [
    "IMPORTERS",
    "MAX_FRAMES",
    "ImportedClip",
    "cut_windows",
    "import_bandai",
    "import_cmu",
    "import_utd_mhad",
    "windowed",
]
