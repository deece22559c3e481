"""Finding out what a salesperson should know, at the moment of the handoff."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from engagement.enums import EventKind
from engagement.models import Event
from handoff.bant import QUESTIONS
from handoff.brief import BUYING_ACTS, MOST_ACTS, Act, suggested_opening, why_line
from handoff.models import Agreement
from handoff.prefill import Told, told_by_forms
from leads.models import Lead, StageInterval

#: How many of the newest acts are read. Our choice: more than a salesperson would.
_RECENT = 100
_FAST_TRACK = "Fast track"


@dataclass(frozen=True, slots=True)
class Findings:
    """What is known of a lead when it is handed over; ``acts`` are human, newest first."""

    acts: Sequence[Act]
    told: Sequence[Told]
    is_fast_track: bool
    raised_at: datetime
    why: str


def find_out(lead: Lead, change: StageInterval, *, now: datetime) -> Findings:
    """Read the log once for everything that a handoff needs from it."""
    events = list(
        Event.objects.human()
        .filter(lead=lead, occurred_at__lte=now)
        .select_related("asset")
        .order_by("-occurred_at", "-id")[:_RECENT]
    )
    acts = [_act(event) for event in events]
    is_fast_track = change.rule.startswith(_FAST_TRACK)
    hand_raise = next((each for each in events if each.kind in BUYING_ACTS), None)
    return Findings(
        acts=acts,
        told=told_by_forms((event.properties, _source(event)) for event in events),
        is_fast_track=is_fast_track,
        raised_at=hand_raise.received_at if is_fast_track and hand_raise else change.started_at,
        why=why_line(acts, [], change.rule),
    )


def compose_brief(
    lead: Lead, findings: Findings, *, agreement: Agreement | None, now: datetime
) -> dict[str, Any]:
    """Return the brief as it is frozen: see ``handoff.brief`` for what it may hold."""
    offer = next((act for act in findings.acts if act.kind in BUYING_ACTS), None)
    told = {each.question for each in findings.told}
    return {
        "frozen_at": now.isoformat(),
        "contact": _contact(lead),
        "opening": suggested_opening(findings.acts),
        "acts": [_act_json(act) for act in findings.acts[:MOST_ACTS]],
        "offer": _act_json(offer) if offer else None,
        "open_questions": [question for question in QUESTIONS if question not in told],
        "agreement": agreement.version if agreement else None,
    }


def _act(event: Event) -> Act:
    name = event.asset.name if event.asset else event.name
    return Act(kind=EventKind(event.kind), at=event.occurred_at, asset=name)


def _act_json(act: Act) -> dict[str, str]:
    return {"at": act.at.isoformat(), "title": act.title}


def _source(event: Event) -> str:
    """Say where an answer came from: ``Trial form, 11 May``."""
    day = timezone.localtime(event.occurred_at)
    name = event.name or EventKind(event.kind).label
    return f"{name}, {day.day} {day:%b}"


def _contact(lead: Lead) -> dict[str, str]:
    return {
        "name": lead.display_name,
        "title": lead.title,
        "company": lead.company_name,
        "phone": lead.phone,
        "email": lead.email or "",
        "city": lead.city,
        "country": lead.country,
        "website": lead.website,
    }
