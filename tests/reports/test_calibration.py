"""Which answers predicted won deals: counted by hand, and each figure the forms that it opens."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from crm.accounts.enums import Role
from crm.accounts.models import User
from crm.reports.calibration import calibrate, recorded_forms
from handoff.enums import BantAnswer
from handoff.models import Handoff
from handoff.services import submit_bant
from leads.enums import DealOutcome
from leads.services import record_deal
from tests.factories import client_of, make_team, make_user
from tests.handoff.factories import make_agreement, make_calendar, make_handoff, make_rep

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
NOW = timezone.now()


@pytest.fixture
def rep() -> User:
    make_calendar()
    make_agreement(now=NOW - 400 * DAY)
    return make_rep(make_team())


def _recorded(rep: User, *, days_ago: int = 20, won: bool | None = None, **said: str) -> Handoff:
    """Record a form with yes to all but what is ``said``; ``won`` closes its deal."""
    at = NOW - days_ago * DAY
    handoff = make_handoff(rep=rep, now=at)
    answers = {"budget": "YES", "authority": "YES", "need": "YES", "timeline": "YES", **said}
    decided = {"verdict": "SQL", "next_step": "Demo", "next_step_at": at + DAY}
    fields = {**answers, **decided, "override_reason": "The call said more"}
    submit_bant(handoff_id=handoff.pk, rep=rep, fields=fields, now=at)
    if won is not None:
        record_deal(
            lead_id=handoff.lead_id,
            outcome=DealOutcome.WON if won else DealOutcome.LOST,
            closed_at=at + 2 * DAY,
            value=Decimal(1000),
            currency="EUR",
            now=NOW,
        )
    return handoff


def _figures(question: str, answer: str) -> tuple[int, ...]:
    for table in calibrate(since=NOW - 365 * DAY, now=NOW):
        for line in table.lines:
            each = line.figures
            if (each.question, each.answer) == (question, answer):
                return each.recorded, each.sql, each.won, each.lost
    return ()


def test_answers_are_held_against_the_deal_of_their_cycle(rep: User) -> None:
    _recorded(rep, won=True)
    _recorded(rep, won=False, budget="NO")
    _recorded(rep, budget="NO")
    _recorded(rep, days_ago=380, won=True)
    flagged = _recorded(rep)
    record_deal(
        lead_id=flagged.lead_id, outcome=DealOutcome.WON, closed_at=NOW + DAY, now=NOW
    )  # contradicts the history: counts nowhere

    assert _figures("budget", "YES") == (2, 2, 1, 0)
    assert _figures("budget", "NO") == (2, 2, 0, 1)
    assert _figures("need", "YES") == (4, 4, 1, 1)
    assert _figures("need", "NO") == ()


def test_a_share_has_its_interval_and_needs_ten_closed_deals(rep: User) -> None:
    for won in (True,) * 9 + (False,):
        _recorded(rep, won=won)
    for _ in range(9):
        _recorded(rep, won=False, budget="NO")

    [budget] = [
        each for each in calibrate(since=NOW - 365 * DAY, now=NOW) if each.label == "Budget"
    ]
    found = {line.figures.answer: line for line in budget.lines}

    rate = found[BantAnswer.YES].figures.rate
    assert (budget.won, budget.closed) == (9, 19)
    assert rate is not None
    # Wilson for 9 of 10, by hand: (0.9 + 0.1921 -+ 0.2409) / 1.3842
    assert [round(each, 2) for each in (rate.value, rate.low, rate.high)] == [0.9, 0.6, 0.98]
    assert found[BantAnswer.YES].finding == "won more often"
    assert found[BantAnswer.NO].figures.rate is None
    assert found[BantAnswer.NO].finding == "too few"


def test_each_figure_opens_exactly_what_it_counts(rep: User) -> None:
    _recorded(rep, won=True)
    _recorded(rep, won=False)
    _recorded(rep, timeline="UNKNOWN")

    for table in calibrate(since=NOW - 365 * DAY, now=NOW):
        for line in table.lines:
            each = line.figures
            opened = {
                outcome: recorded_forms(
                    framework=each.framework, question=each.question, answer=each.answer,
                    outcome=outcome, since=NOW - 365 * DAY, now=NOW,
                ).count()
                for outcome in ("", "SQL", "WON", "LOST")
            }  # fmt: skip
            assert list(opened.values()) == [each.recorded, each.sql, each.won, each.lost]


def test_the_page_shows_counts_and_leads_to_the_forms(rep: User) -> None:
    handoff = _recorded(rep, won=True)
    web = client_of(make_user(Role.MANAGER))

    page = web.get(reverse("reports:calibration")).content.decode()
    asked = {"framework": "BANT", "question": "budget", "answer": "YES", "outcome": "WON"}
    forms = web.get(reverse("reports:calibration_forms"), asked).content.decode()

    assert "BANT, 1 of 1 closed deals won" in page
    assert "outcome=WON" in page
    assert handoff.lead.display_name in forms
    assert "1,000 EUR" in forms


def test_an_unknown_answer_or_span_breaks_nothing(rep: User) -> None:
    web = client_of(make_user(Role.MANAGER))
    forms = reverse("reports:calibration_forms")

    assert web.get(forms, {"answer": "PERHAPS"}).status_code == 404
    assert web.get(forms, {"answer": "YES", "question": "\x00"}).status_code == 404
    assert web.get(forms, {"answer": "YES", "cursor": "x", "outcome": "x"}).status_code == 200
    assert (
        "No form was recorded"
        in web.get(reverse("reports:calibration"), {"days": "x"}).content.decode()
    )
