"""Open the envelope of glTF files and walk their nodes.

Source: glTF 2.0 specification (Khronos), sections 3.5 (nodes) and 4 (binary files).
"""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from typing import Any


def document(content: bytes) -> tuple[dict[str, Any], bytes]:
    """Return the JSON document and the binary chunk of a .glb, or the document of a .gltf."""
    blob, text = b"", content
    if content[:4] == b"glTF":
        version, _ = struct.unpack_from("<II", content, 4)
        if version != 2:
            raise ValueError(f"version {version}")
        place = 12
        chunks: dict[bytes, bytes] = {}
        while place + 8 <= len(content):
            length, kind = struct.unpack_from("<I4s", content, place)
            if place + 8 + length > len(content):
                raise ValueError("it is cut off")
            chunks.setdefault(kind, content[place + 8 : place + 8 + length])
            place += 8 + length
        text, blob = chunks[b"JSON"], chunks.get(b"BIN\0", b"")
    document = json.loads(text.decode("utf-8-sig"))
    if not isinstance(document, dict) or not str(document["asset"]["version"]).startswith("2"):
        raise ValueError("no glTF of version 2")
    return document, blob


def clip_names(animations: Sequence[Any]) -> tuple[str, ...]:
    """Return the names of animations, each once."""
    names: list[str] = []
    for index, animation in enumerate(animations):
        name = str(animation.get("name") or f"animation {index}")
        names.append(name if name not in names else f"{name} ({index})")
    return tuple(names)


def tree(nodes: Sequence[Any]) -> tuple[list[int], list[int]]:
    """Return the parent of each node, and the nodes with parents before children."""
    parents = [-1] * len(nodes)
    for index, node in enumerate(nodes):
        for child in node.get("children", []):
            parents[child] = index
    order: list[int] = [index for index, parent in enumerate(parents) if parent < 0]
    for index in order:
        order.extend(nodes[index].get("children", []))
        if len(order) > len(nodes):
            break
    if len(order) != len(nodes):
        raise ValueError("its nodes are no tree")
    return parents, order


def nearest_above(node: int, parents: Sequence[int], kept: dict[int, int]) -> int:
    """Return the nearest node above one that is kept, -1 if there is none."""
    above = parents[node]
    while above >= 0 and above not in kept:
        above = parents[above]
    return above


def node_names(nodes: Sequence[Any], kept: Sequence[int]) -> tuple[str, ...]:
    """Return the names of some nodes, each once."""
    names: list[str] = []
    for node in kept:
        name = str(nodes[node].get("name") or f"node {node}")
        names.append(name if name not in names else f"{name} ({node})")
    return tuple(names)
