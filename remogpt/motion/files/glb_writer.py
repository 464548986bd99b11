"""Write a moving skeleton as binary glTF 2.0 (.glb) with a simple skinned body and one animation.

glTF fixes metres and y up. The body stands at rest in a T-pose; every joint is a node whose rotation is animated, the
root's translation too. pygltflib writes the document.

Source: Khronos, glTF 2.0 specification, sections 3.7 (skins) and 3.11 (animations).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from remogpt.motion.files.body_mesh import BodyMesh, body_mesh
from remogpt.motion.rig import Rig, RigMotion

if TYPE_CHECKING:
    from pygltflib import GLTF2

_COMPONENTS = {np.dtype(np.float32): 5126, np.dtype(np.uint16): 5123, np.dtype(np.uint8): 5121}
_ARRAY, _ELEMENTS = 34962, 34963
"""Targets of buffers that hold vertices, and indices of triangles."""


@dataclass(frozen=True)
class Bind:
    """A pose of a rig in which the body is put on: metres, y up, facing +z."""

    body: np.ndarray
    """(22, 3) our joints."""
    places: tuple[int, ...]
    """The rig's joint that carries what is near each of ours."""
    rotations: np.ndarray
    """(J, 3, 3) of the rig's joints in the world."""
    positions: np.ndarray
    """(J, 3) of the rig's joints."""

    @classmethod
    def at_rest(cls, rig: Rig) -> Bind:
        """Put the body on a rig of ours at rest."""
        rest = rig.rest_positions
        return cls(rest[list(rig.places)], rig.places, np.tile(np.eye(3), (len(rest), 1, 1)), rest)

    def inverse_matrices(self) -> np.ndarray:
        """Return (J, 16) what takes a point of the body into each joint's frame; glTF stores columns."""
        inverse = np.tile(np.eye(4, dtype=np.float32), (len(self.positions), 1, 1))
        inverse[:, :3, :3] = self.rotations
        inverse[:, 3, :3] = -np.einsum("jba,jb->ja", self.rotations, self.positions)
        return inverse.reshape(-1, 16)


def glb_bytes(motion: RigMotion, name: str = "motion", bind: Bind | None = None) -> bytes:
    """Return the content of a .glb file.

    Args:
        motion: metres, y up.
        name: name of the animation, which programs list.
        bind: how the body is put on; default: at rest.
    """
    import pygltflib as gltf

    from remogpt import __version__

    file = gltf.GLTF2(asset=gltf.Asset(version="2.0", generator=f"remogpt {__version__}"))
    blob = _Blob(file)
    rig = motion.rig
    file.nodes = [
        gltf.Node(name=joint, translation=[float(value) for value in offset], children=list(children) or None)
        for joint, offset, children in zip(rig.names, rig.offsets, rig.children, strict=True)
    ]
    file.nodes[0].translation = [float(value) for value in motion.root[0]]
    body = len(file.nodes)
    file.nodes.append(gltf.Node(name="Body", mesh=0, skin=0))
    file.scenes = [gltf.Scene(nodes=[0, body])]
    file.scene = 0
    bind = bind or Bind.at_rest(rig)
    file.skins = [
        gltf.Skin(
            joints=list(range(len(rig.names))),
            skeleton=0,
            inverseBindMatrices=blob.add(bind.inverse_matrices(), "MAT4"),
        )
    ]
    primitive = _primitive(blob, body_mesh(bind.body), bind.places)
    file.meshes = [gltf.Mesh(name="Body", primitives=[primitive])]
    surface = gltf.PbrMetallicRoughness(baseColorFactor=[1.0, 1.0, 1.0, 1.0], metallicFactor=0.0, roughnessFactor=0.8)
    file.materials = [gltf.Material(name="Body", pbrMetallicRoughness=surface)]
    file.animations = [_animation(blob, motion, name)]
    file.buffers = [gltf.Buffer(byteLength=len(blob.data))]
    file.set_binary_blob(bytes(blob.data))
    return b"".join(file.save_to_bytes())


class _Blob:
    """The binary part of the file, with an accessor for each array in it."""

    def __init__(self, file: GLTF2) -> None:
        self.data = bytearray()
        self._file = file

    def add(
        self, array: np.ndarray, kind: str, *, target: int | None = None, limits: bool = False, normalized: bool = False
    ) -> int:
        """Append rows (N, C) of a float32, uint16 or uint8 array and return the accessor's index."""
        import pygltflib as gltf

        array = np.ascontiguousarray(array)
        self.data += b"\0" * (-len(self.data) % 4)
        view = gltf.BufferView(buffer=0, byteOffset=len(self.data), byteLength=array.nbytes, target=target)
        self.data += array.tobytes()
        accessor = gltf.Accessor(
            bufferView=len(self._file.bufferViews), componentType=_COMPONENTS[array.dtype], count=len(array), type=kind,
            normalized=normalized,
        )  # fmt: skip
        if limits:
            accessor.min, accessor.max = array.min(0).tolist(), array.max(0).tolist()
        self._file.bufferViews.append(view)
        self._file.accessors.append(accessor)
        return len(self._file.accessors) - 1


def _primitive(blob: _Blob, mesh: BodyMesh, places: tuple[int, ...]) -> Any:
    import pygltflib as gltf

    strongest = np.argsort(-mesh.weights, axis=1)[:, :4]
    weights = np.take_along_axis(mesh.weights, strongest, axis=1)
    joints = np.where(weights > 0, np.array(places)[strongest], 0).astype(np.uint16)
    colours = np.concatenate([_linear(mesh.colours), np.full((len(joints), 1), 255, dtype=np.uint8)], axis=1)
    attributes = gltf.Attributes(
        POSITION=blob.add(mesh.vertices, "VEC3", target=_ARRAY, limits=True),
        NORMAL=blob.add(mesh.normals, "VEC3", target=_ARRAY),
        COLOR_0=blob.add(colours, "VEC4", target=_ARRAY, normalized=True),
        JOINTS_0=blob.add(joints, "VEC4", target=_ARRAY),
        WEIGHTS_0=blob.add(weights / weights.sum(1, keepdims=True), "VEC4", target=_ARRAY),
    )
    indices = blob.add(mesh.triangles.reshape(-1, 1), "SCALAR", target=_ELEMENTS)
    return gltf.Primitive(attributes=attributes, indices=indices, material=0)


def _linear(colours: np.ndarray) -> np.ndarray:
    """Turn sRGB bytes into linear ones, as vertex colours are."""
    return np.round(255 * (colours / 255) ** 2.2).astype(np.uint8)


def _animation(blob: _Blob, motion: RigMotion, name: str) -> Any:
    import pygltflib as gltf

    times = (np.arange(len(motion.root)) / motion.fps).astype(np.float32)[:, None]
    clock = blob.add(times, "SCALAR", limits=True)
    animation = gltf.Animation(name=name, samplers=[], channels=[])

    def channel(node: int, path: str, values: int) -> None:
        animation.samplers.append(gltf.AnimationSampler(input=clock, output=values, interpolation="LINEAR"))
        target = gltf.AnimationChannelTarget(node=node, path=path)
        animation.channels.append(gltf.AnimationChannel(sampler=len(animation.samplers) - 1, target=target))

    channel(0, "translation", blob.add(motion.root.astype(np.float32), "VEC3"))
    quaternions = motion.quaternions()
    for joint in range(len(motion.rig.names)):
        xyzw = np.roll(quaternions[:, joint], -1, axis=-1).astype(np.float32)
        channel(joint, "rotation", blob.add(xyzw, "VEC4"))
    return animation
