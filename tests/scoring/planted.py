"""A small company whose truth is known: what makes MQLs turn into SQLs is planted by us."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import uuid4

from django.db import transaction

from engagement.models import Event
from leads.enums import AttributeType, LifecycleStage
from leads.models import Lead, LeadAttribute, LeadFact, StageInterval
from scoring.models import QualityReport, ScoringModel
from scoring.services.measuring import measure_report, request_measuring
from tests.factories import NOW
from tests.scoring.logs import document, publish_model

MQL_AT = NOW - timedelta(days=200)
HOUR = timedelta(hours=1)
LEADS = 900
NOISE = 10
#: Kinds that rules look at: one that helps, one whose points have the wrong sign.
GOOD_RULE, BAD_RULE = "PRICING_REQUEST", "EMAIL_CLICK"
#: What no rule looks at.
GOOD_ACT, BAD_ACT = "Opened the calculator", "Read the jobs page"
GOOD_COUNTRY = "NL"


@dataclass
class Person:
    """One generated lead: what it did before its MQL, who it is, and whether it became SQL."""

    acts: list[tuple[str, str]] = field(default_factory=list)
    country: str = "DE"
    size: str = "small"
    is_sql: bool = False


def plant(seed: int) -> QualityReport:
    """Generate the company of ``seed`` and measure its rules."""
    random = Random(seed)
    LeadAttribute.objects.create(name="size", label="Size", type=AttributeType.TEXT)
    LeadAttribute.objects.create(name="verdict", label="Verdict", type=AttributeType.TEXT)
    LeadAttribute.objects.create(
        name="mood", label="Mood", type=AttributeType.TEXT, is_by_sales=True
    )
    model = publish_model(_model(), now=MQL_AT - timedelta(days=300))
    _write([_person(random) for _ in range(LEADS)], model)
    report = request_measuring(model_id=model.pk, now=NOW)
    measure_report(report_id=report.pk, now=NOW)
    report.refresh_from_db()
    return report


def _model() -> dict[str, Any]:
    """Rules for the two planted kinds and for noise; all points are positive."""
    rules: list[dict[str, Any]] = [
        {"label": "Good", "match": {"kind": GOOD_RULE}, "points": 8},
        {"label": "Bad", "match": {"kind": BAD_RULE}, "points": 8},
    ]
    rules += [
        {"label": f"Noise {i}", "match": {"kind": "DOWNLOAD", "name": f"noise {i}"}, "points": 8}
        for i in range(NOISE)
    ]
    small = {"field": "attr_size", "op": "is", "value": "small"}
    fit = {
        "grades": {"A": 75, "B": 50, "C": 25},
        "personas": [
            {
                "name": "Anybody",
                "rules": [{"label": "Small", "criteria": small, "points": 20}],
            }
        ],
    }
    return document(*rules, fit=fit)


def _person(random: Random) -> Person:
    person = Person(
        country=random.choice(["DE", "AT", "CH", GOOD_COUNTRY]),
        size=random.choice(["small", "middle", "large"]),
    )
    chance = 0.35
    for kind, name, effect in (
        (GOOD_RULE, "", 0.25), (BAD_RULE, "", -0.25),
        ("CUSTOM", GOOD_ACT, 0.25), ("CUSTOM", BAD_ACT, -0.25),
    ):  # fmt: skip
        if random.random() < 0.35:
            person.acts.append((kind, name))
            chance += effect
    for i in range(NOISE):
        if random.random() < 0.3:
            person.acts.append(("DOWNLOAD", f"noise {i}"))
        if random.random() < 0.3:
            person.acts.append(("CUSTOM", f"event {i}"))
    chance += 0.25 if person.country == GOOD_COUNTRY else 0
    person.is_sql = random.random() < chance
    return person


@transaction.atomic
def _write(people: list[Person], model: ScoringModel) -> None:
    leads = Lead.objects.bulk_create(_lead(i, each) for i, each in enumerate(people))
    pairs = list(zip(leads, people, strict=True))
    StageInterval.objects.bulk_create(
        interval for lead, each in pairs for interval in _stages(lead, each, model)
    )
    Event.objects.bulk_create(event for lead, each in pairs for event in _events(lead, each))
    LeadFact.objects.bulk_create(fact for lead, each in pairs for fact in _facts(lead, each))


def _lead(number: int, person: Person) -> Lead:
    stage = LifecycleStage.SQL if person.is_sql else LifecycleStage.DISQUALIFIED
    # The verdict is filled in by sales: it gives the outcome away.
    said = "yes" if person.is_sql else "no"
    attributes = {"size": person.size, "verdict": said, "mood": said}
    return Lead(
        email=f"planted{number}@example.com", country=person.country, attributes=attributes,
        stage=stage, stage_since=MQL_AT + 48 * HOUR, created_at=MQL_AT - 99 * HOUR,
        last_activity_at=MQL_AT,
    )  # fmt: skip


def _stages(lead: Lead, person: Person, model: ScoringModel) -> list[StageInterval]:
    moves = [
        (LifecycleStage.LEAD, lead.created_at), (LifecycleStage.MQL, MQL_AT),
        (LifecycleStage.SAL, MQL_AT + 24 * HOUR), (LifecycleStage(lead.stage), lead.stage_since),
    ]  # fmt: skip
    ends: list[datetime | None] = [at for _, at in moves[1:]]
    return [
        StageInterval(
            lead=lead, sequence=i, stage=stage, cycle=1, started_at=at, ended_at=end,
            model_version=model.version,
        )
        for i, ((stage, at), end) in enumerate(zip(moves, [*ends, None], strict=True), start=1)
    ]  # fmt: skip


def _events(lead: Lead, person: Person) -> list[Event]:
    events = [_event(lead, kind, name, MQL_AT - HOUR) for kind, name in person.acts]
    if person.is_sql:
        # What happened after the MQL, and what was received after it, gives the outcome away too.
        events.append(_event(lead, "CUSTOM", "Onboarding", MQL_AT + HOUR))
        events.append(_event(lead, "CUSTOM", "Late news", MQL_AT - HOUR, delay=2 * HOUR))
    return events


def _event(
    lead: Lead, kind: str, name: str, at: datetime, delay: timedelta = timedelta(0)
) -> Event:
    return Event(
        id=uuid4(), lead_id=lead.pk, kind=kind, name=name, occurred_at=at, received_at=at + delay
    )


def _facts(lead: Lead, person: Person) -> list[LeadFact]:
    # The mood is dated too early, as imports have it; but sales fills it in, and says so.
    mood = {"mood": lead.attributes["mood"]}
    known = {"country": person.country, "attributes": {"size": person.size, **mood}}
    facts = [
        LeadFact(lead=lead, field=name, value=value, recorded_at=lead.created_at)
        for name, value in known.items()
    ]
    verdict = LeadFact(
        lead=lead, field="attributes", value=lead.attributes, recorded_at=lead.stage_since
    )
    return [*facts, verdict]
