"""Name the style of a walk: by knees, trunk, slow sway, how far apart the hands are, which leg the head sinks over."""

import numpy as np

from remogpt.eval.detectors.event import Event, detector
from remogpt.eval.detectors.figure import Figure, rate, steady
from remogpt.eval.detectors.gait import pace, swings, walks

STYLES = ("sneaky", "elderly", "drunk", "limping_left", "limping_right", "careful")
DRUNK_SWAY = 1.6
"""Standard deviation of a trunk's slow sideways lean, degrees."""
SNEAKY_KNEE, ELDERLY_KNEE = 129.0, 145.0
"""Largest median angle of the straighter knee, degrees; 180 is straight."""
STOOP = 10.5
"""Smallest forward lean of an elderly walk, degrees."""
SINK, TILT = 0.55, 0.2
"""How far the head sinks (centimetres) and the trunk tilts (degrees) in step with the legs of a limp."""


CAREFUL_SPAN, CAREFUL_WAY, CAREFUL_PACE = 0.87, 0.84, 0.86
"""Smallest metres from hand to hand of a careful walk; largest metres of a foot through the air, and a second."""


def style(figure: Figure, start: int, end: int) -> str | None:
    """Return the style of a walk in frames [start, end), or None."""
    frames = slice(start, end)
    lean = figure.lean()
    stoop = float(np.median(lean[frames, 0]))
    knees = float(np.median(np.maximum(figure.bend("left", "leg"), figure.bend("right", "leg"))[frames]))
    if float(steady(lean[:, 1], 6.0)[frames].std()) > DRUNK_SWAY:
        return "drunk"
    if _is_careful(figure, start, end):
        return "careful"
    if knees < SNEAKY_KNEE and stoop > 4.0:
        return "sneaky"
    if knees < ELDERLY_KNEE and stoop > STOOP:
        return "elderly"
    left_ahead = figure.seen(figure.at("left_ankle", 7) - figure.at("right_ankle", 7))[:, 0]
    sinks = -100.0 * _over_left(left_ahead, figure.height("head"), frames)
    if abs(sinks) > SINK and _over_left(left_ahead, lean[:, 1], frames) > TILT:
        return "limping_left" if sinks > 0 else "limping_right"
    return None


def _is_careful(figure: Figure, start: int, end: int) -> bool:
    """Return whether the hands are far apart, one on each side, while the feet go short ways without haste."""
    frames = slice(start + (end - start) // 5, end - (end - start) // 5)
    hands = figure.seen(figure.at("left_wrist", 9) - figure.at("right_wrist", 9))[frames, 2]
    ways = [swing.forward for swing in swings(figure) if start <= swing.start < end]
    short = bool(ways) and float(np.median(ways)) < CAREFUL_WAY
    return short and float(np.quantile(hands, 0.3)) > CAREFUL_SPAN and pace(figure, start, end) < CAREFUL_PACE


def _over_left(left_ahead: np.ndarray, curve: np.ndarray, frames: slice) -> float:
    """Return how much higher a curve is while the left leg carries the body than while the right one does.

    A leg carries while its foot moves backward against the other foot.
    """
    carries = -rate(left_ahead)[frames]
    carries = carries / max(float(np.sqrt((carries**2).mean())), 1e-6)
    return float((carries * (curve - steady(curve, 14.0))[frames]).mean())


@detector("walks_like")
def walks_like(figure: Figure) -> list[Event]:
    """Find walks forward, each with its style."""
    forward = [walk for walk in walks(figure) if walk.direction == "forward"]
    return [Event(walk.start, walk.end, style=style(figure, walk.start, walk.end)) for walk in forward]
