"""What was known of leads at given moments: what a prediction may look at, and never more.

Attributes come from the fact log: a value that was recorded later was not known then; one that was
never logged stands as it is. Acts count that had happened, that Baton had received, and that were
known to be the lead's and a person's. Companies keep no log, so they tell nothing here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from psycopg.sql import SQL, Composable, Identifier

from engagement.enums import Actor, EventKind, FunnelStage
from leads.enums import AttributeType
from leads.importing.mapping import ATTRIBUTE_PREFIX
from leads.models import LeadAttribute
from leads.normalise import email_domain, is_free_mailbox
from leads.services.facts import FACT_FIELDS
from scoring.cases import Case
from scoring.past import past_events
from scoring.predictive.levels import Column, ColumnKind, Origin, Value
from scoring.sql import commas, rows

_RECENTLY = timedelta(days=7)

_TEXTS = {
    "source": "Source",
    "medium": "Medium",
    "campaign": "Campaign",
    "country": "Country",
    "region": "Region",
    "city": "City",
    "title": "Title",
    "company_name": "Company",
}
_PRESENCES = {
    "phone": "Phone number known",
    "website": "Website known",
    "email": "E-mail address known",
}
_BUSINESS_ADDRESS = Column("business_address", "Address at a company", ColumnKind.BOOLEAN)
_KINDS = {
    AttributeType.TEXT: ColumnKind.TEXT,
    AttributeType.CHOICE: ColumnKind.TEXT,
    AttributeType.NUMBER: ColumnKind.NUMBER,
    AttributeType.BOOLEAN: ColumnKind.BOOLEAN,
    AttributeType.DATE: ColumnKind.NUMBER,
}

_ASKED = SQL(
    "unnest({leads}::bigint[], {moments}::timestamptz[], {known}::timestamptz[])"
    " AS ask (lead_id, at, known_at)"
)
_FACTS = SQL(
    "SELECT ask.lead_id, lead.created_at, jsonb_build_object({present}) AS present,"
    " (SELECT coalesce(jsonb_object_agg(field, value), '{{}}') FROM ("
    "SELECT DISTINCT ON (fact.field) fact.field,"
    " CASE WHEN fact.recorded_at <= ask.at THEN fact.value END AS value"
    " FROM leads_leadfact fact WHERE fact.lead_id = ask.lead_id"
    " ORDER BY fact.field, (fact.recorded_at <= ask.at) DESC, fact.recorded_at DESC, fact.id DESC"
    ") AS latest) AS log"
    " FROM {asked} JOIN leads_lead lead ON lead.id = ask.lead_id"
)
_ACTS = SQL(
    "SELECT ask.lead_id, e.kind, e.funnel_stage, count(*), max(e.occurred_at),"
    " count(*) FILTER (WHERE e.occurred_at > ask.at - {recently}::interval)"
    " FROM {asked} CROSS JOIN LATERAL ({events}) AS e"
    " WHERE e.occurred_at <= ask.at AND e.actor = {human} GROUP BY 1, 2, 3"
)
#: The log of each lead as it was known at the moment of its case.
_, _EVENTS = past_events(SQL("ARRAY[ask.lead_id]"), known_at=SQL("ask.known_at"))


@dataclass(frozen=True, slots=True)
class Known:
    """What was known of one lead by column: at the moment asked for, and what is entered today."""

    then: Mapping[str, Value]
    today: Mapping[str, Value]


def columns() -> list[Column]:
    """Return everything that may be known of a lead here."""
    return [
        *(Column(name, label, ColumnKind.TEXT) for name, label in _TEXTS.items()),
        *(Column(name, label, ColumnKind.BOOLEAN) for name, label in _PRESENCES.items()),
        _BUSINESS_ADDRESS,
        *(_attribute_column(each) for each in LeadAttribute.objects.order_by("label", "id")),
        *_counted_columns(),
    ]


def _attribute_column(attribute: LeadAttribute) -> Column:
    kind = AttributeType(attribute.type)
    is_date = kind is AttributeType.DATE
    label = f"{attribute.label}, days from then" if is_date else attribute.label
    return Column(
        f"{ATTRIBUTE_PREFIX}{attribute.name}",
        label,
        _KINDS[kind],
        is_by_sales=attribute.is_by_sales,
    )


def _counted_columns() -> list[Column]:
    counts = {
        "days_known": "Days since captured",
        "days_quiet": "Days since the last act",
        "acts_recent": "Acts in the last 7 days",
        **{f"stage_{stage.value}": f"Acts on {stage.value} content" for stage in FunnelStage},
        **{f"kind_{kind.value}": f"{kind.label}, times" for kind in EventKind},
    }
    return [
        Column(name, label, ColumnKind.NUMBER, Origin.COUNTED) for name, label in counts.items()
    ]


def read_known(cases: Sequence[Case]) -> dict[int, Known]:
    """Return what was known of each lead at the moment of its case; a lead has one case."""
    asked = _ASKED.format(
        leads=[case.lead_id for case in cases],
        moments=[case.at for case in cases],
        known=[case.known_at for case in cases],
    )
    moments = {case.lead_id: case.at for case in cases}
    dates = set(
        LeadAttribute.objects.filter(type=AttributeType.DATE).values_list("name", flat=True)
    )
    acts = _acts(asked, moments)
    found = {}
    for lead_id, captured_at, *facts in rows(_FACTS.format(present=_present(), asked=asked)):
        at = moments[lead_id]
        present, log = map(json.loads, facts)
        counted = {"days_known": (at - captured_at).days, **acts.get(lead_id, _NO_ACTS)}
        found[lead_id] = Known(
            then={**_entered({**present, **log}, at, dates), **counted},
            today=_entered(present, at, dates),
        )
    return found


def _present() -> Composable:
    pairs = (SQL("{}, {}").format(name, Identifier("lead", name)) for name in FACT_FIELDS)
    return commas(pairs)


def _entered(facts: Mapping[str, Any], at: datetime, dates: Iterable[str]) -> dict[str, Value]:
    """Return the columns that people fill in, of facts by field."""
    known: dict[str, Value] = {name: facts[name] or None for name in _TEXTS}
    known |= {name: bool(facts[name]) for name in _PRESENCES}
    if facts["email"]:
        known[_BUSINESS_ADDRESS.name] = not is_free_mailbox(email_domain(facts["email"]))
    attributes = dict(facts["attributes"] or {})
    for name in attributes.keys() & dates:
        attributes[name] = (date.fromisoformat(attributes[name]) - at.date()).days
    return known | {f"{ATTRIBUTE_PREFIX}{name}": value for name, value in attributes.items()}


_NO_ACTS: dict[str, Value] = {
    "acts_recent": 0,
    **{f"stage_{stage.value}": 0 for stage in FunnelStage},
    **{f"kind_{kind.value}": 0 for kind in EventKind},
}


def _acts(asked: Composable, moments: Mapping[int, datetime]) -> dict[int, dict[str, Value]]:
    """Return the columns that are counted from the log, of leads that did anything."""
    query = _ACTS.format(asked=asked, events=_EVENTS, human=Actor.HUMAN.value, recently=_RECENTLY)
    counts: dict[int, dict[str, Any]] = {}
    for lead_id, kind, stage, number, last, recent in rows(query):
        told = counts.setdefault(lead_id, {**_NO_ACTS, "days_quiet": None})
        told[f"kind_{kind}"] += number
        told["acts_recent"] += recent
        if stage:
            told[f"stage_{stage}"] += number
        days = (moments[lead_id] - last).days
        told["days_quiet"] = days if told["days_quiet"] is None else min(days, told["days_quiet"])
    return counts
