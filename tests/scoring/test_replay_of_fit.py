"""What leads fitted at times of the past, as a replay takes it, against explaining each instant."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from leads.models import Company, Consent, Deal, Lead, LeadFact
from scoring.definition import Definition, parse_definition
from scoring.replay import Span, replay
from scoring.services.explaining import explain_by
from tests.factories import NOW, make_lead
from tests.scoring.logs import document, log_act

pytestmark = pytest.mark.django_db

START = NOW - timedelta(days=60)
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
DOWNLOAD = {"label": "Download", "match": {"kind": "DOWNLOAD"}, "points": 60}
BARS = {
    "abroad": {"field": "country", "op": "not_in", "value": ["DE"]},
    "withdrawn": {"field": "consent_contact", "op": "in", "value": ["WITHDRAWN"]},
    "not asked": {"field": "consent_contact", "op": "is_empty"},
    "customer": {"field": "customer", "op": "is", "value": True},
    "no customer": {"field": "customer", "op": "is", "value": False},
    "newsletter": {"field": "consent_marketing", "op": "in", "value": ["GIVEN"]},
}


def model(*bars: str, **mql: Any) -> Definition:
    blocking = [{"label": bar, "criteria": BARS[bar]} for bar in bars]
    return parse_definition(
        document(DOWNLOAD, mql={"cells": ["B2", "C2"], "blocking": blocking, **mql})
    )


def lead_of_a_company() -> Lead:
    """Make a German lead whose download makes it an MQL, with a colleague."""
    company = Company.objects.create(name=f"Firm {uuid4()}", created_at=START)
    make_lead(created_at=START, company=company)
    lead = make_lead(created_at=START, company=company, country="DE")
    told(lead, START, "country", "DE")
    return lead


def told(lead: Lead, at: datetime, field: str, value: str) -> None:
    Lead.objects.filter(pk=lead.pk).update(**{field: value})
    LeadFact.objects.create(lead=lead, field=field, value=value, recorded_at=at)


def consent(lead: Lead, at: datetime, *, is_granted: bool) -> None:
    Consent.objects.create(
        lead=lead, purpose="CONTACT", is_granted=is_granted, text="Call me", asked_at=at,
        given_at=at,
    )  # fmt: skip


def deal(lead: Lead, at: datetime, outcome: str = "WON") -> None:
    Deal.objects.create(lead=lead, cycle=1, outcome=outcome, closed_at=at, created_at=at)


def colleague_of(lead: Lead) -> Lead:
    return Lead.objects.exclude(pk=lead.pk).get(company=lead.company_id)


CHANGES: dict[str, Callable[[Lead, datetime], None]] = {
    "moves to Germany": lambda lead, at: told(lead, at, "country", "DE"),
    "moves abroad": lambda lead, at: told(lead, at, "country", "US"),
    "names a city": lambda lead, at: told(lead, at, "city", "Essen"),
    "agrees": lambda lead, at: consent(lead, at, is_granted=True),
    "withdraws": lambda lead, at: consent(lead, at, is_granted=False),
    "buys": deal,
    "does not buy": lambda lead, at: deal(lead, at, "LOST"),
    "colleague buys": lambda lead, at: deal(colleague_of(lead), at),
    "downloads": lambda lead, at: log_act(lead.pk, "DOWNLOAD", at),
}


@given(
    bars=st.lists(st.sampled_from(sorted(BARS)), max_size=2, unique=True),
    happened=st.dictionaries(
        st.integers(1, 72 * 60), st.sampled_from(["downloads", *CHANGES]), max_size=7
    ),
)
@example(["no customer"], {1: "downloads", 2: "colleague buys", 3: "downloads"})
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_the_replay_fits_a_lead_as_an_explanation_of_each_instant_does(
    bars: list[str], happened: dict[int, str]
) -> None:
    lead, definition = lead_of_a_company(), model(*bars)
    for minute, change in sorted(happened.items()):
        CHANGES[change](lead, START + minute * MINUTE)

    instants = (START + minute * MINUTE for minute in sorted(happened))
    assert mql_at(definition, lead) == next(
        (at for at in instants if meets(definition, lead, at)), None
    )


def mql_at(definition: Definition, lead: Lead) -> datetime | None:
    span = Span(lead.pk, lead.pk, START, NOW)
    [(_, [verdict])] = replay([definition], span, now=NOW)
    return verdict.mql_at


def meets(definition: Definition, lead: Lead, at: datetime) -> bool:
    return explain_by(definition, 1, lead_id=lead.pk, as_of=at, known_at=at).meets_definition


def test_a_colleague_who_buys_counts_from_that_instant() -> None:
    lead = lead_of_a_company()
    log_act(lead.pk, "DOWNLOAD", START + HOUR)
    deal(colleague_of(lead), START + 30 * HOUR)

    assert mql_at(model("no customer"), lead) == START + 30 * HOUR
    assert mql_at(model("customer"), lead) == START + HOUR


def test_a_colleague_who_bought_is_seen_from_every_later_instant() -> None:
    """What stands before the leads of the past must not hide who else is of the company."""
    lead, definition = lead_of_a_company(), model("customer", "withdrawn")
    deal(colleague_of(lead), START + 30 * MINUTE)
    log_act(lead.pk, "DOWNLOAD", START + HOUR)
    consent(lead, START + 2 * HOUR, is_granted=True)  # later, so that all before is the past

    then = {"as_of": START + HOUR, "known_at": START + HOUR}
    assert explain_by(definition, 1, lead_id=lead.pk, **then).blocked_by == "customer"
    assert mql_at(definition, lead) is None


def test_two_statements_ask_for_all_changes_of_a_lead_its_last_state_first() -> None:
    lead = lead_of_a_company()
    log_act(lead.pk, "DOWNLOAD", START + HOUR)
    for day in range(20):
        consent(lead, START + day * DAY + MINUTE, is_granted=day % 2 == 1)

    assert questions_of_the_past(model("withdrawn"), lead) == 2


def test_what_the_model_does_not_ask_for_asks_nothing_anew() -> None:
    lead = lead_of_a_company()
    log_act(lead.pk, "DOWNLOAD", START + HOUR)
    for day in range(1, 9):
        told(lead, START + day * DAY, "city", f"City {day}")
        consent(lead, START + day * DAY, is_granted=False)

    assert questions_of_the_past(model("abroad"), lead) == 0


def questions_of_the_past(definition: Definition, lead: Lead) -> int:
    with CaptureQueriesContext(connection) as asked:
        mql_at(definition, lead)
    return sum("moment.as_of" in query["sql"] for query in asked)
