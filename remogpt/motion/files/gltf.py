"""Read animations of glTF files (.glb, .gltf): joint trees moved by translations, rotations and scales.

The document is plain JSON in a binary envelope of two chunks, and is read as such: a file of 22 animations takes
milliseconds, `pygltflib` builds an object for every channel of it, which takes seconds. Units are metres and y points
up, by the specification.

Source: glTF 2.0 specification (Khronos), sections 3.5.3 (transformations), 3.6 (accessors), 3.11 (animations) and 4
(binary files).
"""

from __future__ import annotations

import base64
import binascii
import json
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np

from remogpt.motion.files.gltf_document import clip_names, document, nearest_above, node_names, tree
from remogpt.motion.files.gltf_keys import Track, matrices, sample
from remogpt.motion.retarget import SourceMotion
from remogpt.motion.skeleton import FPS
from remogpt.runtime.errors import MissingPathError, RemogptError

SAMPLE_FPS = 60.0
"""Frames a second at which keys are sampled: a multiple of ours, so that nothing is interpolated twice."""
_MANY = 2_000_000
"""Transforms of nodes that are held at once, a quarter of a gigabyte; above it keys are sampled at 20 fps."""
_SHORTEST = 0.05
"""Seconds below which an animation is a pose, which is held for two frames at 20 fps."""
_TYPES = {5120: "i1", 5121: "u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
_WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT2": 4, "MAT3": 9, "MAT4": 16}
_PATHS = {"translation": 3, "rotation": 4, "scale": 3}
_DAMAGE = (
    ValueError, TypeError, AttributeError, KeyError, IndexError, OverflowError, UnicodeDecodeError, RecursionError,
    struct.error, json.JSONDecodeError, binascii.Error, OSError, MemoryError, AssertionError,
)  # fmt: skip


class GltfFile:
    """An opened file: its nodes and the names of its animations."""

    def __init__(self, path: Path) -> None:
        """Read the document.

        Raises:
            RemogptError: if it is no glTF 2.0 file, or has no animation.
        """
        self.path = path
        self._loaded: dict[int, bytes] = {}
        try:
            self._content, self._blob = document(path.read_bytes())
            self._nodes: list[Any] = self._content.get("nodes", [])
            self.clips = clip_names(self._content.get("animations", []))
            self._parents, self._order = tree(self._nodes)
        except _DAMAGE as error:
            raise self._broken(error) from error
        if not self.clips:
            raise RemogptError(f"{path}: expected an animation, found {len(self._parents)} nodes and none")

    @property
    def short_names(self) -> tuple[str, ...]:
        """Names of the animations without what stands before a bar, where these tell them apart."""
        short = tuple(name.rpartition("|")[2].replace("/", "_") for name in self.clips)
        return short if len(set(short)) == len(short) else tuple(name.replace("/", "_") for name in self.clips)

    def read(self, clip: str | None = None) -> SourceMotion:
        """Pose the nodes by one animation.

        Args:
            clip: name of the animation; needed where there are several.

        Raises:
            RemogptError: no such animation, several and none named, or damage.
        """
        index = self._choose(clip)
        try:
            return self._pose(self._content["animations"][index], self.clips[index])
        except _DAMAGE as error:
            if isinstance(error, RemogptError):
                raise
            raise self._broken(error) from error

    def _choose(self, clip: str | None) -> int:
        known = ", ".join(self.clips)
        if clip is None:
            if len(self.clips) > 1:
                raise RemogptError(
                    f"{self.path} holds {len(self.clips)} animations; say which with clip= (--clip): {known}"
                )
            return 0
        wanted = clip.strip().lower()
        for names in (self.clips, self.short_names):
            found = [index for index, name in enumerate(names) if name.lower() == wanted]
            if len(found) == 1:
                return found[0]
        raise RemogptError(f"{self.path} has no animation {clip!r}; it holds {known}")

    def _pose(self, animation: Any, clip: str) -> SourceMotion:
        tracks = self._tracks(animation)
        begin = min((float(track.times[0]) for track in tracks.values()), default=0.0)
        end = max((float(track.times[-1]) for track in tracks.values()), default=0.0)
        is_pose = end - begin < _SHORTEST
        fps = SAMPLE_FPS if (end - begin) * SAMPLE_FPS * len(self._nodes) < _MANY else FPS
        if not 0 <= (end - begin) * fps * len(self._nodes) < _MANY:
            raise RemogptError(
                f"{self.path} ({clip}): an animation of {end - begin:g} s with {len(self._nodes)} nodes is more than "
                f"can be read at once; cut it"
            )
        times = np.minimum(begin + np.arange(int((end - begin) * fps + 1e-3) + 1) / fps, end)
        if is_pose:
            times = np.full(4, begin)
        positions = _positions(self._nodes, self._parents, self._order, tracks, times)
        rest = _positions(self._nodes, self._parents, self._order, {}, times[:1])[0]
        kept = self._joints(animation)
        place = {node: position for position, node in enumerate(kept)}
        parents = tuple(place.get(nearest_above(node, self._parents, place), -1) for node in kept)
        return SourceMotion(
            node_names(self._nodes, kept), positions[:, kept], fps, f"{self.path} ({clip})", parents,
            rest[kept], metres_per_unit=1.0, up="y", notices=("a single pose, held",) if is_pose else (),
        )  # fmt: skip

    def _joints(self, animation: Any) -> list[int]:
        """Return the nodes of the skin that the animation moves, or else what it moves and what hangs on that."""
        moved = {channel["target"].get("node") for channel in animation["channels"]} - {None}
        skins = [set(skin["joints"]) for skin in self._content.get("skins", [])]
        skin = max(skins, key=lambda joints: len(joints & moved), default=set())
        if len(skin & moved) > 0.5 * len(skin) and skin:
            return [node for node in self._order if node in skin]
        kept = set(moved)
        for node in self._order:
            if self._parents[node] in kept:
                kept.add(node)
        return [node for node in self._order if node in kept]

    def _tracks(self, animation: Any) -> dict[tuple[int, str], Track]:
        """Return the keys of each animated node and path."""
        found = {}
        for channel in animation["channels"]:
            path, node = channel["target"]["path"], channel["target"].get("node")
            if path not in _PATHS or node is None:
                continue  # weights of morph targets move no joint
            sampler = animation["samplers"][channel["sampler"]]
            times = self._values(sampler["input"])[:, 0]
            values, mode = self._values(sampler["output"]), sampler.get("interpolation", "LINEAR")
            per_key = 3 if mode == "CUBICSPLINE" else 1
            if values.shape != (per_key * len(times), _PATHS[path]) or not len(times) or (np.diff(times) < 0).any():
                raise ValueError(f"channel {path} of node {node} has {values.shape} values for {len(times)} keys")
            if not (np.isfinite(times).all() and np.isfinite(values).all()):
                raise ValueError(f"channel {path} of node {node} has a key that is not finite")
            found[node, path] = Track(times, values, mode)
        for (node, path), track in found.items():
            if path == "scale":  # a body does not grow: squash and stretch are left out
                found[node, path] = Track(track.times[:1], np.median(track.keys, axis=0)[None], "STEP")
        return found

    def _values(self, index: int) -> np.ndarray:
        """Return an accessor as (count, width) float64."""
        accessor = self._content["accessors"][index]
        width, kind = _WIDTHS[accessor["type"]], np.dtype(_TYPES[accessor["componentType"]])
        if "bufferView" not in accessor or "sparse" in accessor:
            raise ValueError("sparse accessors are not read in animations")
        view = self._content["bufferViews"][accessor["bufferView"]]
        data = self._buffer(view["buffer"])
        start = view.get("byteOffset", 0) + accessor.get("byteOffset", 0)
        count, size = int(accessor["count"]), width * kind.itemsize
        stride = view.get("byteStride", size)
        if min(start, count - 1, stride - size) < 0 or start + (count - 1) * stride + size > len(data):
            raise ValueError(f"accessor {index} lies outside its buffer")
        array = np.ndarray((count, width), kind, data, start, (stride, kind.itemsize)).astype(np.float64)
        if accessor.get("normalized") and kind.kind in "iu":
            array = np.maximum(array / np.iinfo(kind).max, -1.0)
        return array

    def _buffer(self, index: int) -> bytes:
        uri = self._content["buffers"][index].get("uri")
        if uri is None:
            return self._blob
        if index not in self._loaded:
            self._loaded[index] = self._load(uri)
        return self._loaded[index]

    def _load(self, uri: str) -> bytes:
        if uri.startswith("data:"):
            return base64.b64decode(uri.partition(",")[2])
        name = unquote(uri)
        if ".." in Path(name).parts or Path(name).is_absolute():
            raise ValueError(f"buffer {uri!r} lies outside the file's folder")
        file = self.path.parent / name
        if not file.is_file():
            raise MissingPathError(f"{self.path}: wanted its buffer {name} beside it, which is not there; copy both")
        return file.read_bytes()

    def _broken(self, error: Exception) -> RemogptError:
        why = " ".join(str(error).split())[:160] or type(error).__name__
        return RemogptError(f"{self.path} cannot be read as glTF 2.0 ({why}); export it again")


def _positions(
    nodes: Sequence[Any], parents: Sequence[int], order: Sequence[int], tracks: dict[tuple[int, str], Track],
    times: np.ndarray,
) -> np.ndarray:  # fmt: skip
    """Return global positions of all nodes, (T, nodes, 3)."""
    globals_: dict[int, np.ndarray] = {}
    positions = np.zeros((len(times), len(nodes), 3))
    for index in order:
        moved = {path: sample(tracks[index, path], times) for path in _PATHS if (index, path) in tracks}
        local = matrices(nodes[index], moved, len(times))
        world = local if parents[index] < 0 else globals_[parents[index]] @ local
        globals_[index] = world
        positions[:, index] = world[:, :3, 3]
    return positions
