"""Join retrieved motions for a caption whose steps, or what it says of one time, no motion of the database shows.

For each step, "walks forward" and then "sits down", the database is searched by the facts that the step claims. Of each
hit the stretch is cut out in which, by the database's facts, it shows them; of more repetitions than the step claims
some are cut out, and of fewer one is repeated. Where no stretch holds all that a step claims of one time, "walks while
waving", the upper body of one that shows one claim is laid over one that shows the others. The stretches are joined in
the caption's order. What a stretch holds is checked on its joints, or a finder says it.

differs: ReMoGPT answers with written motions alone.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from itertools import islice, pairwise, product

import numpy as np

from remogpt.finder import FactFinder
from remogpt.lm.limits import FRAMES_PER_CODE, MAX_CODES
from remogpt.motion import clean_features, features_to_joints, joints_to_features
from remogpt.motion.body import MIN_FRAMES, Body
from remogpt.motion.fact_catalogue import GRID
from remogpt.motion.facts import Fact, Steps, facts_of_claims, holds, implied
from remogpt.motion.found_facts import FoundFacts
from remogpt.motion.join import distance, join, layer
from remogpt.motion.resample import resample
from remogpt.motion.skeleton import FPS
from remogpt.motion.unasked import Shows, costs
from remogpt.pipeline.examples import TextSearch
from remogpt.retriever import RetrievedExample

HITS = 6
"""Motions that are searched for each step."""
PIECES = 2
"""Of their stretches, those that hold the most of the step's facts, and of others that hold as much the shortest."""
MARGIN = 8
"""Frames that are kept before and behind a stretch, where there are any: gestures begin and end in rest."""
LONGEST = FRAMES_PER_CODE * MAX_CODES
"""Frames of the longest motion that is written at once."""
SHORT = 40
"""Frames that a long piece is cut down to, out of its middle, where the steps together are too long."""
STRETCH = 1.3
"""Most that a motion is slowed down, or made faster, for the length that is asked for."""
_BY_FACTS = 10.0
"""Weight of facts beside cosines: what is right for a step is far from the whole caption."""


@dataclass(frozen=True, eq=False)
class Piece:
    """What shows a step: a stretch of a retrieved motion, or one laid over another."""

    ids: tuple[str, ...]
    """Database entries that it is cut from."""
    joints: np.ndarray
    """(T, 22, 3) metres."""
    held: float
    """Share of the step's facts that it holds, less the cost of what cannot be mistaken and the step does not claim."""
    slight: float
    """Cost of the rest that it shows and the step does not claim."""


@dataclass(frozen=True, eq=False)
class Joined:
    """Pieces as one motion."""

    ids: tuple[str, ...]
    """Database entries that they are cut from, in order."""
    features: np.ndarray
    """(T, 263) raw."""
    held: float
    """Share of what the steps claim that their pieces hold, on average."""


def joined_motions(
    search: TextSearch, steps: Steps, count: int, cleanup: bool, num_frames: int | None = None,
    finder: FactFinder | None = None,
) -> list[Joined]:  # fmt: skip
    """Join pieces for the steps of a caption.

    Args:
        search: of the caption, in a database with motions and their facts.
        steps: what the caption claims.
        count: motions wanted.
        cleanup: give the passages between the pieces bones of constant length, and feet that rest where they stand.
        num_frames: length wanted; None: whatever they have.
        finder: says what a stretch holds; None checks it on the joints.

    Returns:
        Nothing for a caption of one claim without a count. None longer than the language model writes; the best first:
        those whose pieces hold the most, and of these the ones whose poses lie nearest at the seams. They are played up
        to `STRETCH` times as fast or as slowly for a wanted length, or as fast where they are too long.
    """
    claims = [claim for step in steps for claim in step]
    if not count or (len(claims) < 2 and all(claim.params.get("count") is None for claim in claims)):
        return []
    pieces = [_pieces_of(search, step, finder) for step in steps]
    found = list(islice(_ways(pieces, num_frames), count))
    if not found:
        short = [[_shortened(one, step, finder) for one in own] for own, step in zip(pieces, steps, strict=True)]
        found = list(islice(_ways(short, num_frames), count))
    return [_as_motion(way, joints, cleanup) for way, joints in found]


def _ways(pieces: Sequence[Sequence[Piece]], num_frames: int | None) -> Iterator[tuple[tuple[Piece, ...], np.ndarray]]:
    """Yield a piece of each step and their joined motion, (T, 22, 3) metres: what fits the length, the best first."""
    longest = STRETCH * (num_frames or LONGEST) + 1  # the passages come on top
    near = (way for way in product(*pieces) if sum(len(piece.joints) for piece in way) <= longest)
    for way in sorted(near, key=lambda way: (sum(piece.slight - piece.held for piece in way), _seams(way))):
        joints = _of_length(join([piece.joints for piece in way]), num_frames)
        if joints is not None:
            yield way, joints


def _shortened(piece: Piece, step: tuple[Fact, ...], finder: FactFinder | None) -> Piece:
    """Return the middle of a long piece if that holds as much, else the piece."""
    if len(piece.joints) <= SHORT:
        return piece
    first = (len(piece.joints) - SHORT) // 2
    (middle,) = _best([(piece.ids, piece.joints[first:][:SHORT])], step, finder)
    return middle if middle.held >= piece.held else piece


def _of_length(joints: np.ndarray, num_frames: int | None) -> np.ndarray | None:
    """Return a motion whose features have a length, or at most `LONGEST`; None where it is too far from that."""
    if num_frames is None and len(joints) <= LONGEST:
        return joints
    num_frames = num_frames or LONGEST
    slower = num_frames / (len(joints) - 1)  # features have a frame less
    if not 1 / STRETCH <= slower <= STRETCH:
        return None
    return resample(joints, FPS, FPS * slower, method="cubic")


def _as_motion(way: Sequence[Piece], joints: np.ndarray, cleanup: bool) -> Joined:
    features = joints_to_features(joints)
    ids = tuple(name for piece in way for name in piece.ids)
    held = sum(piece.held for piece in way) / len(way)
    return Joined(ids, clean_features(features) if cleanup else features, held)


def _seams(way: Sequence[Piece]) -> float:
    return sum(distance(one.joints, following.joints) for one, following in pairwise(way))


def _pieces_of(search: TextSearch, step: tuple[Fact, ...], finder: FactFinder | None) -> list[Piece]:
    """Return the best pieces for a step."""
    found = _stretches(search, finder, step)
    if len(step) > 1 and not any(piece.held == 1 for piece in found):
        found = sorted([*found, *_layered(search, finder, step)], key=lambda piece: (-piece.held, piece.slight))
    # Long ones alone would leave no room for the other steps.
    equals = [piece for piece in found[PIECES:] if piece.held == found[0].held]
    return [*found[:PIECES], *sorted(equals, key=lambda piece: len(piece.joints))[:1]]


def _stretches(search: TextSearch, finder: FactFinder | None, step: tuple[Fact, ...]) -> list[Piece]:
    """Return stretches of the motions that hold the most of what a step claims, the best first."""
    facts = facts_of_claims((step,))
    hits = search.motions(HITS, facts, _BY_FACTS, (step,))
    cut = [((hit.id,), joints) for hit in hits for joints in _cuts(search, hit, step)]
    return _best(cut, step, finder)


def _layered(search: TextSearch, finder: FactFinder | None, step: tuple[Fact, ...]) -> list[Piece]:
    """Return what shows one claim of a step laid over what shows the others, the best first."""
    stretches = cache(partial(_stretches, search, finder))  # of two claims each is asked for twice
    layered = list[tuple[tuple[str, ...], np.ndarray]]()
    for claim in step:
        others = tuple(one for one in step if one != claim)
        below, over = stretches(others)[:PIECES], stretches((claim,))[:PIECES]
        for one, other, arms_only in product(below, over, (True, False)):
            layered.append(((*one.ids, *other.ids), layer(one.joints, other.joints, arms_only=arms_only)))
    return _best(layered, step, finder)


def _best(
    stretches: Sequence[tuple[tuple[str, ...], np.ndarray]], step: tuple[Fact, ...], finder: FactFinder | None
) -> list[Piece]:
    """Say of stretches, each with its ids, what share of a step's facts they hold; the best first.

    Showing what the step does not claim takes something from it.
    """
    facts = facts_of_claims((step,))
    if finder is not None:
        found: list[Shows] = [one.holds for one in finder.find([joints_to_features(joints) for _, joints in stretches])]
    else:
        found = [partial(holds, body=Body(joints)) for _, joints in stretches]
    pieces = []
    for (ids, joints), shows in zip(stretches, found, strict=True):
        wrong, slight = costs(shows, (step,))
        pieces.append(Piece(ids, joints, float(np.mean(list(map(shows, facts)))) - wrong, slight))
    return sorted(pieces, key=lambda piece: (-piece.held, piece.slight))


def _cuts(search: TextSearch, hit: RetrievedExample, step: Sequence[Fact]) -> Iterator[np.ndarray]:
    """Cut out of a retrieved motion where it shows what a step claims, and once more with as many repetitions."""
    found, features = search.database.facts.of(hit.row), search.database.features(hit.row)
    spans: list[tuple[int, int]] = []
    for claim in step:
        if proofs := _proofs(claim, found):
            spans.append(max(proofs, key=lambda proof: (_common(proof, spans), proof[1] - proof[0])))
    if not spans or len(features) < MIN_FRAMES:
        return
    joints = features_to_joints(features)
    first, stop = min(start for start, _ in spans) - MARGIN, max(end for _, end in spans) + MARGIN
    missing = max(0, MIN_FRAMES - (stop - first))
    cut = joints[max(0, first - missing) : stop + missing]
    if len(cut) >= MIN_FRAMES:
        yield cut
    for claim in step:
        times = _times(claim, found)
        if times and len(times) - 1 != claim.params["count"]:
            yield _recounted(joints, times, int(claim.params["count"]))


def _proofs(claim: Fact, found: FoundFacts) -> Sequence[tuple[int, int]]:
    """Return where the strongest fact holds that a claim implies and a motion shows."""
    for fact in reversed(implied(claim)):
        if proofs := found.events(fact):
            # A count is shown by all its repetitions.
            if fact.params.get("count") is None:
                return proofs
            return [(min(start for start, _ in proofs), max(end for _, end in proofs))]
    return ()


def _times(claim: Fact, found: FoundFacts) -> list[int]:
    """Return the frames where each repetition of a claim with a count begins in a motion, and where the last ends."""
    if claim.params.get("count") is None:
        return []
    shown = sorted(found.events(replace(claim, params={**claim.params, "count": None})))
    if len(shown) != 1:
        return [start for start, _ in shown] + [end for _, end in shown[-1:]]
    # What swings to and fro is one event, however often.
    ((start, end),) = shown
    counts = (int(n) for n in GRID["count"] if found.events(replace(claim, params={**claim.params, "count": n})))
    return np.linspace(start, end, next(counts, 1) + 1).round().astype(int).tolist()


def _recounted(joints: np.ndarray, times: Sequence[int], count: int) -> np.ndarray:
    """Leave out repetitions in the middle of a motion, or repeat one there.

    Args:
        joints: (T, 22, 3) metres.
        times: frames where each repetition begins, and where the last ends.
        count: repetitions wanted, another number than there are.
    """
    shown = len(times) - 1
    kept = (min(count, shown) + 1) // 2
    again = [joints[times[kept - 1] : times[kept]]] * (count - shown)
    after = max(kept, kept + shown - count)
    parts = [joints[max(0, times[0] - MARGIN) : times[kept]], *again, joints[times[after] : times[-1] + MARGIN]]
    return join([part for part in parts if len(part) > 1])


def _common(span: tuple[int, int], others: Sequence[tuple[int, int]]) -> int:
    """Return how many frames a span has in common with the first of some others."""
    return max(0, min(span[1], others[0][1]) - max(span[0], others[0][0])) if others else 0
