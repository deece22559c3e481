"""Finding out what a salesperson should know, at the moment of the handoff."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils import timezone

from engagement.acts import act_title
from engagement.enums import EventKind
from engagement.models import Event
from handoff.brief import (
    MOST_ACTS,
    MOST_REASONS,
    Act,
    suggested_opening,
    why_line,
)
from handoff.frameworks import DEFAULT_QUALIFICATION, Question
from handoff.models import Agreement
from handoff.prefill import Told, told_by_forms
from leads.models import Lead, StageInterval
from scoring.explanation import Explanation
from scoring.services import BuyingAct, NoModel, buying_act, explain

#: How many of the newest acts are read. Our choice: more than a salesperson would.
_RECENT = 100
#: Where an answer stands that was free text: the log, which is for ever, does not keep those.
_RECORD = "The lead's record"


@dataclass(frozen=True, slots=True)
class Findings:
    """What is known of a lead when it is handed over.

    ``acts`` are human, newest first; ``hand_raise`` is the one by which it asked for sales.
    """

    acts: Sequence[Act]
    hand_raise: Act | None
    told: Sequence[Told]
    score: Explanation | None
    is_fast_track: bool
    raised_at: datetime
    why: str


def find_out(
    lead: Lead, change: StageInterval, questions: Sequence[Question], *, now: datetime
) -> Findings:
    """Read the log once for everything that a handoff needs from it.

    ``questions`` are those of the form that forms may have answered already.
    """
    events = list(
        Event.objects.human()
        .filter(lead=lead, occurred_at__lte=now)
        .select_related("asset")
        .order_by("-occurred_at", "-id")[:_RECENT]
    )
    acts = [_act(event) for event in events]
    raised = buying_act(lead_id=lead.pk, now=now)
    hand_raise = _act(_event_of(raised)) if raised else None
    score = _explained(lead, now)
    return Findings(
        acts=acts,
        hand_raise=hand_raise,
        told=told_by_forms(
            [*((event.properties, _source(event)) for event in events), (lead.attributes, _RECORD)],
            questions,
        ),
        score=score,
        is_fast_track=raised is not None and raised.has_shortest_tier,
        raised_at=raised.received_at if raised else change.started_at,
        why=why_line(hand_raise, _strongest(score), change.rule or change.reason),
    )


def compose_brief(
    lead: Lead, findings: Findings, *, agreement: Agreement | None, now: datetime
) -> dict[str, Any]:
    """Return the brief as it is frozen: see ``handoff.brief`` for what it may hold."""
    offer = findings.hand_raise
    told = {each.question for each in findings.told}
    policy = agreement.policy if agreement else DEFAULT_QUALIFICATION
    return {
        "frozen_at": now.isoformat(),
        "contact": _contact(lead),
        "score": _score_json(findings.score),
        "fit": _fit_json(findings.score),
        "opening": suggested_opening([*([offer] if offer else []), *findings.acts]),
        "acts": [_act_json(act) for act in findings.acts[:MOST_ACTS]],
        "offer": _act_json(offer) if offer else None,
        "open_questions": [each.label for each in policy.questions if each.name not in told],
        "agreement": agreement.version if agreement else None,
    }


def _explained(lead: Lead, now: datetime) -> Explanation | None:
    """Return how the score came about; None before the first model was published."""
    with suppress(NoModel):
        return explain(lead_id=lead.pk, as_of=now)
    return None


def _strongest(score: Explanation | None) -> list[str]:
    """Return the lines that raised engagement, the largest first, without their counts."""
    return [line.text for line in score.engagement_lines if line.points > 0] if score else []


def _score_json(score: Explanation | None) -> dict[str, Any] | None:
    """Return the lines of engagement; the smaller ones as one, so that all still add up."""
    if score is None:
        return None
    shown, rest = score.engagement_lines[:MOST_REASONS], score.engagement_lines[MOST_REASONS:]
    lines = [{"text": line.text, "value": str(line.points), "how": line.how} for line in shown]
    if rest:
        others = sum((line.points for line in rest), start=Decimal(0))
        words = f"{len(rest)} other line{'s' if len(rest) > 1 else ''}"
        lines.append({"text": words, "value": str(others), "how": ""})
    return {
        "model": score.model_version,
        "total": str(score.engagement_score),
        "level": score.engagement_level,
        "lines": lines,
    }


def _fit_json(score: Explanation | None) -> dict[str, Any] | None:
    """Return which persona the lead fits, by what, and what is missing or not known."""
    if score is None or score.fit_score is None:
        return None
    gains = [line.text for line in score.fit_lines[1:] if line.points > 0]  # after the start
    return {
        "persona": score.persona,
        "total": str(score.fit_score),
        "matches": gains,
        "gaps": list(score.gaps),
    }


def _event_of(raised: BuyingAct) -> Event:
    """Return the event of a buying act, which may lie further back than the newest acts."""
    events = Event.objects.select_related("asset")
    return events.get(id=raised.event_id, occurred_at=raised.occurred_at)


def _act(event: Event) -> Act:
    kind, asset = EventKind(event.kind), event.asset.name if event.asset else ""
    title = act_title(kind=kind, name=event.name, asset=asset)
    return Act(kind=kind, at=event.occurred_at, title=title, asset=asset)


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
