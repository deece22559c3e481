"""Visitors and the leads they turn out to be, for one batch of messages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from engagement.enums import EventKind
from engagement.identity import Claim, Person, VisitorName, settle
from engagement.messages import Message
from engagement.traits import lead_values
from leads.models import Lead
from leads.services import DuplicateEmail, LeadInvalid, create_lead

#: Locks each visitor until the batch commits, in one order; whoever identifies the same visitor
#: in another batch waits, and then sees what this one wrote.
_SEE = """
    INSERT INTO engagement_visitor AS known (source, name, first_seen_at, last_seen_at)
    SELECT * FROM unnest(%s::text[], %s::text[], %s::timestamptz[], %s::timestamptz[])
        AS seen (source, name, first_at, last_at) ORDER BY 1, 2
    ON CONFLICT (source, name) DO UPDATE SET
        first_seen_at = least(known.first_seen_at, excluded.first_seen_at),
        last_seen_at = greatest(known.last_seen_at, excluded.last_seen_at)
    RETURNING source, name, id, lead_id
"""
_FIND_EXTERNAL = """
    SELECT system, external_id, lead_id FROM leads_externalid
    JOIN unnest(%s::text[], %s::text[]) AS asked (system, external_id)
        USING (system, external_id)
"""
_LINK = """
    UPDATE engagement_visitor visitor SET lead_id = link.lead_id, identified_at = %s
    FROM unnest(%s::bigint[], %s::bigint[]) AS link (id, lead_id) WHERE visitor.id = link.id
"""
_ATTACH = """
    WITH attached AS (
        UPDATE engagement_event event SET lead_id = link.lead_id
        FROM unnest(%s::bigint[], %s::bigint[]) AS link (id, lead_id)
        WHERE event.visitor_id = link.id AND event.lead_id IS NULL
        RETURNING event.lead_id, event.occurred_at
    )
    SELECT lead_id, max(occurred_at) FROM attached GROUP BY lead_id
"""


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose a message is: the lead, if known, and the visitor that it is filed under."""

    lead_id: int | None
    visitor_id: int | None


@dataclass(frozen=True)
class Identification:
    """The owner of each message, and leads that got earlier events with the time of the latest."""

    owners: list[Owner]
    attached: dict[int, datetime]


def identify(messages: Sequence[tuple[str, Message]], *, now: datetime) -> Identification:
    """Find, link and capture whoever sent ``messages``: (source, message), in order of time.

    To be called in the transaction that writes the events.
    """
    names = [_visitor_names(source, message) for source, message in messages]
    visitors = _see_visitors(names, messages)
    claims = _claims(names, messages)
    settled = settle(claims, {name: lead_id for name, (_, lead_id) in visitors.items()})
    captured = _capture(settled.people, messages, now)

    def lead_of(person: Person | None) -> int | None:
        return captured[person] if isinstance(person, str) else person

    ids = {name: visitor_id for name, (visitor_id, _) in visitors.items()}
    _link({ids[name]: lead_of(person) for name, person in settled.links.items()}, now)
    attached = _attach({ids[name]: lead_of(person) for name, person in settled.first.items()})
    owners = [
        Owner(lead_of(person), ids[claim.visitor] if claim.visitor else None)
        for claim, person in zip(claims, settled.people, strict=True)
    ]
    return Identification(owners, attached)


def _visitor_names(source: str, message: Message) -> tuple[VisitorName | None, VisitorName | None]:
    """Return the device and the user of a message."""
    device = ("", message.anonymous_id) if message.anonymous_id else None
    return device, (source, message.user_id) if message.user_id else None


def _see_visitors(
    names: Iterable[tuple[VisitorName | None, VisitorName | None]],
    messages: Sequence[tuple[str, Message]],
) -> dict[VisitorName, tuple[int, int | None]]:
    """Keep when each visitor was seen; return their ids and leads."""
    seen: dict[VisitorName, tuple[datetime, datetime]] = {}
    for pair, (_, message) in zip(names, messages, strict=True):
        at = message.occurred_at
        for name in pair:
            if name:
                first, last = seen.get(name, (at, at))
                seen[name] = min(first, at), max(last, at)
    columns: list[Any] = [
        [source for source, _ in seen],
        [name for _, name in seen],
        [first for first, _ in seen.values()],
        [last for _, last in seen.values()],
    ]
    with connection.cursor() as cursor:
        cursor.execute(_SEE, columns)
        return {(source, name): (pk, lead) for source, name, pk, lead in cursor.fetchall()}


def _claims(
    names: Sequence[tuple[VisitorName | None, VisitorName | None]],
    messages: Sequence[tuple[str, Message]],
) -> list[Claim]:
    imported = _imported_as({user for _, user in names if user})
    addresses = {message.email for _, message in messages if message.email}
    known = dict(Lead.objects.filter(email__in=addresses).values_list("email", "pk"))
    return [
        Claim(
            device,
            user,
            lead_id=imported.get(user) if user else None,
            by_address=known.get(message.email) or _new_address(message),
        )
        for (device, user), (_, message) in zip(names, messages, strict=True)
    ]


def _new_address(message: Message) -> str | None:
    """Return the address of somebody to capture: only who says who they are becomes a lead."""
    return message.email or None if message.kind is EventKind.IDENTIFY else None


def _imported_as(users: set[VisitorName]) -> dict[VisitorName, int]:
    """Return the leads that a source imported under the id it also tracks them by."""
    if not users:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_FIND_EXTERNAL, [list(column) for column in zip(*users, strict=True)])
        return {(system, name): lead_id for system, name, lead_id in cursor.fetchall()}


def _capture(
    people: Iterable[Person | None], messages: Sequence[tuple[str, Message]], now: datetime
) -> dict[str, int]:
    """Create the leads that are known by address only so far; return their ids."""
    captured: dict[str, int] = {}
    wanted = {person for person in people if isinstance(person, str)}
    for source, message in messages:
        if message.email in wanted and message.kind is EventKind.IDENTIFY:
            wanted.remove(message.email)
            captured[message.email] = _create(source, message, now)
    return captured


def _create(source: str, message: Message, now: datetime) -> int:
    values = lead_values(email=message.email, traits=message.traits, properties=message.properties)
    return _create_with(values, source, message, now)


def _create_with(values: Mapping[str, Any], source: str, message: Message, now: datetime) -> int:
    """Create a lead from what can be believed: a bad trait is left out, the person is not."""
    try:
        lead = create_lead(
            now=now, created_at=message.occurred_at, rule=f"Identified by {source}", **values
        )
    except DuplicateEmail as duplicate:
        return duplicate.lead_id
    except LeadInvalid as invalid:
        believed = {key: text for key, text in values.items() if key not in invalid.problems}
        return _create_with(believed, source, message, now)
    return lead.pk


def _link(links: Mapping[int, int | None], now: datetime) -> None:
    if links:
        with connection.cursor() as cursor:
            cursor.execute(_LINK, [now, list(links), list(links.values())])


def _attach(links: Mapping[int, int | None]) -> dict[int, datetime]:
    """Give the anonymous events of visitors to the leads they turned out to be."""
    if not links:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_ATTACH, [list(links), list(links.values())])
        return dict(cursor.fetchall())
