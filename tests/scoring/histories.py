"""Histories to learn from: many leads in few statements, with what became of each."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from leads.enums import AttributeType
from leads.models import Lead, LeadAttribute, LeadFact, StageInterval
from tests.factories import NOW

DAY = timedelta(days=1)
#: Captured, made MQL, and judged by sales so long before ``NOW``.
CAPTURED, QUALIFIED, JUDGED = NOW - 60 * DAY, NOW - 50 * DAY, NOW - 48 * DAY


def declare(name: str, kind: str = "TEXT", **fields: Any) -> LeadAttribute:
    """Declare an attribute, labelled as its name says."""
    label = name.replace("_", " ").capitalize()
    return LeadAttribute.objects.create(
        **{"name": name, "label": label, "type": AttributeType(kind), **fields}
    )


@transaction.atomic
def make_history(
    count: int,
    reached: Callable[[int], bool],
    attributes: Callable[[int], dict[str, Any]] = lambda _: {},
    *,
    told_at: datetime = CAPTURED,
    later: timedelta = timedelta(0),
    **fields: Any,
) -> list[int]:
    """Make leads that became MQL, then SQL or disqualified, and return their ids.

    Args:
        count: how many; each is known by its number to the functions.
        reached: which of them became SQL.
        attributes: what they answered.
        told_at: when they answered it.
        later: by how much everything but the answers came later.
        fields: columns that all of them share.
    """
    captured, qualified, judged = CAPTURED + later, QUALIFIED + later, JUDGED + later
    leads = Lead.objects.bulk_create(
        Lead(
            **{"source": "google", **fields},
            attributes=attributes(number),
            stage="SQL" if reached(number) else "DISQUALIFIED",
            stage_since=judged,
            created_at=captured,
            last_activity_at=captured,
        )
        for number in range(count)
    )
    StageInterval.objects.bulk_create(
        StageInterval(
            lead=lead, sequence=at, stage=stage, cycle=1, started_at=started, ended_at=ended
        )
        for lead in leads
        for at, (stage, started, ended) in enumerate(
            [
                ("LEAD", captured, qualified),
                ("MQL", qualified, judged),
                (lead.stage, judged, None),
            ],
            start=1,
        )
    )
    LeadFact.objects.bulk_create(
        LeadFact(lead=lead, field="attributes", value=lead.attributes, recorded_at=told_at)
        for lead in leads
        if lead.attributes
    )
    return [lead.pk for lead in leads]
