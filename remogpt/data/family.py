"""The one rule by which a query never sees itself, its mirror image, or another cut or take of its recording.

Searches that leave clips out, examples for training, evaluations and the audit of a database all ask it here.
"""

from typing import Literal, Protocol

Link = Literal["same id", "mirror", "same source"]
"""How two clips of one family belong together."""


class Named(Protocol):
    """A clip of a set, or an entry of a database."""

    @property
    def id(self) -> str:
        """Unique in its set; a sub-clip's or window's is its own."""

    @property
    def source_id(self) -> str:
        """Recording that it was cut from."""

    @property
    def mirror_of(self) -> str | None:
        """Id of the clip of which it is the mirror image."""


def family_names(clip: Named) -> set[str]:
    """Return the names that bind a clip to others: its own, its recording's, and that of the clip that it mirrors.

    Clips that share a name are of one family, whichever of the three it is to each.
    """
    return {name for name in (clip.id, clip.source_id, clip.mirror_of) if name}


def family_link(one: Named, other: Named) -> Link:
    """Say how two clips of one family belong together."""
    if one.id == other.id:
        return "same id"
    if one.mirror_of == other.id or other.mirror_of == one.id or (one.mirror_of and one.mirror_of == other.mirror_of):
        return "mirror"
    return "same source"
