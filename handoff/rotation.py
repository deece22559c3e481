"""Weighted round robin with reasons: who is next, and why each of the others is not. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Candidate:
    """A rep as routing sees them at one moment.

    ``barrier`` says in words why they cannot be given work (away, at their cap); empty when they
    can. ``closed`` says in words that they are outside of their hours: they come after everybody
    who is at work. ``turn`` orders the ring, being chosen adds ``1 / weight``.
    """

    user_id: int
    name: str
    turn: float = 0.0
    weight: int = 1
    barrier: str = ""
    closed: str = ""


@dataclass(frozen=True, slots=True)
class Considered:
    """One line of a decision record."""

    user_id: int
    name: str
    chosen: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Choice:
    """Who was chosen, None for nobody; ``turn`` is their new place in the ring."""

    chosen: Candidate | None
    turn: float
    considered: tuple[Considered, ...]


def choose(ring: Sequence[Candidate]) -> Choice:
    """Choose the candidate without a barrier whose turn is lowest, by id where turns are equal.

    Nobody is more than one turn behind the furthest: who was away or is new gets the next lead, not
    every lead until they have caught up. Outside of their hours people are chosen only while nobody
    else is at work.
    """
    ring = _at_work_first(ring)
    floor = max((each.turn for each in ring), default=0.0) - 1
    places = {each.user_id: max(each.turn, floor) for each in ring}
    order = sorted(
        (each for each in ring if not each.barrier), key=lambda c: (places[c.user_id], c.user_id)
    )
    chosen = order[0] if order else None
    standing = {each.user_id: place for place, each in enumerate(order)}
    return Choice(
        chosen=chosen,
        turn=places[chosen.user_id] + 1 / chosen.weight if chosen else 0.0,
        considered=tuple(
            Considered(
                user_id=each.user_id,
                name=each.name,
                chosen=each is chosen,
                reason=each.barrier or _standing(standing[each.user_id]),
            )
            for each in [*order, *(each for each in ring if each.barrier)]
        ),
    )


def _at_work_first(ring: Sequence[Candidate]) -> Sequence[Candidate]:
    """Return the ring with those outside of their hours barred, if anybody is at work."""
    if not any(not each.barrier and not each.closed for each in ring):
        return ring
    return [replace(each, barrier=each.barrier or each.closed) for each in ring]


def give(candidate: Candidate, reason: str) -> Choice:
    """Choose ``candidate`` out of turn; it counts as a turn of theirs all the same."""
    line = Considered(candidate.user_id, candidate.name, chosen=True, reason=reason)
    return Choice(candidate, candidate.turn + 1 / candidate.weight, (line,))


def _standing(place: int) -> str:
    if place == 0:
        return "Next in turn"
    return "Next after that" if place == 1 else f"{place} turns later"
