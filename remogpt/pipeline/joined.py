"""Join retrieved motions for a caption whose steps, or what it says of one time, no motion of the database shows.

For each step, "walks forward" and then "sits down", the database is searched by the facts that the step claims. Of each
hit the stretch is cut out in which its joints hold them. Where none holds all that a step claims of one time, "walks
while waving", the upper body of a stretch that shows one claim is laid over one that shows the others. The stretches
are joined in the caption's order.

differs: ReMoGPT answers with written motions alone.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from itertools import islice, pairwise, product

import numpy as np

from remogpt.lm.limits import FRAMES_PER_CODE, MAX_CODES
from remogpt.motion import clean_features, features_to_joints, joints_to_features
from remogpt.motion.body import MIN_FRAMES, Body
from remogpt.motion.facts import Fact, Steps, events, facts_correct, facts_of_claims, implied
from remogpt.motion.join import distance, join, layer
from remogpt.motion.resample import resample
from remogpt.motion.skeleton import FPS
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
    """Share of the step's facts that it holds."""


@dataclass(frozen=True, eq=False)
class Joined:
    """Pieces as one motion."""

    ids: tuple[str, ...]
    """Database entries that they are cut from, in order."""
    features: np.ndarray
    """(T, 263) raw."""


def joined_motions(
    search: TextSearch, steps: Steps, count: int, cleanup: bool, num_frames: int | None = None
) -> list[Joined]:
    """Join pieces for the steps of a caption.

    Args:
        search: of the caption, in a database with motions and their facts.
        steps: what the caption claims; nothing is joined for a single claim.
        count: motions wanted.
        cleanup: give the passages between the pieces bones of constant length, and feet that rest where they stand.
        num_frames: length wanted; None: whatever they have.

    Returns:
        None longer than the language model writes; the best first: those whose pieces hold the most, and of these the
        ones whose poses lie nearest at the seams. Of a wanted length those that have it when they are played up to
        `STRETCH` times as fast or as slowly.
    """
    if sum(map(len, steps)) < 2 or not count:
        return []
    pieces = [_pieces_of(search, step) for step in steps]
    ways = sorted(product(*pieces), key=lambda way: (-sum(piece.held for piece in way), _seams(way)))
    several = (way for way in ways if len(way) > 1 or len(way[0].ids) > 1)
    motions = ((way, _of_length(join([piece.joints for piece in way]), num_frames)) for way in several)
    fitting = ((way, joints) for way, joints in motions if joints is not None)
    return [_as_motion(way, joints, cleanup) for way, joints in islice(fitting, count)]


def _of_length(joints: np.ndarray, num_frames: int | None) -> np.ndarray | None:
    """Return a motion whose features have a length; None where it is too far from that."""
    if num_frames is None:
        return joints if len(joints) <= LONGEST else None
    slower = num_frames / (len(joints) - 1)  # features have a frame less
    if not 1 / STRETCH <= slower <= STRETCH:
        return None
    return resample(joints, FPS, FPS * slower, method="cubic")


def _as_motion(way: Sequence[Piece], joints: np.ndarray, cleanup: bool) -> Joined:
    features = joints_to_features(joints)
    ids = tuple(name for piece in way for name in piece.ids)
    return Joined(ids, clean_features(features) if cleanup else features)


def _seams(way: Sequence[Piece]) -> float:
    return sum(distance(one.joints, following.joints) for one, following in pairwise(way))


def _pieces_of(search: TextSearch, step: tuple[Fact, ...]) -> list[Piece]:
    """Return the best pieces for a step."""
    found = _stretches(search, step)
    if len(step) > 1 and not any(piece.held == 1 for piece in found):
        found = sorted([*found, *_layered(search, step)], key=lambda piece: -piece.held)
    # Long ones alone would leave no room for the other steps.
    equals = [piece for piece in found[PIECES:] if piece.held == found[0].held]
    return [*found[:PIECES], *sorted(equals, key=lambda piece: len(piece.joints))[:1]]


def _stretches(search: TextSearch, step: tuple[Fact, ...]) -> list[Piece]:
    """Return stretches of the motions that hold the most of what a step claims, the best first."""
    facts = facts_of_claims((step,))
    cut = ((hit, _cut(search, hit, step)) for hit in search.motions(HITS, facts, _BY_FACTS))
    found = [Piece((hit.id,), joints, _share(facts, joints)) for hit, joints in cut if joints is not None]
    return sorted(found, key=lambda piece: -piece.held)


def _layered(search: TextSearch, step: tuple[Fact, ...]) -> Iterator[Piece]:
    """Yield what shows one claim of a step laid over what shows the others."""
    facts = facts_of_claims((step,))
    stretches = cache(partial(_stretches, search))  # of two claims each is asked for twice
    for claim in step:
        others = tuple(one for one in step if one != claim)
        below, over = stretches(others)[:PIECES], stretches((claim,))[:PIECES]
        for one, other, arms_only in product(below, over, (True, False)):
            joints = layer(one.joints, other.joints, arms_only=arms_only)
            yield Piece((*one.ids, *other.ids), joints, _share(facts, joints))


def _cut(search: TextSearch, hit: RetrievedExample, step: Sequence[Fact]) -> np.ndarray | None:
    """Cut out of a retrieved motion where it shows what a step claims; None where it shows nothing of it."""
    joints = features_to_joints(search.database.features(hit.row))
    if len(joints) < MIN_FRAMES:
        return None
    body = Body(joints)
    spans: list[tuple[int, int]] = []
    for claim in step:
        if proofs := _proofs(claim, body):
            spans.append(max(proofs, key=lambda proof: (_common(proof, spans), proof[1] - proof[0])))
    if not spans:
        return None
    first, stop = min(start for start, _ in spans) - MARGIN, max(end for _, end in spans) + MARGIN
    missing = max(0, MIN_FRAMES - (stop - first))
    cut = joints[max(0, first - missing) : stop + missing]
    return cut if len(cut) >= MIN_FRAMES else None


def _share(facts: Sequence[Fact], joints: np.ndarray) -> float:
    return float(np.mean(facts_correct(facts, joints)))


def _proofs(claim: Fact, body: Body) -> Sequence[tuple[int, int]]:
    """Return where the strongest fact holds that a claim implies and the motion shows."""
    for fact in reversed(implied(claim)):
        if found := events(fact, body):
            # A count is shown by all its repetitions.
            if fact.params.get("count") is None:
                return found
            return [(min(start for start, _ in found), max(end for _, end in found))]
    return ()


def _common(span: tuple[int, int], others: Sequence[tuple[int, int]]) -> int:
    """Return how many frames a span has in common with the first of some others."""
    return max(0, min(span[1], others[0][1]) - max(span[0], others[0][0])) if others else 0
