"""Writing leads as captured, with what they did: companies, facts, visitors and events."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from crm.demo.behaviour import Act
from crm.demo.company import DemoCompany
from crm.demo.copying import copy_in, copy_rows, number
from crm.demo.library import BLOGS, BY_SLUG, SITE, told
from crm.demo.people import Person, moment_on
from crm.demo.scripts import Script
from engagement.attribution import touch_of
from engagement.enums import Actor, EventKind, LinkReason
from engagement.event_ids import event_id
from engagement.models import Visitor, VisitorLink
from engagement.services import ensure_partitions
from engagement.services.event_log import NewEvent, append_events
from engagement.services.partitions import month_of
from leads.enums import LifecycleStage
from leads.lifecycle import cycle_after
from leads.models import Company, Lead, LeadFact, StageInterval
from leads.services.facts import FACT_FIELDS

SOURCE = "demo"
#: From the act to its receipt.
LAG = timedelta(seconds=1)
#: Acts that a browser reports; the others come from a mail or webinar system.
_BROWSED = frozenset(
    {EventKind.PAGE_VIEW, EventKind.DOWNLOAD, EventKind.IDENTIFY, EventKind.FORM_SUBMIT}
)


@dataclass
class Chronicle:
    """One lead with all that it did and all that became of it, while its chunk is written."""

    lead: Lead
    person: Person
    acts: Sequence[Act]
    intervals: list[StageInterval] = field(default_factory=list)
    script: Script | None = None

    def move(self, stage: LifecycleStage, at: datetime, **fields: Any) -> StageInterval:
        """Take the lead to ``stage``; ``fields`` are further columns of the interval."""
        lead, cycle = self.lead, 1
        if self.intervals:
            last = self.intervals[-1]
            last.ended_at = at
            cycle = cycle_after(last.cycle, LifecycleStage(last.stage), stage)
        interval = StageInterval(
            lead=lead,
            sequence=len(self.intervals) + 1,
            stage=stage,
            cycle=cycle,
            started_at=at,
            **fields,
        )
        self.intervals.append(interval)
        lead.stage, lead.stage_since, lead.cycle = stage, at, cycle
        return interval


def capture(cast: Iterable[tuple[Person, Sequence[Act], Script | None]]) -> list[Chronicle]:
    """Write people as leads in their first stage; ``cast`` is who, what they did, their script.

    Their stage intervals are left to ``history``: they are written once it is known how they end.
    """
    chronicles = [
        Chronicle(_lead(person, acts), person, acts, script=script) for person, acts, script in cast
    ]
    leads = [each.lead for each in chronicles]
    _employ(chronicles)
    number(leads)
    copy_in(leads)
    copy_rows(
        LeadFact._meta.db_table,
        ("lead_id", "field", "value", "recorded_at"),
        (fact for each in chronicles for fact in _facts(each.lead)),
    )
    for each in chronicles:
        each.move(LifecycleStage.LEAD, each.lead.created_at, rule=f"Form on {SITE}")
    return chronicles


def log_acts(demo: DemoCompany, chronicles: Sequence[Chronicle], *, run: str) -> None:
    """Write what the leads did to the event log, each act once under the name of this ``run``."""
    visitors = [_visitor(each, run) for each in chronicles]
    _identify(visitors, [each.lead for each in chronicles])
    events = [
        _event(demo, act, f"{run}-{each.lead.pk}-{place}", visitor)
        for each, visitor in zip(chronicles, visitors, strict=True)
        for place, act in enumerate(each.acts)
    ]
    _append(events)


def log_strangers(
    demo: DemoCompany, rng: Random, people: Sequence[Person], *, now: datetime, run: str
) -> None:
    """Write visitors whom nobody ever got to know: one for each of ``people``, of like habits."""
    visits = [list(_stranger_acts(rng, person, now)) for person in people]
    visitors = [
        Visitor(name=f"{run}-stranger-{place}", first_seen_at=acts[0].at, last_seen_at=acts[-1].at)
        for place, acts in enumerate(visits)
        if acts
    ]
    copy_in(visitors)
    seen = (acts for acts in visits if acts)
    _append(
        [
            _event(demo, act, f"{visitor.name}-{place}", visitor)
            for visitor, acts in zip(visitors, seen, strict=True)
            for place, act in enumerate(acts)
        ]
    )


def _lead(person: Person, acts: Sequence[Act]) -> Lead:
    employer, known = person.employer, bool(person.title)
    latest = max((act.at for act in acts if not act.machine), default=person.created_at)
    return Lead(
        email=person.email,
        first_name=person.first_name if known else "",
        last_name=person.last_name if known else "",
        phone=person.phone if known else "",
        title=person.title,
        company_name=employer.firm.name if known else "",
        country=employer.country.code,
        city=employer.city if known else "",
        source=person.source.source,
        medium=person.source.medium,
        campaign=person.campaign,
        attributes=person.attributes,
        stage_since=person.created_at,
        created_at=person.created_at,
        last_activity_at=max(latest, person.created_at),
    )


def _employ(chronicles: Sequence[Chronicle]) -> None:
    """Write the firms of these leads that earlier chunks did not, and point the leads at them."""
    domains = {each.person.employer.firm.domain for each in chronicles}
    known = {each.domain or "": each for each in Company.objects.filter(domain__in=domains)}
    firms = dict(known)
    for each in sorted(chronicles, key=lambda each: each.lead.created_at):
        employer = each.person.employer
        firms.setdefault(
            employer.firm.domain,
            Company(
                name=employer.firm.name,
                domain=employer.firm.domain,
                website=f"https://{employer.firm.domain}",
                country=employer.country.code,
                city=employer.city,
                industry=employer.industry,
                employees=employer.employees,
                created_at=each.lead.created_at,
            ),
        )
    copy_in([firm for domain, firm in firms.items() if domain not in known])
    for each in chronicles:
        each.lead.company = firms[each.person.employer.firm.domain]


def _facts(lead: Lead) -> Iterator[tuple[int, str, str, datetime]]:
    """Return what ``create_lead`` logs of a lead."""
    for name in FACT_FIELDS:
        if value := getattr(lead, name):
            yield lead.pk, name, json.dumps(value), lead.created_at


def _visitor(each: Chronicle, run: str) -> Visitor:
    return Visitor(
        name=f"{run}-{each.lead.pk}",
        lead=each.lead,
        first_seen_at=each.acts[0].at if each.acts else each.lead.created_at,
        last_seen_at=each.lead.last_activity_at,
        identified_at=each.lead.created_at,
    )


def _identify(visitors: Sequence[Visitor], leads: Sequence[Lead]) -> None:
    """Write visitors with the form that told who they are; each row names the other."""
    number(visitors)
    links = [
        VisitorLink(
            visitor=visitor,
            lead=lead,
            reason=LinkReason.FORM,
            evidence=f"Form on {SITE}",
            made_at=lead.created_at,
            proven_at=lead.created_at,
        )
        for visitor, lead in zip(visitors, leads, strict=True)
    ]
    number(links)
    for visitor, link in zip(visitors, links, strict=True):
        visitor.link = link
    copy_in(visitors)
    copy_in(links)


def _stranger_acts(rng: Random, person: Person, now: datetime) -> Iterator[Act]:
    at = moment_on(person.created_at.date(), person.employer.country, rng)
    for _ in range(rng.choices((1, 2, 3), (60, 28, 12))[0]):
        if at + LAG < now:
            yield Act(at, EventKind.PAGE_VIEW, rng.choice(BLOGS))
        at += timedelta(seconds=rng.randint(20, 300))


def _event(demo: DemoCompany, act: Act, message_id: str, visitor: Visitor) -> tuple[str, NewEvent]:
    """Return the event under its message id."""
    piece = BY_SLUG.get(act.asset)
    is_browsed = act.kind in _BROWSED
    return message_id, NewEvent(
        id=event_id(source=SOURCE, message_id=message_id, occurred_at=act.at),
        occurred_at=act.at,
        received_at=act.at + LAG,
        kind=act.kind,
        lead_id=visitor.lead_id,
        visitor_id=visitor.pk if is_browsed else None,
        link_id=visitor.link_id if is_browsed else None,
        asset_id=demo.assets[act.asset].pk if piece else None,
        name=name_of(act),
        funnel_stage=piece.funnel_stage if piece else "",
        url=f"{SITE}{piece.path}" if piece and is_browsed else "",
        properties={**act.properties, **_told(act)},
        actor=Actor.MACHINE if act.machine else Actor.HUMAN,
        actor_reason=act.machine,
        touch=_touch(act),
    )


def _touch(act: Act) -> dict[str, str]:
    """Return what brought the visitor of a page; nothing did who came directly or at a fair."""
    campaign = act.properties.get("campaign", {})
    if act.kind is not EventKind.PAGE_VIEW or campaign.get("source") in {"direct", "trade_fair"}:
        return {}
    touch = touch_of(url=SITE, campaign=campaign)
    return touch.as_json() if touch else {}


def _told(act: Act) -> dict[str, Any]:
    return told(act.kind, act.asset, act.at, is_capture="campaign" in act.properties)


def name_of(act: Act) -> str:
    """Return the name under which an act is logged: its own, else that of its page."""
    piece = BY_SLUG.get(act.asset)
    return act.name or (piece.name if piece else "")


def _append(events: Sequence[tuple[str, NewEvent]]) -> None:
    ensure_partitions({month_of(event.occurred_at) for _, event in events})
    copy_rows(
        "engagement_event_key",
        ("source", "message_id", "event_id"),
        ((SOURCE, message_id, event.id) for message_id, event in events),
    )
    append_events(event for _, event in events)
