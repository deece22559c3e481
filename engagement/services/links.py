"""Identifications: writing what was settled, and linking one visitor by what it did."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson
from django.db import connection, transaction

from crm.accounts.models import User
from engagement.enums import LinkAct, LinkReason
from engagement.identity import (
    Introduction,
    Link,
    Made,
    Person,
    Settlement,
    Standing,
    VisitorName,
    settle,
)
from engagement.messages import LONGEST_ID
from engagement.models import LinkChange, VisitorLink
from engagement.services.event_log import announce

LONGEST_WORDS = 300

#: Locks each visitor until the batch commits, in one order; whoever identifies the same visitor
#: in another batch waits, and then sees what this one wrote. ``xmax`` is 0 in a row that is new.
#: They are told as JSON, since the driver writes an array element by element.
_SEE = """
    INSERT INTO engagement_visitor AS known (source, name, first_seen_at, last_seen_at)
    SELECT * FROM json_to_recordset(%s)
        AS seen (source text, name text, first_at timestamptz, last_at timestamptz) ORDER BY 1, 2
    ON CONFLICT (source, name) DO UPDATE SET
        first_seen_at = least(known.first_seen_at, excluded.first_seen_at),
        last_seen_at = greatest(known.last_seen_at, excluded.last_seen_at)
    RETURNING source, name, id, xmax = 0, lead_id, link_id, claim_id
"""
_LINKS = """
    SELECT visitor_id, id, lead_id, proven_at IS NOT NULL, detached_at IS NOT NULL
    FROM engagement_visitorlink WHERE visitor_id = ANY(%s) ORDER BY id
"""
_PROVE = """
    UPDATE engagement_visitorlink link SET proven_at = proof.at
    FROM unnest(%s::bigint[], %s::timestamptz[]) AS proof (id, at) WHERE link.id = proof.id
"""
_STAND = """
    UPDATE engagement_visitor visitor
    SET lead_id = link.lead_id, link_id = link.id, identified_at = link.proven_at,
        claim_id = now.claim_id
    FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[]) AS now (id, link_id, claim_id)
    LEFT JOIN engagement_visitorlink link ON link.id = now.link_id
    WHERE visitor.id = now.id
"""
_ATTACH = """
    WITH attached AS (
        UPDATE engagement_event event SET lead_id = link.lead_id, link_id = link.id
        FROM unnest(%s::bigint[], %s::bigint[]) AS gained (link_id, waited_under)
        JOIN engagement_visitorlink link ON link.id = gained.link_id
        WHERE event.visitor_id = link.visitor_id AND event.lead_id IS NULL
            AND event.link_id IS NOT DISTINCT FROM gained.waited_under
        RETURNING event.lead_id, event.occurred_at, event.actor
    )
    SELECT lead_id, max(occurred_at) FILTER (WHERE actor = 'HUMAN') FROM attached GROUP BY lead_id
"""

#: Leads that were given events, with the time of the latest by a person, if any.
Attached = dict[int, datetime | None]


@dataclass(frozen=True, slots=True)
class Seen:
    """A visitor, locked: the row as it was before this transaction says who it is."""

    id: int
    is_new: bool
    lead_id: int | None
    link_id: int | None
    claim_id: int | None


def see_visitors(
    seen: Mapping[VisitorName, tuple[datetime, datetime]],
) -> dict[VisitorName, Seen]:
    """Keep when each visitor was first and last seen, and lock it until the transaction ends."""
    told = [
        {"source": source, "name": name, "first_at": first, "last_at": last}
        for (source, name), (first, last) in seen.items()
    ]
    with connection.cursor() as cursor:
        cursor.execute(_SEE, [orjson.dumps(told).decode()])
        return {(source, name): Seen(*row) for source, name, *row in cursor.fetchall()}


def standings_of(
    visitors: Mapping[VisitorName, Seen], *, speaking: Iterable[VisitorName]
) -> dict[VisitorName, Standing]:
    """Return who the visitors are; of those ``speaking`` about it also who they were."""
    standings = {
        name: Standing(person=seen.lead_id, link=seen.link_id, claim=seen.claim_id)
        for name, seen in visitors.items()
    }
    asked = {visitors[name].id: name for name in speaking if not visitors[name].is_new}
    if not asked:
        return standings
    with connection.cursor() as cursor:
        cursor.execute(_LINKS, [list(asked)])
        for visitor_id, link_id, lead_id, is_proven, is_detached in cursor.fetchall():
            standing = standings[asked[visitor_id]]
            if is_proven and not is_detached:
                standing.proven.add(lead_id)
            elif not is_proven:
                claims = standing.dismissed if is_detached else standing.open_claims
                claims[lead_id] = link_id
    return standings


def write_settlement(
    settlement: Settlement,
    visitors: Mapping[VisitorName, Seen],
    *,
    lead_of: Callable[[Person], int],
    evidence: Callable[[int], str],
    now: datetime,
    actor: User | None = None,
) -> tuple[dict[Made, int], Attached]:
    """Write new identifications, proofs and who the visitors are now; attach what they gained.

    To be called in the transaction that saw the visitors. Links of one batch are dated one
    microsecond apart in the order of its messages, so that the former one is known.

    Args:
        settlement: what was settled.
        visitors: every visitor that it names.
        lead_of: the id of a person's lead.
        evidence: in words, what the message of that index said.
        now: when this is learned.
        actor: the colleague whose word it is, if it is one's.

    Returns:
        The ids of new links, and the leads that were given earlier events.
    """
    ids = _insert_links(settlement.made, visitors, lead_of, evidence, now)

    def id_of(link: Link) -> int:
        return ids[link] if isinstance(link, Made) else link

    _write_proofs(
        [
            LinkChange(
                link_id=id_of(proof.link), act=LinkAct.PROVEN, at=_moment(now, proof.index),
                reason=proof.reason, words=evidence(proof.index)[:LONGEST_WORDS], actor=actor,
            )
            for proof in settlement.proofs
        ]
    )  # fmt: skip
    _stand(list(_stands(settlement, visitors, id_of)))
    return ids, attach(list(_gains(settlement, visitors, id_of)))


def attach(gained: Sequence[tuple[int, int | None]]) -> Attached:
    """Give events of nobody to the leads of links: those that waited under a claim, or under none.

    Args:
        gained: (id of the link, id of the claim that its events waited under; None for no claim).
    """
    if not gained:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_ATTACH, [list(column) for column in zip(*gained, strict=True)])
        return dict(cursor.fetchall())


@transaction.atomic
def link_visitor(
    *,
    anonymous_id: str,
    lead_id: int,
    reason: LinkReason,
    now: datetime,
    evidence: str = "",
    proven: bool = True,
) -> VisitorLink:
    """Say that the browser with ``anonymous_id`` is this lead; return the identification.

    A proven one attaches what the browser did before as nobody, and proves a claim that waits. One
    that says nothing new is the one that is kept already.

    Args:
        anonymous_id: the random id of the browser, 1 to 200 characters.
        lead_id: the lead.
        reason: how we know.
        now: when the visitor was seen.
        evidence: in words, what the reason rests on.
        proven: False for a claim that counts for nothing until it is proven.

    Raises:
        ValueError: when ``anonymous_id`` is empty, too long or no text.
    """
    if not 0 < len(anonymous_id) <= LONGEST_ID or "\0" in anonymous_id:
        raise ValueError("an anonymous id has 1 to 200 characters")
    device: VisitorName = ("", anonymous_id)
    visitors = see_visitors({device: (now, now)})
    said = Introduction(
        device, by_address=lead_id, proof=lead_id if proven else None, reason=reason
    )
    settlement = settle([said], standings_of(visitors, speaking=[device]))
    ids, attached = write_settlement(
        settlement, visitors, lead_of=int, evidence=lambda _: evidence, now=now
    )
    announce(events=[], attached=attached, now=now)
    (link,) = [owner.link for owner in settlement.owners if owner.link]
    return VisitorLink.objects.get(pk=ids[link] if isinstance(link, Made) else link)


def _insert_links(
    made: Sequence[Made],
    visitors: Mapping[VisitorName, Seen],
    lead_of: Callable[[Person], int],
    evidence: Callable[[int], str],
    now: datetime,
) -> dict[Made, int]:
    rows = [
        VisitorLink(
            visitor_id=visitors[each.visitor].id,
            lead_id=lead_of(each.person),
            reason=each.reason,
            evidence=evidence(each.index)[:LONGEST_WORDS],
            made_at=_moment(now, each.index),
            proven_at=_moment(now, each.index) if each.is_proven else None,
        )
        for each in made
    ]
    VisitorLink.objects.bulk_create(rows)
    return {each: row.pk for each, row in zip(made, rows, strict=True)}


def _write_proofs(proofs: Sequence[LinkChange]) -> None:
    if proofs:
        with connection.cursor() as cursor:
            cursor.execute(
                _PROVE, [[proof.link_id for proof in proofs], [proof.at for proof in proofs]]
            )
        LinkChange.objects.bulk_create(proofs)


def _stand(rows: Sequence[tuple[int, int | None, int | None]]) -> None:
    """Write the link and the claim of visitors: (visitor, link, claim)."""
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(_STAND, [list(column) for column in zip(*rows, strict=True)])


def _stands(
    settlement: Settlement, visitors: Mapping[VisitorName, Seen], id_of: Callable[[Link], int]
) -> Iterator[tuple[int, int | None, int | None]]:
    """Yield who stands otherwise than before: (visitor, link, claim)."""
    for name in sorted(settlement.changed):
        standing = settlement.standings[name]
        link = id_of(standing.link) if standing.link else None
        claim = id_of(standing.claim) if standing.claim else None
        yield visitors[name].id, link, claim


def _gains(
    settlement: Settlement, visitors: Mapping[VisitorName, Seen], id_of: Callable[[Link], int]
) -> Iterator[tuple[int, int | None]]:
    """Yield what ``attach`` asks for; a visitor that is new has no earlier events."""
    for proof in settlement.proofs:
        yield id_of(proof.link), id_of(proof.link)
    for name, link in settlement.first.items():
        if not visitors[name].is_new:
            yield id_of(link), None


def _moment(now: datetime, index: int) -> datetime:
    return now + timedelta(microseconds=index)
