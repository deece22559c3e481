"""Whose event it is: visitors become leads when they are identified. Pure.

A device and a user id of a source are both visitors. Anonymous events wait with their visitor and
go to the first lead it turns out to be. Two people who identify themselves on one device stay two:
the link follows the later one, and what the earlier one did stays theirs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

#: (source, name) of a visitor: no source for a device, the source of a user id.
VisitorName = tuple[str, str]
#: A lead by its id, or by the address of one that is yet to be captured.
Person = int | str


@dataclass(frozen=True, slots=True)
class Claim:
    """What one message says about who it is.

    ``lead_id`` is the lead that the source imported under this user id; ``by_address`` the lead
    with this address, or the address itself when the message may capture a new lead.
    """

    device: VisitorName | None
    user: VisitorName | None
    lead_id: int | None = None
    by_address: Person | None = None

    @property
    def visitor(self) -> VisitorName | None:
        """Return the visitor that the event is filed under."""
        return self.device or self.user


@dataclass
class Settlement:
    """Who did each message, in the order of the claims, and which visitors were identified.

    ``links`` holds the visitors whose link changed, ``first`` those who had none before: their
    earlier events go to that lead too.
    """

    people: list[Person | None] = field(default_factory=list)
    links: dict[VisitorName, Person] = field(default_factory=dict)
    first: dict[VisitorName, Person] = field(default_factory=dict)


def settle(claims: Sequence[Claim], links: Mapping[VisitorName, int | None]) -> Settlement:
    """Return who did what. ``claims`` are in the order in which things happened.

    A user id outranks an address: somebody who changes the address stays the same lead.
    """
    result = Settlement()
    waiting: dict[VisitorName, list[int]] = defaultdict(list)

    def linked(name: VisitorName | None) -> Person | None:
        return (result.links.get(name) or links.get(name)) if name else None

    for index, claim in enumerate(claims):
        identified = claim.lead_id or linked(claim.user) or claim.by_address
        result.people.append(identified or linked(claim.device))
        for name in (claim.device, claim.user):
            if name and identified and linked(name) != identified:
                if linked(name) is None:
                    result.first[name] = identified
                for earlier in waiting.pop(name, ()):
                    result.people[earlier] = identified
                result.links[name] = identified
        if result.people[index] is None and claim.visitor:
            waiting[claim.visitor].append(index)
    return result
