"""Draw the picture of the README: motions that mini generates, as strips of poses along time.

python scripts/film_strip.py docs/images/strip.png
"""

import sys
from xml.etree import ElementTree

import matplotlib.pyplot as plt

from remogpt import ReMoGPT
from remogpt.motion.strips import strip

CAPTIONS = (
    "a person waves with the right hand",
    "someone kicks forward with the left leg",
    "a person squats down",
)
COLOURS = {"left": "#2563eb", "right": "#ea7317", "trunk": "#4b5563"}


def draw(axes: plt.Axes, svg: str, title: str) -> None:
    """Copy the limbs, heads, times and the floor of one strip into a plot."""
    for element in ElementTree.fromstring(svg).iter():
        name = COLOURS.get(element.get("class", ""))
        if element.tag == "polyline":
            points = [tuple(map(float, pair.split(","))) for pair in element.attrib["points"].split()]
            axes.plot(*zip(*points, strict=True), color=name, linewidth=2.2, solid_capstyle="round")
        elif element.tag == "circle":
            centre = float(element.attrib["cx"]), float(element.attrib["cy"])
            axes.add_patch(plt.Circle(centre, float(element.attrib["r"]), color=name))
        elif element.tag == "line":
            axes.axhline(float(element.attrib["y1"]), color="#9ca3af", linewidth=1, zorder=0)
        elif element.tag == "text":
            axes.text(
                float(element.attrib["x"]), float(element.attrib["y"]), element.text or "", ha="center", fontsize=7
            )
    axes.set_title(title, loc="left", fontsize=10)
    axes.set_aspect("equal")
    axes.invert_yaxis()
    axes.axis("off")


def main(path: str) -> None:
    """Generate, draw, save."""
    answers = ReMoGPT.from_pretrained().generate(list(CAPTIONS), seed=0)
    figure, rows = plt.subplots(len(CAPTIONS), figsize=(8, 5.6), facecolor="white", layout="constrained")
    for axes, caption, (answer,) in zip(rows, CAPTIONS, answers, strict=True):
        draw(axes, strip(answer.motion.joints, num_poses=9), caption)
    figure.savefig(path, dpi=100, pil_kwargs={"optimize": True})


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "docs/images/strip.png")
