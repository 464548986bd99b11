"""glTF files: valid by Khronos's validator, shown by three.js in a browser, and a body that looks like one."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from remogpt.motion import Motion, load_motion
from remogpt.motion.files.body_mesh import body_mesh
from remogpt.motion.rig import SKELETONS, rig_motion
from remogpt.motion.skeleton import JOINT_INDEX
from tests.motion.made_motions import made_motion

LIBRARIES = Path(__file__).resolve().parents[1] / "browser" / "node_modules"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
NODE = shutil.which("node")

VALIDATE = """
const [validator, file] = [require(process.argv[1]), process.argv[2]];
validator.validateBytes(new Uint8Array(require("fs").readFileSync(file))).then((report) =>
  console.log(JSON.stringify({issues: report.issues, info: report.info})));
"""

PAGE = """<!doctype html><body>
<script type="importmap">{"imports": {"three": "LIBRARIES/three/build/three.module.js"}}</script>
<script type="module">
import * as THREE from "three";
import {GLTFLoader} from "LIBRARIES/three/examples/jsm/loaders/GLTFLoader.js";
const bytes = Uint8Array.from(atob("CONTENT"), (letter) => letter.charCodeAt(0));
new GLTFLoader().parse(bytes.buffer, "", (gltf) => {
  const clip = gltf.animations[0], mixer = new THREE.AnimationMixer(gltf.scene), at = new THREE.Vector3();
  mixer.clipAction(clip).setLoop(THREE.LoopOnce).play();
  mixer.clipAction(clip).clampWhenFinished = true;
  let body = null;
  gltf.scene.traverse((node) => { if (node.isSkinnedMesh) body = node; });
  const poses = TIMES.map((time) => {
    mixer.setTime(time);
    gltf.scene.updateMatrixWorld(true);
    return body.skeleton.bones.map((bone) => bone.getWorldPosition(at).toArray());
  });
  const nodes = gltf.parser.json.nodes, nodeOf = (bone) => nodes[gltf.parser.associations.get(bone).nodes];
  const names = body.skeleton.bones.map((bone) => nodeOf(bone).name);
  body.computeBoundingBox();  // of the skinned body as it stands
  const report = {names, poses, seconds: clip.duration, low: body.boundingBox.min.toArray(),
                  high: body.boundingBox.max.toArray(), vertices: body.geometry.attributes.position.count};
  document.body.innerHTML = "<pre>REPORT" + JSON.stringify(report) + "REPORT</pre>";
}, (error) => { document.body.innerText = "failed: " + error; });
</script></body>"""


def library(name: str) -> Path:
    """Return the folder of a package from npm, or skip the test."""
    folder = LIBRARIES / name
    if not folder.is_dir():
        pytest.skip(f"no {name} from npm: 'make browser-libraries' installs it")
    return folder


@pytest.mark.parametrize("skeleton", ["remogpt", "mixamo"])
def test_khronos_finds_nothing_wrong(tmp_path: Path, skeleton: str) -> None:
    validator = library("gltf-validator")
    Motion(made_motion("away")[0], name="Wave “both” hands").save(tmp_path / "a.glb", skeleton=skeleton)
    command = [str(NODE), "-e", VALIDATE, str(validator), str(tmp_path / "a.glb")]
    report = json.loads(subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout)
    assert report["issues"]["messages"] == []
    assert report["info"]["animationCount"] == 1 and report["info"]["hasSkins"]


def test_places_and_times_say_their_limits(tmp_path: Path) -> None:
    """The format demands it: viewers find from them where to look and how long to play."""
    import pygltflib

    Motion(made_motion("away")[0]).save(tmp_path / "a.glb")
    file = pygltflib.GLTF2.load(str(tmp_path / "a.glb"))
    animation, (mesh,) = file.animations[0], file.meshes
    with_limits = {mesh.primitives[0].attributes.POSITION, *(sampler.input for sampler in animation.samplers)}
    for number, accessor in enumerate(file.accessors):
        assert (len(accessor.min or []) == len(accessor.max or []) > 0) == (number in with_limits), number
    times = file.accessors[animation.samplers[0].input]
    assert times.min == [0.0] and times.max == pytest.approx([(times.count - 1) / 20])


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine to open the file with")
def test_three_js_plays_it(tmp_path: Path) -> None:
    library("three")
    joints = made_motion("turns 540 degrees")[0]
    Motion(joints).save(tmp_path / "a.glb", skeleton="mixamo")
    frames = [0, 7, 20, 40]
    page = PAGE.replace("CONTENT", base64.b64encode((tmp_path / "a.glb").read_bytes()).decode())
    page = page.replace("TIMES", json.dumps([frame / 20 for frame in frames])).replace("LIBRARIES", LIBRARIES.as_uri())
    (tmp_path / "page.html").write_text(page, encoding="utf-8")
    command = [
        str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
        "--disable-background-networking", "--allow-file-access-from-files",
        f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=5000", "--dump-dom",
        (tmp_path / "page.html").as_uri(),
    ]  # fmt: skip
    dom = subprocess.run(command, capture_output=True, text=True, timeout=90, check=True).stdout
    found = re.search(r"<pre>REPORT(.*)REPORT</pre>", dom)
    assert found, dom[-1000:]
    report = json.loads(found[1])
    order = [report["names"].index(name) for name in SKELETONS["mixamo"]]
    assert np.abs(np.array(report["poses"])[:, order] - joints[frames]).max() < 1e-3
    assert report["seconds"] == pytest.approx(2.0)
    last = joints[-1]
    assert (np.array(report["low"]) < last.min(0)).all() and (np.array(report["high"]) > last.max(0)).all()
    assert (np.array(report["high"]) - np.array(report["low"]) < np.ptp(last, axis=0) + 0.5).all()


@pytest.mark.parametrize("num_frames", [2, 41, 58, 100, 239])
def test_we_read_as_many_frames_as_we_wrote(tmp_path: Path, num_frames: int) -> None:
    joints = np.concatenate([made_motion("away")[0]] * 6)[:num_frames]
    Motion(joints).save(tmp_path / "a.glb")
    back = load_motion(tmp_path / "a.glb", first_frame=0).joints
    assert len(back) == num_frames and np.abs(back - joints).max() < 1e-3


def resting_body() -> np.ndarray:
    """(22, 3) positions of a T-pose."""
    rig = rig_motion(made_motion("ahead")[0], 20.0).rig
    return rig.rest_positions[list(rig.places)]


def test_the_mesh_is_closed_and_its_normals_point_outwards() -> None:
    mesh = body_mesh(resting_body())
    edges = np.sort(mesh.triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    assert (np.unique(edges, axis=0, return_counts=True)[1] == 2).all()
    a, b, c = (mesh.vertices[mesh.triangles[:, corner]].astype(np.float64) for corner in range(3))
    litres = 1000 * np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6  # positive: triangles face outwards
    assert 40 < litres < 110
    np.testing.assert_allclose(np.linalg.norm(mesh.normals, axis=1), 1.0, atol=1e-5)
    facing = np.einsum("ij,ij->i", np.cross(b - a, c - a), mesh.normals[mesh.triangles[:, 0]])
    assert (facing > 0).mean() > 0.97


def test_no_limb_is_folded_into_itself() -> None:
    joints = resting_body()
    mesh = body_mesh(joints)
    corners = mesh.vertices[mesh.triangles].astype(np.float64)
    outwards = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    for joint, end in (("knee", "ankle"), ("elbow", "wrist")):
        for side in ("left", "right"):
            first, last = joints[JOINT_INDEX[f"{side}_{joint}"]], joints[JOINT_INDEX[f"{side}_{end}"]]
            along = (last - first) / np.linalg.norm(last - first)
            place = corners.mean(axis=1) - first
            away = place - (place @ along)[:, None] * along
            near = (np.linalg.norm(away, axis=1) < 0.09) & (np.abs(place @ along - 0.2) < 0.15)
            assert near.any() and (np.einsum("ij,ij->i", away, outwards)[near] > 0).all(), (side, joint)


def test_every_limb_is_moved_by_its_own_joints() -> None:
    joints = resting_body()
    mesh = body_mesh(joints)
    np.testing.assert_allclose(mesh.weights.sum(1), 1.0, atol=1e-6)
    assert ((mesh.weights > 0).sum(1) <= 4).all()
    for name, index in JOINT_INDEX.items():
        moved = mesh.vertices[mesh.weights[:, index] >= 0.4]
        assert len(moved), name
        if name.startswith(("left", "right")):
            assert (np.sign(moved[:, 0]) == np.sign(joints[index, 0])).mean() > 0.9, name


def test_a_child_gets_a_smaller_body() -> None:
    grown, child = (np.ptp(body_mesh(resting_body() * size).vertices, axis=0) for size in (1.0, 0.6))
    np.testing.assert_allclose(child, 0.6 * grown, rtol=0.02)


def test_the_body_stands_on_its_soles() -> None:
    vertices = body_mesh(resting_body()).vertices
    toes = resting_body()[[10, 11], 1].mean()
    assert -0.05 < vertices[:, 1].min() - toes < 0
