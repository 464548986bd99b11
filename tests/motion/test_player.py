"""The page: what it holds, how large it is, and (where Chromium is installed) that it works."""

import base64
import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from remogpt.motion import Motion, motion_html
from remogpt.motion.figures import MotionFigures
from remogpt.motion.kinematics import forward_kinematics
from remogpt.motion.player import PLAYER_SCRIPT, PLAYER_STYLE, player_fragment
from remogpt.runtime.errors import RemogptError

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def walk(frames: int = 100, name: str = "walk", caption: str | None = "a person glides forward.") -> Motion:
    root = np.stack([np.zeros(frames), np.full(frames, 0.9), np.linspace(3, 5, frames)], axis=-1)
    return Motion(forward_kinematics(np.broadcast_to(np.eye(3), (frames, 22, 3, 3)), root), name=name, caption=caption)


def decode(fragment: str) -> np.ndarray:
    data, unit = re.search(r'data-joints="([^"]*)"', fragment), re.search(r'data-unit="(\d+)"', fragment)
    assert data and unit
    return np.frombuffer(base64.b64decode(data[1]), "<i2").reshape(-1, 22, 3) * (int(unit[1]) / 1000)


def test_joints_arrive_to_the_millimetre_from_the_origin():
    motion = walk()
    shown = decode(player_fragment(motion, "a"))
    np.testing.assert_allclose(shown, motion.joints - [0, 0, 3], atol=5.1e-4)


def test_far_motions_take_coarser_steps():
    joints = walk().joints.copy()
    joints[-1] += [90, 0, 0]
    np.testing.assert_allclose(decode(player_fragment(Motion(joints), "a"))[-1, 0], [90, 0.9, 2], atol=2e-3)
    with pytest.raises(RemogptError, match="Check the unit"):
        player_fragment(Motion(joints * 1000), "a")


def test_captions_names_and_ids_are_text():
    page = motion_html([walk(name="</title><i>", caption="<script>alert('1')</script> & \"x\"")], title="<b>")
    assert "&lt;script&gt;alert(&#x27;1&#x27;)&lt;/script&gt; &amp;" in page
    assert "<script>alert" not in page and "<b>" not in page and "<i>" not in page
    assert 'id="&quot;onload=&quot;"' in player_fragment(walk(), '"onload="')


def test_fifteen_motions_fit_into_a_megabyte():
    page = motion_html([walk(196, name=f"clip {number}") for number in range(15)], title="fifteen")
    assert len(page.encode()) < 1_000_000
    assert page.count('<figure class="remogpt-player"') == 15 and "Restart together" in page


def test_the_page_needs_no_network():
    page = motion_html(walk())
    assert not re.search(r"(src|href)=|url\(|@import|https?://", page)
    assert "</script" not in PLAYER_SCRIPT and "</style" not in PLAYER_STYLE


def test_no_motion_is_refused():
    with pytest.raises(RemogptError, match="at least one motion"):
        motion_html([])


PROBE = """<script>
addEventListener("error", (event) => { document.body.dataset.error = event.message; });
setTimeout(() => {
  const report = {}, element = document.querySelector(".remogpt-player"), player = RemogptPlayer.players.get(element);
  const press = (key) => element.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
  const point = (type, id, x, y) => {
    player.canvas.dispatchEvent(new PointerEvent(type, { pointerId: id, clientX: x, clientY: y, bubbles: true }));
  };
  player.canvas.setPointerCapture = () => {};
  const other = RemogptPlayer.players.get(document.querySelector("#motion-1"));
  const button = (name) => [...element.querySelectorAll("button")].find((one) => one.textContent === name);
  report.autoplay = player.playing;
  press(" ");
  report.paused = !player.playing;
  player.seek(1); press("ArrowRight");
  report.time = player.time;
  report.in_step = !other.playing && other.time === player.time;
  element.querySelector(".remogpt-speed").click();
  report.speeds = [player.speed, other.speed];
  report.menu_hidden = player.menu.hidden;
  element.querySelector(".remogpt-more").click();
  report.menu_shown = !player.menu.hidden;
  button("loop").click(); player.playing = true; player.time = 99; player.advance(0.01);
  report.ends = !player.playing && player.time === Math.max(player.duration, other.duration);
  button("loop").click();
  const strip = player.strip();
  report.strip = [strip.width, strip.height];
  report.prints = player.prints.map(({ side, start, end }) => [side, start, end]);
  player.draw();
  const { yaw, distance } = player;
  point("pointerdown", 1, 100, 100); point("pointermove", 1, 150, 100);
  report.turned = player.yaw - yaw;
  point("pointerdown", 2, 250, 100); point("pointermove", 2, 350, 100);
  report.zoomed = player.distance / distance;
  point("pointerup", 1, 0, 0); point("pointerup", 2, 0, 0);
  press("r");
  report.reset = player.yaw === yaw && player.distance === distance;
  player.draw();
  const pixels = player.ctx.getImageData(0, 0, player.canvas.width, player.canvas.height).data;
  report.blue = report.orange = 0;
  for (let i = 0; i < pixels.length; i += 4) {
    const [r, g, b, a] = pixels.subarray(i, i + 4);
    if (a === 255 && b > r + 60) report.blue++;
    if (a === 255 && r > b + 60) report.orange++;
  }
  element.querySelector(".remogpt-stage").remove(); // as a page does that writes new content into the same element
  RemogptPlayer.mountAll();
  report.again = element.querySelectorAll(".remogpt-stage").length;
  const late = document.querySelector("#motion-1").cloneNode(true);
  late.replaceChildren(late.querySelector("figcaption")); // as a page inserts a fragment later
  document.querySelector("main").append(late);
  setTimeout(() => {
    report.players = RemogptPlayer.players.size;
    document.querySelector("[data-remogpt-restart]").click();
    report.restarted = [...RemogptPlayer.players.values()].every((one) => one.playing && one.time < 0.2);
    report.error = document.body.dataset.error || null;
    document.body.innerHTML = "<pre>REPORT" + JSON.stringify(report) + "REPORT</pre>";
  }, 100);
}, 400);
</script></body>"""


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine to open the page with")
def test_the_page_plays_in_a_browser(tmp_path: Path):
    page = tmp_path / "page.html"
    page.write_text(motion_html([walk(), walk(name="two")]).replace("</body>", PROBE), encoding="utf-8")
    command = [
        str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
        f"--user-data-dir={tmp_path / 'profile'}", "--window-size=1000,800", "--virtual-time-budget=3000",
        "--dump-dom", page.as_uri(),
    ]  # fmt: skip
    dom = subprocess.run(command, capture_output=True, text=True, timeout=90, check=True).stdout
    found = re.search(r"<pre>REPORT(.*)REPORT</pre>", dom)
    assert found, dom[-2000:]
    report = json.loads(found[1])
    assert report["error"] is None
    assert report["autoplay"] and report["paused"] and report["reset"] and report["restarted"]
    assert report["time"] == pytest.approx(1.05)
    assert report["turned"] == pytest.approx(-0.5)
    assert report["zoomed"] == pytest.approx(0.5)  # fingers twice as far apart
    assert report["blue"] > 500 and report["orange"] > 500
    assert report["players"] == 3 and report["again"] == 1
    assert report["in_step"] and report["speeds"] == [2, 2] and report["ends"]
    assert report["menu_hidden"] and report["menu_shown"]
    assert report["strip"] == [2720, 648]
    # The made motion glides as it stands, at 0.4 m/s: both feet stand all the time.
    assert report["prints"] == [["left", 0, 99], ["right", 0, 99]]


def test_motions_of_a_page_play_together_or_stand_still_as_strips():
    figures = MotionFigures(most_bytes=80_000)
    first = figures.group([(walk().joints, "one <b>"), (walk().joints, "two")])
    assert ['id="motion-0"' in first[0], 'id="motion-1"' in first[1]] == [True, True] and figures.has_players
    assert all(one.startswith("<figure") and one.index("<svg") < one.index("<figcaption>") for one in first)
    assert "one &lt;b&gt;" in first[0] and "<b>" not in first[0]
    too_many = figures.group([(walk().joints, "three")] * 9)
    assert all(one.startswith('<svg class="strip"') for one in too_many), "all or none of those that are compared"
    assert figures.group([(walk().joints, "four")])[0].startswith('<figure class="remogpt-player" id="motion-2"')
