"""A rep's own numbers: the arithmetic of the reports, and exactly the rows behind each."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse

from crm.accounts.enums import Role
from crm.accounts.models import User
from crm.reports.own import own_numbers
from crm.reports.promises import Promise
from crm.reports.questions import own_question, sla_question
from crm.reports.sla_output import figures
from handoff.enums import ClockKind
from handoff.models import Agreement, Clock, Handoff
from handoff.services import reassign_handoff
from tests.factories import NOW, client_of, make_team, make_user
from tests.handoff.factories import ANY_LEAD, make_agreement, make_calendar, make_handoff, make_rep
from tests.reports.test_sla import touch

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
LATER = NOW + timedelta(days=2)
PERIOD = {"from": NOW.date().isoformat(), "to": LATER.date().isoformat()}


@pytest.fixture
def agreement() -> Agreement:
    make_calendar()
    return make_agreement(ANY_LEAD)


@pytest.fixture
def rep(agreement: Agreement) -> User:
    return make_rep(make_team(name="DACH"), full_name="Jonas Reiter")


@pytest.fixture
def worked(rep: User) -> list[Handoff]:
    """Three handoffs of the rep, one in time and one late, and one of a colleague."""
    theirs = [make_handoff(rep=rep) for _ in range(3)]
    touch(theirs[0], after=HOUR)
    touch(theirs[1], after=5 * HOUR)
    colleague = make_rep(rep.sales_team or make_team())
    touch(make_handoff(rep=colleague), after=HOUR)
    return theirs


def said(promise: Promise) -> str:
    return f"{promise.figure} {promise.sample}".strip()


def test_the_numbers_are_those_of_the_managers_page(
    rep: User, agreement: Agreement, worked: list[Handoff]
) -> None:
    by_rep = figures(sla_question({**PERIOD, "by": "rep"}, now=LATER), now=LATER).rows
    [managers] = [row for row in by_rep if row.key == str(rep.pk)]

    question = own_question(PERIOD, rep, now=LATER)
    numbers = own_numbers(question, rep, agreement=agreement, goal=90, now=LATER)

    own = {line.own.label: said(line.own) for line in numbers.lines}
    team = {line.own.label: said(line.team) for line in numbers.lines if line.team}
    assert (managers.received, managers.on_time, managers.due) == (3, 1, 3)
    assert (own["Received"], own["First touch in time"]) == ("3", "1 of 3")
    assert (team["Received"], team["First touch in time"]) == ("4", "2 of 4")
    asked = {line.own.label: line.own.asked for line in numbers.lines}
    assert (asked["First touch in time"], asked["SQLs won"]) == ("at least 90 %", "")


def test_each_number_opens_its_rows_and_nobody_elses(rep: User, worked: list[Handoff]) -> None:
    other = Handoff.objects.exclude(holder=rep).get()
    asked = {**PERIOD, "kind": ClockKind.FIRST_TOUCH, "rep": str(other.holder_id)}

    page = client_of(rep).get(reverse("reports:own_handoffs"), asked)

    listed = {line.clock.handoff_id for line in page.context["lines"]}
    assert listed == {handoff.pk for handoff in worked}
    asked["standing"] = "on_time"
    on_time = client_of(rep).get(reverse("reports:own_handoffs"), asked).context["lines"]
    assert [line.clock.handoff for line in on_time] == [worked[0]]


def test_what_others_hold_now_is_counted_but_not_named(rep: User, worked: list[Handoff]) -> None:
    late = worked[1]
    reassign_handoff(
        handoff_id=late.pk, to=make_rep(make_team()), actor=make_user(Role.MANAGER),
        reason="", now=LATER,
    )  # fmt: skip
    assert Clock.objects.get(handoff=late, kind=ClockKind.FIRST_TOUCH).answerable == rep

    page = client_of(rep).get(reverse("reports:own_handoffs"), PERIOD)

    assert len(page.context["lines"]) == 3
    assert late.lead.display_name not in page.content.decode()
    assert "With others now" in page.content.decode()


def test_the_page_of_a_rep_without_a_team_or_an_agreement_says_so() -> None:
    rep = make_user(Role.REP)

    page = client_of(rep).get(reverse("reports:own"))

    assert page.status_code == 200
    assert "No agreement is signed" in page.content.decode()
    assert all(line.team is None for line in page.context["numbers"].lines)


def test_what_no_report_knows_is_refused(rep: User) -> None:
    page = client_of(rep).get(reverse("reports:own_handoffs"), {"kind": "COFFEE"})

    assert page.status_code == 400
