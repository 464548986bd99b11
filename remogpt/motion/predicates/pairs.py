"""Find what two arms do together or for each other: swing a club, swim, steer, rub, ward off, stretch, drum, play."""

from itertools import pairwise

import numpy as np

from remogpt.motion.body import FPS, SIDES, Body, memo, other
from remogpt.motion.predicates.arms import reach
from remogpt.motion.predicates.catalogue import predicate
from remogpt.motion.predicates.intervals import Intervals, counted, groups, stretches, swings, trimmed

CLUB_WAY, CLUB_SPEED, CLUB_GRIP = 0.42, 1.3, 0.30
"""Of both hands in the swing of a club: metres to the other side, metres a second at the fastest, metres apart."""
CLUB_LOW = 0.12
"""Metres over the pelvis under which the hands pass in a low swing."""
CLUB_BEGIN, CLUB_END, CLUB_DIP = -0.25, -0.12, 0.12
"""Metres over the shoulders, at least, from where the hands come and where they go; metres that they dip in between."""
STROKE, STROKE_AHEAD = 0.40, 0.08
"""Of a breast stroke, metres: by how much the hands part, and farther ahead than they come back."""
CRAWL_WAY, CRAWL_LEAN = 0.35, 11.0
"""Of the crawl: metres that a hand reaches forward, degrees that the trunk leans forward."""
PRESS, KEYS = (0.024, 0.085), 12
"""Metres of the median way of a hand that presses keys, up or down; frames that one way takes, at most."""


@memo
def _hand(body: Body, side: str) -> np.ndarray:
    """(T, 3) offset of a wrist from its shoulder: forward, up, left, in the heading of the shoulders."""
    return body.offset(f"{side}_wrist", f"{side}_shoulder", "shoulder")


@memo
def _apart(body: Body) -> np.ndarray:
    """(T, 3) offset of the left wrist from the right one: forward, up, left, in the heading of the shoulders."""
    return body.offset("left_wrist", "right_wrist", "shoulder")


def _in_front(body: Body, ahead: float, low: float, high: float) -> np.ndarray:
    """(T,) whether both wrists are ahead of the shoulders by some metres, and between two heights over them."""
    hands = [_hand(body, side) for side in SIDES]
    return np.all([(h[:, 0] > ahead) & (h[:, 1] > low) & (h[:, 1] < high) for h in hands], axis=0)


@predicate("swings_club", "swings a club or a bat from the {side}")
def swings_club(body: Body, side: str, direction: str | None = None) -> Intervals:
    """Swing both hands together fast from one side over a lower point up to the other; low: past the hips."""
    sign = -1.0 if side == "left" else 1.0
    hands = [body.offset(f"{name}_wrist", "pelvis") for name in SIDES]
    middle = sign * 0.5 * (hands[0][:, 2] + hands[1][:, 2])
    lowest = np.minimum(hands[0][:, 1], hands[1][:, 1])
    high = np.mean([body.height(f"{name}_wrist") - body.height(f"{name}_shoulder", 2.0) for name in SIDES], axis=0)
    grip = body.gap("left_wrist", "right_wrist")
    pace = np.gradient(middle) * FPS
    found = []
    for start, end in swings(middle, CLUB_WAY):
        about = np.abs(pace[max(start - 16, 0) : end + 16]).max()  # without what other actions do at other times
        if middle[end] < middle[start] or pace[start : end + 1].max() < max(CLUB_SPEED, 0.8 * about):
            continue
        first, last = trimmed(middle, start, end)
        held = grip[first : last + 1].mean() < CLUB_GRIP
        ends = high[max(first - 6, 0) : first + 3].max(), high[last : last + 12].max()
        dip = min(ends) - high[first : last + 1].min()
        way = "low" if lowest[first : last + 1].min() < CLUB_LOW else "level"
        if held and ends[1] > CLUB_END and ends[0] > CLUB_BEGIN and dip > CLUB_DIP and direction in (None, way):
            found.append((first, last + 1))
    return found


@memo
def _breast_strokes(body: Body) -> Intervals:
    """Find strokes in which both hands part ahead and come together again nearer to the chest."""
    apart = _apart(body)[:, 2]
    hands = [_hand(body, side) for side in SIDES]
    ahead = 0.5 * (hands[0][:, 0] + hands[1][:, 0])
    level = np.minimum(hands[0][:, 1], hands[1][:, 1])
    even = np.abs(hands[0][:, 1] - hands[1][:, 1]) < 0.2
    found = []
    for start, end in swings(apart, STROKE):
        if apart[end] < apart[start] or apart[start] > 0.38:
            continue
        half = 0.5 * (apart[start] + apart[end])
        out = start + int(np.argmax(apart[start : end + 1] > half))
        later = np.flatnonzero(apart[end:] < half)
        back = end + int(later[0]) if len(later) else len(apart) - 1
        upright = level[out] > -0.4 and even[start : end + 1].mean() > 0.7
        if upright and ahead[out] > 0.35 and ahead[out] - ahead[back] > STROKE_AHEAD:
            found.append((start, back + 1))
    return found


@memo
def _reaches(body: Body, side: str) -> Intervals:
    """Find ways of a hand from behind over the height of its shoulder to the front, while the trunk leans forward."""
    hand, leant = body.offset(f"{side}_wrist", f"{side}_shoulder"), body.lean()[:, 0] > CRAWL_LEAN
    ahead, up = hand[:, 0], hand[:, 1]
    found = []
    for start, end in swings(ahead, CRAWL_WAY):
        middle = start + int(np.argmax(ahead[start : end + 1] > 0.5 * (ahead[start] + ahead[end])))
        over = up[middle] > -0.2 and up[start : end + 1].max() > 0.0
        if ahead[end] > max(ahead[start], 0.32) and over and leant[middle]:
            found.append((start, end + 1))
    return found


def _crawling(body: Body) -> tuple[Intervals, float]:
    """Return the time in which both arms reach out in turn, bent forward, and how often each does on average."""
    marks = sorted((one, side) for side in SIDES for one in _reaches(body, side))
    turns = sum(first[1] != second[1] for first, second in pairwise(marks))
    if len(marks) < 3 or turns < len(marks) - 2:
        return [], 0.0
    return [(marks[0][0][0], marks[-1][0][1])], 0.5 * len(marks)


@predicate("swims", "makes the arm strokes of swimming, {direction}")
def swims(body: Body, direction: str | None = None, count: int | None = None) -> Intervals:
    """Part both hands ahead and draw them in, again and again (breast), or circle the arms in turn (crawl)."""
    strokes = _breast_strokes(body)
    found = counted(strokes, count) if len(strokes) >= 2 and direction in (None, "breast") else []
    crawl, rounds = _crawling(body)
    if direction in (None, "crawl") and crawl and (count is None or abs(rounds - count) <= (0.0 if count < 5 else 0.5)):
        found = sorted(found + crawl)
    return found


@predicate("steers", "turns a big wheel with both hands")
def steers(body: Body) -> Intervals:
    """Keep the hands ahead at one distance from each other and turn them about their middle, left and right."""
    apart = _apart(body)
    angle = np.degrees(np.arctan2(apart[:, 1], apart[:, 2]))
    gap = body.gap("left_wrist", "right_wrist")
    where = _in_front(body, 0.14, -0.50, 0.20) & (gap > 0.22) & (gap < 0.62)
    found = []
    for start, end in stretches(where, 24, 3):
        turns = [(start + a, start + b) for a, b in swings(angle[start:end], 50.0)]
        turns = [(a, b) for a, b in turns if np.diff(trimmed(angle, a, b, 0.1))[0] >= 4]
        for bout in (one for one in groups(turns, 8) if len(one) >= 2):
            inside = slice(sum(bout[0]) // 2, sum(bout[-1]) // 2 + 1)  # without raising and lowering the hands
            rigid = gap[inside].std() < 0.10 * gap[inside].mean()
            to_both = min(angle[inside].max(), -angle[inside].min()) > 15.0
            if rigid and to_both and np.ptp(apart[inside, 2]) > 0.07:
                found.append((bout[0][0], bout[-1][1]))
    return found


@predicate("rubs_hands", "rubs the hands together")
def rubs_hands(body: Body) -> Intervals:
    """Keep the hands together in front and move them to and fro, each against the other."""
    apart = body.offset("left_wrist", "right_wrist", "shoulder", 0.5)
    near = (body.gap("left_wrist", "right_wrist", 1.0) < 0.20) & _in_front(body, 0.10, -0.55, 0.10)
    found = []
    for start, end in stretches(near, 16, 3):
        strokes = [(start + a, start + b) for a, b in swings(apart[start:end, 0], 0.05)]
        strokes = [one for one in strokes if one[1] - one[0] <= 12]
        for bout in (one for one in groups(strokes, 6) if len(one) >= 5):
            moved = [_to_and_fro(body, side, bout[0][1], bout[-1][0]) for side in SIDES]
            if min(moved) > 0.5 * max(moved):
                found.append((bout[0][0], bout[-1][1]))
    return found


def _to_and_fro(body: Body, side: str, start: int, end: int) -> float:
    """Return how fast a hand moves ahead and back on average, metres a frame."""
    ahead = body.offset(f"{side}_wrist", f"{side}_shoulder", "shoulder", 0.5)[start : end + 1, 0]
    return float(np.abs(np.diff(ahead)).mean())


@memo
def _shielding(body: Body, side: str) -> np.ndarray:
    """(T,) whether a forearm lies across before the head."""
    wrist = body.offset(f"{side}_wrist", "head", "shoulder")
    fore = body.offset(f"{side}_wrist", f"{side}_elbow", "shoulder")
    inward = -body.outward(f"{side}_wrist", f"{side}_elbow", side, "shoulder")
    raised = body.offset(f"{side}_elbow", f"{side}_shoulder", "shoulder")
    place = (wrist[:, 0] > 0.15) & (wrist[:, 1] > -0.11) & (wrist[:, 1] < 0.26) & (np.abs(wrist[:, 2]) < 0.26)
    return place & (inward > 0.06) & (np.abs(fore[:, 1]) < 0.26) & (raised[:, 0] > 0.08) & (raised[:, 1] > -0.14)


@predicate("blocks", "wards off a blow with the {side} arm")
def blocks(body: Body, side: str) -> Intervals:
    """Bring one forearm up fast before the head, for less than two seconds."""
    speed = body.speed(f"{side}_wrist", 1.0, "shoulder")
    found = []
    for start, end in stretches(_shielding(body, side), 5, 3):
        hangs = _hand(body, other(side))[start:end, 1].mean() < -0.24
        if end - start <= 32 and hangs and speed[max(start - 8, 0) : start + 3].max() > 1.9:
            found.append((start, end))
    return found


@predicate("stretches_arm", "stretches the {side} arm across the chest")
def stretches_arm(body: Body, side: str) -> Intervals:
    """Hold one arm long across the chest with the other hand at its elbow."""
    hand = _hand(body, side)
    across = -body.outward(f"{side}_wrist", f"{side}_shoulder", side, "shoulder")
    mask = (reach(body, side) > 0.82) & (across > 0.26) & (np.abs(hand[:, 1]) < 0.25)
    mask &= body.gap(f"{other(side)}_wrist", f"{side}_elbow") < 0.22
    return stretches(mask, 20, 3)


@predicate("drums", "drums with both hands")
def drums(body: Body) -> Intervals:
    """Beat both hands up and down in turn before the belly."""
    apart = _apart(body)
    where = _in_front(body, 0.06, -0.58, 0.14) & (apart[:, 2] > 0.10)
    found = []
    for start, end in stretches(where, 16, 3):
        beats = [(start + a, start + b) for a, b in swings(apart[start:end, 1], 0.16)]
        beats = [one for one in beats if one[1] - one[0] <= 10]
        for bout in (one for one in groups(beats, 5) if len(one) >= 6):
            inside = slice(bout[0][1], bout[-1][0] + 1)  # without the first and the last beat
            stray = max(np.std(apart[inside, 0]), np.std(apart[inside, 2]))
            if np.std(apart[inside, 1]) > 2.6 * stray:
                found.append((bout[0][0], bout[-1][1]))
    return found


@predicate("plays_keys", "plays on keys with both hands")
def plays_keys(body: Body) -> Intervals:
    """Press down with both hands in turn by small ways over keys before the belly, palms apart, and stay over them."""
    apart = _apart(body)
    hands = [_hand(body, side) for side in SIDES]
    where = _in_front(body, 0.14, -0.50, -0.10) & (apart[:, 2] > 0.16) & (apart[:, 2] < 0.70)
    where &= np.max([reach(body, side) for side in SIDES], axis=0) < 0.97
    where &= np.hypot(*body.velocity()[:, [0, 2]].T) < 0.3  # the arms of who walks swing in turn as well
    found = []
    for start, end in stretches(where, 24, 3):
        ways = [(start + a, start + b) for a, b in swings(apart[start:end, 1], 0.03) if b - a <= KEYS]
        for bout in (one for one in groups(ways, 8) if len(one) >= 6):
            inside = slice(bout[0][1], bout[-1][0] + 1)  # without the first and the last way
            own = [np.abs([hand[b, 1] - hand[a, 1] for a, b in bout]) for hand in hands]
            size = [float(np.median(one)) for one in own]
            turned = float(np.median([abs(apart[b, 1] - apart[a, 1]) for a, b in bout])) > 0.9 * max(size)
            small = max(PRESS[0], 0.55 * max(size)) < min(size) and max(size) < PRESS[1]
            stays = max(np.ptp(hand[inside, axis]) for hand in hands for axis in (0, 1)) < 0.22
            if small and turned and stays:
                found.append((bout[0][0], bout[-1][1]))
    return found
