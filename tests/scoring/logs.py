"""Writing acts straight into the event log, and models as small documents."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.db import OperationalError, connection

from engagement.enums import Actor
from engagement.models import Asset, Event
from leads.models import Lead, StageInterval
from leads.signals import stage_changed
from scoring.models import LeadScore, ScoringModel
from scoring.reference import Act
from scoring.services import create_draft, put_in_force, score_due_leads
from tests.factories import NOW


def log_acts(lead_id: int, acts: Iterable[Act]) -> None:
    """Append acts to the log of a lead; nothing is announced."""
    assets = dict(Asset.objects.values_list("slug", "pk"))
    Event.objects.bulk_create(
        Event(
            id=uuid4(),
            lead_id=lead_id,
            kind=act.kind,
            occurred_at=act.occurred_at,
            received_at=act.received_at,
            asset_id=assets[act.asset] if act.asset else None,
            funnel_stage=act.funnel_stage,
            name=act.name,
            properties=act.properties,
            actor=Actor.HUMAN if act.is_human else Actor.MACHINE,
        )
        for act in acts
    )


def log_act(lead_id: int, kind: str, at: datetime = NOW, **fields: Any) -> None:
    """Append one act, received when it happened unless said otherwise."""
    act = Act(kind=kind, **{"occurred_at": at, "received_at": at, **fields})
    log_acts(lead_id, [act])


def log_many(lead_id: int, count: int, *, kind: str = "DOWNLOAD") -> None:
    """Append ``count`` acts, one a second up to now."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO engagement_event (id, occurred_at, received_at, lead_id, kind)"
            " SELECT gen_random_uuid(), moment, moment, %s, %s"
            " FROM (SELECT %s - make_interval(secs => n) AS moment"
            " FROM generate_series(0, %s - 1) n) AS past",
            [lead_id, kind, NOW, count],
        )


def make_asset(slug: str, **fields: Any) -> Asset:
    """Make an asset at the bottom of the funnel."""
    return Asset.objects.create(**{"name": slug, "slug": slug, "funnel_stage": "BOFU", **fields})


#: A model in which fit is never evaluated.
WITHOUT_FIT: dict[str, Any] = {
    "fit": {"grades": {"A": 75, "B": 50, "C": 25}},
    "mql": {"fast_track": [{"kind": "DEMO_REQUEST"}]},
}


def document(*rules: dict[str, Any], **parts: Any) -> dict[str, Any]:
    """Return a model with one group of ``rules``, by default one for downloads."""
    return {
        "fit": {
            "grades": {"A": 75, "B": 50, "C": 25},
            "personas": [
                {
                    "name": "Maintenance lead",
                    "rules": [
                        {
                            "label": "Germany",
                            "criteria": {"field": "country", "op": "in", "value": ["DE"]},
                            "points": 20,
                        }
                    ],
                }
            ],
        },
        "engagement": {
            "levels": {"1": 75, "2": 50, "3": 25},
            "groups": [
                {
                    "name": "Acts",
                    "cap": 100,
                    "rules": list(rules)
                    or [
                        {
                            "label": "Download",
                            "match": {"kind": "DOWNLOAD"},
                            "points": 10,
                            "half_life_days": 10,
                        }
                    ],
                }
            ],
        },
        "mql": {"cells": ["A1", "A2", "B1", "B2"], "fast_track": [{"kind": "DEMO_REQUEST"}]},
        **parts,
    }


def publish_model(
    definition: dict[str, Any] | None = None, *, now: datetime = NOW - timedelta(days=90)
) -> ScoringModel:
    """Put a model in force, by default the small one and long before the acts of a test."""
    model = force_model(definition, now=now)
    ScoringModel.objects.filter(pk=model.pk).update(rescored_up_to=None)
    return model


def force_model(definition: dict[str, Any] | None = None, *, now: datetime) -> ScoringModel:
    """Put a model in force without its gates; the renewal of all scores is owed."""
    model = create_draft(definition=definition or document(), now=now)
    put_in_force(model, now=now)
    return model


def settle(now: datetime = NOW) -> int:
    """Run the sweep until nothing is due."""
    rounds = 0
    while score_due_leads(now=now):
        rounds += 1
        assert rounds < 20, "the sweep never ends"
    return rounds


def score_of(lead: Lead) -> LeadScore:
    """Return the stored score of a lead."""
    return LeadScore.objects.get(pk=lead.pk)


@contextmanager
def failing_for(lead: Lead) -> Iterator[None]:
    """Let no move of a lead succeed."""

    def refuse(*, change: StageInterval, **_: object) -> None:
        if change.lead_id == lead.pk:
            raise OperationalError("deadlock detected")

    stage_changed.connect(refuse)
    try:
        yield
    finally:
        stage_changed.disconnect(refuse)
