"""Visitors and the leads they turn out to be, for one batch of messages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.db import connection

from engagement.enums import EventKind, LinkReason, SourceKind
from engagement.identity import (
    Introduction,
    Made,
    Person,
    Settlement,
    VisitorName,
    settle,
)
from engagement.messages import Message
from engagement.models import Source
from engagement.services.links import (
    Attached,
    Seen,
    see_visitors,
    standings_of,
    write_settlement,
)
from engagement.tokens import Proof
from engagement.traits import lead_values
from leads.models import Lead
from leads.services import (
    Capture,
    DuplicateEmail,
    create_leads,
    fitting_values,
    share_merges,
    standing_ids,
)

_FIND_EXTERNAL = """
    SELECT system, external_id, lead_id FROM leads_externalid
    JOIN unnest(%s::text[], %s::text[]) AS asked (system, external_id)
        USING (system, external_id)
"""


class Ownership(NamedTuple):
    """Whose a message is: the lead and the link that says so, and the visitor it is filed under."""

    lead_id: int | None
    visitor_id: int | None
    link_id: int | None


@dataclass(frozen=True)
class Identification:
    """The owner of each message, and the leads that got earlier events or are new."""

    owners: list[Ownership]
    attached: Attached
    captured: frozenset[int]


class Said(NamedTuple):
    """A message, whose it is, what its token proves, and whether a machine sent it."""

    source: str
    message: Message
    proof: Proof | None = None
    is_machine: bool = False

    @property
    def device(self) -> VisitorName | None:
        """Return the browser or device that it came from."""
        return ("", self.message.anonymous_id) if self.message.anonymous_id else None

    @property
    def user(self) -> VisitorName | None:
        """Return whom its source says that it came from."""
        return (self.source, self.message.user_id) if self.message.user_id else None

    @property
    def evidence(self) -> str:
        """Return in words what it told; never the value, which is personal."""
        if self.proof:
            return f"Came by a link that only this lead was sent; reported by {self.source}"
        told = "address" if self.message.email else "user id"
        return f"{self.source} told their {told}"


def identify(messages: Sequence[Said], *, now: datetime) -> Identification:
    """Find, link and capture whoever sent ``messages``, which are in order of time.

    To be called in the transaction that writes the events.
    """
    share_merges()
    visitors = see_visitors(_seen(messages))
    knowledge = _Knowledge.of(messages)
    messages = [knowledge.with_valid_proof(said) for said in messages]
    settlement, captured = _settle(messages, visitors, knowledge, now)

    def lead_of(person: Person) -> int:
        return captured[person] if isinstance(person, str) else person

    ids, attached = write_settlement(
        settlement, visitors, lead_of=lead_of, evidence=lambda at: messages[at].evidence, now=now
    )
    owners = [
        Ownership(
            lead_of(owner.person) if owner.person else None,
            visitors[name].id if (name := said.device or said.user) else None,
            ids[owner.link] if isinstance(owner.link, Made) else owner.link,
        )
        for said, owner in zip(messages, settlement.owners, strict=True)
    ]
    return Identification(owners, attached, frozenset(captured.values()))


def _seen(messages: Iterable[Said]) -> dict[VisitorName, tuple[datetime, datetime]]:
    """Return when each visitor was first and last seen."""
    seen: dict[VisitorName, tuple[datetime, datetime]] = {}
    for said in messages:
        at = said.message.occurred_at
        for name in (said.device, said.user):
            if name:
                first, last = seen.get(name, (at, at))
                seen[name] = min(first, at), max(last, at)
    return seen


@dataclass(frozen=True)
class _Knowledge:
    """What is known of those whom the messages name: addresses, imported ids, websites.

    ``ours`` has the leads that messages of our own and proofs name, as what each is by now.
    """

    addresses: dict[str, int]
    imported: dict[VisitorName, int]
    ours: Mapping[int, int]
    websites: frozenset[str]

    @classmethod
    def of(cls, messages: Sequence[Said]) -> _Knowledge:
        """Read it for a batch."""
        addresses = {said.message.email for said in messages if said.message.email}
        known = Lead.objects.filter(email__in=addresses).only("email", "merged_into")
        websites = Source.objects.filter(kind=SourceKind.WEBSITE).values_list("name", flat=True)
        return cls(
            {lead.email or "": lead.standing_id for lead in known},
            _imported_as({said.user for said in messages if said.user}),
            _existing(messages),
            frozenset(websites),
        )

    def with_valid_proof(self, said: Said) -> Said:
        """Return a message without a proof that names a lead which is gone: it proves nothing."""
        is_void = said.proof is not None and said.proof.lead_id not in self.ours
        return said._replace(proof=None) if is_void else said

    def introduction(self, said: Said) -> Introduction:
        """Return what a message says in the light of it."""
        message, is_believed = said.message, said.source not in self.websites
        return Introduction(
            said.device,
            said.user,
            imported=self._known(said),
            by_address=self.addresses.get(message.email) or message.email or None,
            captures=message.kind is EventKind.IDENTIFY,
            proof=self.ours[said.proof.lead_id] if said.proof else None,
            reason=_reason(said, is_believed),
            is_believed=is_believed,
            is_machine=said.is_machine,
        )

    def _known(self, said: Said) -> int | None:
        """Return the lead that a user id was imported as, or that a message of our own names."""
        if said.user:
            return self.imported.get(said.user)
        lead_id = said.message.lead_id
        return self.ours.get(lead_id) if lead_id else None


def _existing(messages: Iterable[Said]) -> Mapping[int, int]:
    """Return the leads that messages of our own and proofs name, as far as they are there.

    Nothing in the log keeps a lead from being deleted before.
    """
    lead_ids = {said.message.lead_id for said in messages if said.message.lead_id}
    lead_ids |= {said.proof.lead_id for said in messages if said.proof}
    return standing_ids(lead_ids) if lead_ids else {}


def _reason(said: Said, is_believed: bool) -> LinkReason:
    if said.proof:
        return said.proof.reason
    return LinkReason.SERVER if is_believed else LinkReason.IDENTIFY


def _settle(
    messages: Sequence[Said],
    visitors: Mapping[VisitorName, Seen],
    knowledge: _Knowledge,
    now: datetime,
) -> tuple[Settlement, dict[str, int]]:
    """Settle who is who and capture new leads; anew when somebody else captured one meanwhile."""
    while True:
        introductions = [knowledge.introduction(said) for said in messages]
        speaking = {
            name
            for each in introductions
            if each.user or each.by_address or each.proof
            for name in (each.device, each.user)
            if name
        }
        settlement = settle(introductions, standings_of(visitors, speaking=speaking))
        addresses = sorted(settlement.captured)
        captures = [_capture(messages[settlement.captured[address]]) for address in addresses]
        try:
            leads = create_leads(captures=captures, now=now) if captures else []
        except DuplicateEmail as duplicate:
            knowledge.addresses[duplicate.email] = duplicate.lead_id
        else:
            return settlement, dict(zip(addresses, [lead.pk for lead in leads], strict=True))


def _imported_as(users: set[VisitorName]) -> dict[VisitorName, int]:
    """Return the leads that a source imported under the id it also tracks them by."""
    if not users:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_FIND_EXTERNAL, [list(column) for column in zip(*users, strict=True)])
        return {(system, name): lead_id for system, name, lead_id in cursor.fetchall()}


def _capture(said: Said) -> Capture:
    """Return what can be believed: a bad trait is left out, the person is not."""
    message = said.message
    values = lead_values(email=message.email, traits=message.traits, properties=message.properties)
    return Capture(message.occurred_at, f"Identified by {said.source}", fitting_values(values))
