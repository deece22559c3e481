"""A manager's home: what needs a decision, and every figure the number of rows that it opens."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from crm.accounts.enums import Role
from crm.accounts.models import User
from crm.reports.today import load_today
from handoff.enums import ClockKind, ExcuseReason, RejectionReason
from handoff.models import Handoff
from handoff.services import ask_excuse, reject_handoff
from handoff.services.holders import hand_to
from tests.factories import client_of, make_team, make_user
from tests.handoff.factories import (
    ANY_LEAD,
    clock_of,
    make_agreement,
    make_calendar,
    make_handoff,
    make_rep,
)
from tests.handoff.test_pages import ALWAYS

pytestmark = pytest.mark.django_db


@pytest.fixture
def now() -> datetime:
    return timezone.now()


@pytest.fixture
def rep(now: datetime) -> User:
    make_calendar(definition=ALWAYS)
    make_agreement(ANY_LEAD)
    return make_rep(make_team(name="DACH"), full_name="Jonas Reiter")


def opened(rep: User, at: datetime) -> Handoff:
    handoff = make_handoff(rep=rep, now=at)
    hand_to(handoff, rep, now=at)
    handoff.save(update_fields=["holder", "team"])
    return handoff


def busy_house(rep: User, now: datetime) -> None:
    """Make two late ones, one at risk, one in the pool, a refusal and an excuse asked for."""
    for minutes in (130, 140, 110, 1):
        opened(rep, now - timedelta(minutes=minutes))
    late = Handoff.objects.earliest("opened_at")
    pooled = Handoff.objects.latest("opened_at")
    Handoff.objects.filter(pk=pooled.pk).update(holder=None)
    refused = opened(rep, now - timedelta(days=1))
    reject_handoff(
        handoff_id=refused.pk,
        rep=rep,
        reason=RejectionReason.NOT_A_FIT,
        now=now - timedelta(hours=23),
    )
    missed = clock_of(late, ClockKind.ACCEPT)
    ask_excuse(
        clock_id=missed.pk,
        asker=rep,
        reason=ExcuseReason.OUTAGE,
        started_at=missed.started_at,
        ended_at=missed.due_at,
        now=now,
    )


def test_every_figure_is_the_number_of_rows_that_it_opens(rep: User, now: datetime) -> None:
    busy_house(rep, now)
    client = client_of(make_user(Role.MANAGER))

    figures = {each.label: each for each in load_today(now=now).figures}

    said = {label: each.figure for label, each in figures.items() if label != "On time today"}
    assert said == {
        "Late": "2", "At risk": "1", "Unassigned": "1", "Refused": "1", "To approve": "1",
    }  # fmt: skip
    for label in ("Late", "At risk", "Unassigned", "Refused"):
        rows = client.get(figures[label].url).content.decode().count("<tr ")
        assert str(rows) == said[label], label
    assert len(client.get(figures["To approve"].url).context["excuses"]) == 1
    assert client.get(figures["On time today"].url).status_code == 200


def test_who_holds_what_is_late_is_named_with_a_link_to_it(rep: User, now: datetime) -> None:
    busy_house(rep, now)

    [jonas] = load_today(now=now).behind

    assert (jonas.rep, jonas.late, jonas.at_risk, jonas.share) == (rep, 2, 1, 1.0)
    assert jonas.query == f"holder={rep.pk}"


def test_the_page_names_the_leads_and_offers_to_assign_them(rep: User, now: datetime) -> None:
    busy_house(rep, now)
    late = Handoff.objects.open().earliest("opened_at")

    page = client_of(make_user(Role.MANAGER)).get(reverse("reports:today")).content.decode()

    assert f"Assign {late.lead.display_name}" in page
    assert f"{reverse('handoff:reassign', args=[late.pk])}?back={reverse('reports:today')}" in page
    assert "Not our kind of customer" in page


def test_a_quiet_house_says_that_nothing_is_to_be_decided() -> None:
    page = client_of(make_user(Role.MANAGER)).get(reverse("reports:today")).content.decode()

    assert "Nothing needs you now" in page
    assert "No agreement is signed" in page
    assert "no first touch was due yet" in page


def test_the_number_of_queries_does_not_grow_with_the_rows(rep: User, now: datetime) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            load_today(now=now)
        return len(captured)

    busy_house(rep, now)
    one = queries()
    for minutes in (131, 132, 111, 112):
        opened(rep, now - timedelta(minutes=minutes))

    assert queries() == one
