"""Embed every motion and every caption of a set's split into plain arrays.

    motions.npy    (N, D) float32 unit rows, one a clip
    captions.npy   (M, D) float32 unit rows, one a caption
    index.json     ids (N), num_frames (N), captions (M), clip_of_caption (M), retriever's hash, set, split
    token_states/  on request: the text model's token states of each distinct caption; see `token_states`

`captions.npy @ motions.npy.T` are the cosines of all captions with all motions.
"""

from pathlib import Path
from typing import Any, TypedDict

import numpy as np

from remogpt.data.humanml3d import Clip, MotionTextSet
from remogpt.pipeline import ReMoGPT
from remogpt.retriever.retriever import TextMotionRetriever
from remogpt.retriever.text.frozen_text_model import FrozenText
from remogpt.retriever.text.token_states import write_token_states
from remogpt.runtime.device import chosen_device
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import check_output_folder, fingerprint, read_json, write_json, write_npy
from remogpt.runtime.schema import Count, Hash
from remogpt.runtime.vector_cache import VectorCache
from remogpt.stages.inputs import open_retriever, open_set

_FORMAT = 1
_SHARD = 256
"""Clips per shard; a shard of captions is four times as large."""
ANY_LENGTH = 10**9


class _Index(TypedDict):
    """Content of `index.json`."""

    format: Count
    identity: Hash
    set: str
    licence: str
    split: str
    retriever: Hash
    dim: Count
    ids: list[str]
    num_frames: list[Count]
    captions: list[str]
    clip_of_caption: list[Count]


def encode_set(
    data: str | Path | MotionTextSet,
    *,
    out: str | Path,
    split: str = "all",
    retriever: str | Path | TextMotionRetriever | None = None,
    model: str | Path | ReMoGPT | None = None,
    min_frames: int = 1,
    max_frames: int = ANY_LENGTH,
    token_states: bool = False,
    text_model: str | None = None,
) -> dict[str, Any]:
    """Write the arrays of a set's split, or the missing ones.

    Args:
        data: set in HumanML3D's layout.
        out: folder of the arrays.
        split: the clips' split.
        retriever: network that embeds; default: that of `model`.
        model: default: the embedded `mini`.
        min_frames, max_frames: clips of another length are left out.
        token_states: write the text model's token states and sentence vectors too.
        text_model: model of the token states; default: the retriever's.

    Returns:
        A summary: set, split, retriever (hash), dim, motions and captions (counts), token_states (name of the text
        model, or None).

    Raises:
        RemogptError: for an empty range of lengths, a folder with other content, or a split without such clips.
    """
    if text_model and not token_states:
        raise RemogptError("--text-model says whose token states are written; add --token-states")
    if not 1 <= min_frames <= max_frames:
        raise RemogptError(f"wanted 1 <= --min-frames <= --max-frames, got {min_frames} and {max_frames}; correct them")
    check_output_folder(out)
    motions = open_set(data)
    motions.check_values(split)  # before anything is loaded
    opened = open_retriever(retriever, model)
    text = _token_text(opened, text_model) if token_states else None
    index = write_arrays(opened, motions, split, out, min_frames=min_frames, max_frames=max_frames, token_text=text)
    return {
        **{name: index[name] for name in ("set", "split", "retriever", "dim")},
        "motions": len(index["ids"]), "captions": len(index["captions"]),
        "token_states": None if text is None else text.name,
    }  # fmt: skip


def _token_text(retriever: TextMotionRetriever, name: str | None) -> FrozenText:
    """Open the text model whose token states are written."""
    if name is not None:
        return FrozenText(name, device=chosen_device())
    if not isinstance(retriever.text, FrozenText):
        raise RemogptError(
            "this retriever trained its text model, so that token states of the pretrained one would not be what it "
            "reads; name a text model with --text-model if you want them all the same"
        )
    return retriever.text


def write_arrays(
    retriever: TextMotionRetriever,
    motions: MotionTextSet,
    split: str,
    out: str | Path,
    *,
    min_frames: int = 1,
    max_frames: int = ANY_LENGTH,
    token_text: FrozenText | None = None,
) -> dict[str, Any]:
    """Write the arrays, or the missing ones, and return the index.

    A killed run resumes. A folder with the same encoding is left unchanged.

    Args:
        retriever: loaded from a folder, so that it has a hash.
        motions: an opened set.
        split: the clips' split, in the split file's order.
        out: folder, created if absent.
        min_frames, max_frames: clips of another length are left out.
        token_text: write this text model's token states and sentence vectors too.

    Raises:
        RemogptError: if the folder holds the encoding of something else, or the split has no such clip.
    """
    out = Path(out)
    clips = motions.clips(split, min_frames, max_frames)
    identity = _identity(retriever, motions, split, clips)
    index = read_json(out / "index.json", _Index) if (out / "index.json").is_file() else None
    if index is not None and index.get("identity") != identity:
        raise RemogptError(
            f"{out} holds the encoding of another set, split or retriever; choose another folder, or delete this one"
        )
    sentences = sorted({caption for clip in clips for caption in clip.captions})
    if index is None or not all((out / name).is_file() for name in ("motions.npy", "captions.npy")):
        index = _write(retriever, motions, split, clips, sentences, out, identity)
    if token_text is not None:
        write_token_states(token_text, sentences, out / "token_states")
    return index


def _identity(retriever: TextMotionRetriever, motions: MotionTextSet, split: str, clips: list[Clip]) -> str:
    """Return everything that decides the arrays; the set's statistics stand for its features."""
    words = [str(_FORMAT), retriever.hash, motions.name, split]
    for clip in clips:
        words += [clip.id, str(clip.num_frames), *clip.captions]
    return fingerprint([*words, motions.mean, motions.std])


def _write(
    retriever: TextMotionRetriever,
    motions: MotionTextSet,
    split: str,
    clips: list[Clip],
    sentences: list[str],
    out: Path,
    identity: str,
) -> dict[str, Any]:
    cache = VectorCache.beside(motions.folder)
    motion_rows = cache.rows(
        retriever.hash, ["motions", motions.identity(clips)], len(clips),
        lambda indices: retriever.encode_motion([motions.features(clips[i]) for i in indices]),
        desc="motions", unit="clip", shard=_SHARD,
    )  # fmt: skip
    text_rows = cache.rows(
        retriever.hash, ["texts", *sentences], len(sentences),
        lambda indices: retriever.encode_text([sentences[i] for i in indices]),
        desc="captions", unit="caption", shard=4 * _SHARD,
    )  # fmt: skip
    captions = [(caption, i) for i, clip in enumerate(clips) for caption in clip.captions]
    rows = {sentence: row for row, sentence in enumerate(sentences)}
    write_npy(out / "motions.npy", motion_rows)
    write_npy(out / "captions.npy", text_rows[np.array([rows[caption] for caption, _ in captions])])
    index = {
        "format": _FORMAT, "identity": identity, "set": motions.name, "licence": motions.licence, "split": split,
        "retriever": retriever.hash, "dim": retriever.dim,
        "ids": [clip.id for clip in clips], "num_frames": [clip.num_frames for clip in clips],
        "captions": [caption for caption, _ in captions], "clip_of_caption": [place for _, place in captions],
    }  # fmt: skip
    write_json(out / "index.json", index, indent=None)
    return index
