"""Whose event it is: visitors become leads when they are identified. Pure.

A device and a user id of a source are both visitors. Anonymous events wait with their visitor and
go to the first lead it turns out to be. Two people who identify themselves on one device stay two:
the visitor follows the later one, and what the earlier one did stays theirs.

Everybody can write what a website sends. So an address or user id of a lead that is known already
is a mere claim there, unless this device was proven to be that lead before. What a visitor does
under a claim belongs to nobody until the claim is proven.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from engagement.enums import LinkReason

#: (source, name) of a visitor: no source for a device, the source of a user id.
VisitorName = tuple[str, str]
#: A lead by its id, or by the address of one that is yet to be captured.
Person = int | str


class Introduction(NamedTuple):
    """What one message says about who it is.

    ``imported`` is the lead that the source imported under this user id; ``by_address`` the lead
    with this address, or the address itself when nobody has it; ``captures`` says whether the
    message may capture a new lead. ``proof`` is the lead that the device is known to be, such as
    by a link that only this lead was sent. ``reason`` is how we know, if it tells anything new.
    ``is_believed`` tells servers and imports from websites; a machine on a website,
    such as the scanner of a mail that opens its links, says nothing about anybody.
    """

    device: VisitorName | None
    user: VisitorName | None = None
    imported: int | None = None
    by_address: Person | None = None
    captures: bool = False
    proof: int | None = None
    reason: LinkReason = LinkReason.IDENTIFY
    is_believed: bool = False
    is_machine: bool = False

    @property
    def visitor(self) -> VisitorName | None:
        """Return the visitor that the event is filed under."""
        return self.device or self.user


@dataclass(eq=False, slots=True)
class Made:
    """A new identification, by message ``index``; ``is_proven`` or a mere claim."""

    visitor: VisitorName
    person: Person
    index: int
    reason: LinkReason
    is_proven: bool


#: An identification: the id of one that is kept, or one that is made now.
Link = int | Made


@dataclass(frozen=True, slots=True)
class Proof:
    """An open claim that message ``index`` proves."""

    link: Link
    index: int
    reason: LinkReason


@dataclass(slots=True)
class Standing:
    """Who a visitor is: the identification in force, and all that were made of it.

    ``claim`` is the claim under which it acts now, before its proven ``link``. ``proven`` are the
    people it was proven to be, ``open_claims`` and ``dismissed`` its claims by person.
    """

    person: Person | None = None
    link: Link | None = None
    claim: Link | None = None
    proven: set[Person] = field(default_factory=set)
    open_claims: dict[Person, Link] = field(default_factory=dict)
    dismissed: dict[Person, Link] = field(default_factory=dict)


class Owner(NamedTuple):
    """Whose a message is, and the identification that says so; nobody's under a claim."""

    person: Person | None = None
    link: Link | None = None


_NOBODY = Owner()


@dataclass
class Settlement:
    """Who did each message, and what became known of the visitors meanwhile.

    ``owners`` are in the order of the messages. ``first`` are the identifications of visitors that
    were nobody before: their anonymous events go to that lead. ``changed`` are visitors who stand
    otherwise than before.
    """

    standings: dict[VisitorName, Standing]
    owners: list[Owner] = field(default_factory=list)
    made: list[Made] = field(default_factory=list)
    proofs: list[Proof] = field(default_factory=list)
    first: dict[VisitorName, Link] = field(default_factory=dict)
    changed: set[VisitorName] = field(default_factory=set)
    captured: dict[str, int] = field(default_factory=dict)
    _waiting: dict[tuple[VisitorName, Link | None], list[int]] = field(
        default_factory=lambda: defaultdict(list)
    )

    def hear(self, said: Introduction) -> None:
        """Settle the next message."""
        self.owners.append(_NOBODY)
        if said.is_believed:
            self._believe(said)
        else:
            self._weigh(said)
        index = len(self.owners) - 1
        if self.owners[index].person is None and said.visitor:
            self._waiting[said.visitor, self.owners[index].link].append(index)

    def _believe(self, said: Introduction) -> None:
        """Take the word of a server. A user id outranks an address, which may change."""
        person = self._by_user(said) or self._addressed(said)
        if person is None:
            self._follow(said)
            return
        self._capture(person)
        self._own(person, None)
        for name in (said.user, said.device):
            if name:
                self._own(person, self._prove(name, person, said.reason))

    def _weigh(self, said: Introduction) -> None:
        """Take what a website says for a claim where it is no proof."""
        if said.is_machine:
            self._follow(said)
            return
        addressed, by_user = self._addressed(said), self._by_user(said)
        is_new = isinstance(addressed, str) and addressed not in self.captured
        if said.device is None:
            if addressed and is_new:  # nothing else can be proven without a device
                self._capture(addressed)
                self._own(addressed, None)
            return
        device = self.standings[said.device]
        if said.proof:
            self._identify(said, said.proof)
        elif by_user and by_user in device.proven:
            self._identify(said, by_user)
        elif addressed and (is_new or addressed in device.proven):
            self._capture(addressed)
            self._identify(said, addressed)
        elif claimed := addressed or self._claimed_by_user(said, by_user, device):
            self._own(None, self._claim(said.device, claimed, said.reason))
        else:
            self._follow(said)

    def _addressed(self, said: Introduction) -> Person | None:
        """Return whose address was told; a new one only where it captures a lead, or did."""
        address = said.by_address
        is_known = not isinstance(address, str) or address in self.captured
        return address if is_known or said.captures else None

    def _by_user(self, said: Introduction) -> Person | None:
        return said.imported or (self.standings[said.user].person if said.user else None)

    def _claimed_by_user(
        self, said: Introduction, by_user: Person | None, device: Standing
    ) -> Person | None:
        """Return whom a user id alone claims.

        Which lead a website's user id stands for was told by a website as well, unless it was
        imported: that must not take what a known device does away from its lead.
        """
        return by_user if said.imported or device.person is None else None

    def _capture(self, person: Person) -> None:
        if isinstance(person, str):
            self.captured.setdefault(person, len(self.owners) - 1)

    def _follow(self, said: Introduction) -> None:
        """Leave the message with whoever its visitor is known to be."""
        if said.visitor is None or not (said.device or said.is_believed):
            return
        standing = self.standings[said.visitor]
        if standing.claim:
            self._own(None, standing.claim)
        elif standing.link:
            self._own(standing.person, standing.link)

    def _identify(self, said: Introduction, person: Person) -> None:
        """Take the device for ``person``, and a user id that stood for nobody yet with it."""
        if said.device:
            self._own(person, self._prove(said.device, person, said.reason))
        if said.user and not said.imported and self.standings[said.user].link is None:
            made = self._make(said.user, person, said.reason, is_proven=True)
            self._stand(said.user, person, made)

    def _prove(self, name: VisitorName, person: Person, reason: LinkReason) -> Link:
        standing = self.standings[name]
        if standing.link and standing.person == person:
            self._stand(name, person, standing.link)
            return standing.link
        if claim := standing.open_claims.pop(person, None):
            self.proofs.append(Proof(claim, len(self.owners) - 1, reason))
        link = claim or self._make(name, person, reason, is_proven=True)
        if standing.link is None:
            self.first[name] = link
            self._attach(name, None, Owner(person, link))
        if claim:
            self._attach(name, claim, Owner(person, link))
        self._stand(name, person, link)
        return link

    def _claim(self, name: VisitorName, person: Person, reason: LinkReason) -> Link:
        standing = self.standings[name]
        claim = standing.open_claims.get(person) or standing.dismissed.get(person)
        if claim is None:
            claim = self._make(name, person, reason, is_proven=False)
            standing.open_claims[person] = claim
        if standing.claim != claim:
            standing.claim = claim
            self.changed.add(name)
        return claim

    def _make(
        self, name: VisitorName, person: Person, reason: LinkReason, *, is_proven: bool
    ) -> Made:
        made = Made(name, person, len(self.owners) - 1, reason, is_proven)
        self.made.append(made)
        return made

    def _stand(self, name: VisitorName, person: Person, link: Link) -> None:
        standing = self.standings[name]
        if standing.link != link or standing.claim:
            self.changed.add(name)
        standing.person, standing.link, standing.claim = person, link, None
        standing.proven.add(person)

    def _attach(self, name: VisitorName, waited_under: Link | None, owner: Owner) -> None:
        for index in self._waiting.pop((name, waited_under), ()):
            self.owners[index] = owner

    def _own(self, person: Person | None, link: Link | None) -> None:
        self.owners[-1] = Owner(person, link)


def settle(
    introductions: Sequence[Introduction], standings: Mapping[VisitorName, Standing]
) -> Settlement:
    """Return who did what. ``introductions`` are in the order in which things happened.

    ``standings`` has every visitor that they name; the settlement changes it to what is known then.
    """
    settlement = Settlement(dict(standings))
    for said in introductions:
        settlement.hear(said)
    return settlement
