"""BANT: saved in parts, submitted as one act with verdict and next step."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, transaction

from handoff.enums import ClockKind, HandoffState, Verdict
from handoff.models import BantAssessment, Handoff
from handoff.services import (
    BantIncomplete,
    HandoffClosed,
    accept_handoff,
    save_bant,
    submit_bant,
)
from leads.enums import LifecycleStage
from leads.models import Lead
from tests.concurrency import side_by_side
from tests.factories import NOW
from tests.handoff.factories import clock_of, holder_of, make_calendar, make_handoff

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(hours=3)
FOUR_YES: dict[str, Any] = dict.fromkeys(("budget", "authority", "need", "timeline"), "YES")
SQL: dict[str, Any] = {
    **FOUR_YES,
    "verdict": "SQL",
    "next_step": "Demo",
    "next_step_at": NOW + timedelta(days=7),
}
RECYCLE: dict[str, Any] = {
    "need": "YES",
    "timeline": "NO",
    "verdict": "RECYCLE",
    "recycle_reason": "NO_TIMELINE",
    "wake_date": date(2026, 9, 1),
}
DISQUALIFY: dict[str, Any] = {"need": "NO", "verdict": "DISQUALIFY", "disqualify_reason": "NO_NEED"}


def _accepted() -> Handoff:
    make_calendar()
    handoff = make_handoff()
    return accept_handoff(handoff_id=handoff.pk, rep=holder_of(handoff), now=NOW)


def _submit(handoff: Handoff, fields: dict[str, Any], *, now: datetime = LATER) -> BantAssessment:
    return submit_bant(handoff_id=handoff.pk, rep=holder_of(handoff), fields=fields, now=now)


@pytest.mark.parametrize(
    "dates",
    [
        {"next_step_at": datetime.min.replace(tzinfo=UTC)},
        {"next_step_at": datetime.max.replace(tzinfo=ZoneInfo("America/New_York"))},
        {"wake_date": date.min},
        {"wake_date": date.max},
    ],
)
def test_not_even_a_draft_holds_a_date_outside_of_the_known_years(dates: dict[str, Any]) -> None:
    handoff = _accepted()

    with pytest.raises(BantIncomplete, match="between 1900 and 2200") as refused:
        save_bant(handoff_id=handoff.pk, rep=holder_of(handoff), fields=dates, now=NOW)

    assert set(refused.value.problems) == set(dates)
    bant = BantAssessment.objects.get()
    assert (bant.next_step_at, bant.wake_date) == (None, None)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({**SQL, "next_step_at": LATER + timedelta(days=800)}, "next_step_at"),
        ({**RECYCLE, "wake_date": date(2029, 9, 1)}, "wake_date"),
    ],
)
def test_a_verdict_plans_at_most_two_years_ahead(fields: dict[str, Any], field: str) -> None:
    handoff = _accepted()

    with pytest.raises(BantIncomplete) as refused:
        _submit(handoff, fields)

    assert set(refused.value.problems) == {field}


def test_a_draft_keeps_what_is_there_and_proposes() -> None:
    handoff = _accepted()
    rep = holder_of(handoff)

    save_bant(handoff_id=handoff.pk, rep=rep, fields={"budget": "YES"}, now=NOW)
    bant = save_bant(
        handoff_id=handoff.pk, rep=rep, fields={"need": "NO", "need_note": "Outsourced"}, now=LATER
    )

    assert [bant.values[name] for name in ("budget", "need", "need_note")] == [
        "YES",
        "NO",
        "Outsourced",
    ]
    assert (bant.proposed_verdict, bant.saved_at, bant.saved_by) == ("DISQUALIFY", LATER, rep)
    handoff.refresh_from_db()
    assert handoff.is_open


def test_sql_moves_the_lead_with_its_next_step_and_closes_the_handoff() -> None:
    handoff = _accepted()
    rep = holder_of(handoff)

    bant = _submit(handoff, SQL)

    handoff.refresh_from_db()
    lead = Lead.objects.get(pk=handoff.lead_id)
    assert (bant.verdict, bant.submitted_at) == (Verdict.SQL, LATER)
    assert (handoff.state, handoff.closed_at) == (HandoffState.QUALIFIED, LATER)
    assert (lead.stage, lead.next_step, lead.next_step_at) == (
        LifecycleStage.SQL,
        "Demo",
        NOW + timedelta(days=7),
    )
    assert lead.owner == rep
    assert clock_of(handoff, ClockKind.VERDICT).stopped_at == LATER
    assert clock_of(handoff, ClockKind.FIRST_TOUCH).withdrawn_at == LATER


def test_recycle_wakes_at_the_start_of_that_day_where_the_team_is() -> None:
    handoff = _accepted()

    _submit(handoff, RECYCLE)

    lead = Lead.objects.get(pk=handoff.lead_id)
    assert (lead.stage, lead.owner) == (LifecycleStage.RECYCLED, None)
    assert lead.wake_at == datetime(2026, 8, 31, 22, 0, tzinfo=UTC)
    assert lead.stage_intervals.current().get().reason == "No date in sight"


def test_disqualify_ends_the_lead_with_its_reason() -> None:
    handoff = _accepted()

    _submit(handoff, DISQUALIFY)

    handoff.refresh_from_db()
    interval = Lead.objects.get(pk=handoff.lead_id).stage_intervals.current().get()
    assert handoff.state == HandoffState.DISQUALIFIED
    assert (interval.stage, interval.reason) == (LifecycleStage.DISQUALIFIED, "No need")


def test_a_verdict_on_an_offered_handoff_accepts_it_on_the_way() -> None:
    make_calendar()
    handoff = make_handoff()

    _submit(handoff, SQL)

    stages = Lead.objects.get(pk=handoff.lead_id).stage_intervals.order_by("sequence")
    assert list(stages.values_list("stage", flat=True)) == ["LEAD", "MQL", "SAL", "SQL"]


def test_an_incomplete_verdict_writes_nothing_at_all() -> None:
    handoff = _accepted()

    with pytest.raises(BantIncomplete) as refused:
        _submit(handoff, {**FOUR_YES, "verdict": "SQL"})

    assert set(refused.value.problems) == {"next_step", "next_step_at"}
    handoff.refresh_from_db()
    assert handoff.is_open
    assert handoff.bant.values["budget"] == "NOT_ASKED"


def test_another_verdict_than_proposed_needs_a_reason_that_stays_in_the_history() -> None:
    handoff = _accepted()
    sql_of_three = {**SQL, "budget": "UNKNOWN"}

    with pytest.raises(BantIncomplete):
        _submit(handoff, sql_of_three)
    _submit(handoff, {**sql_of_three, "override_reason": "Framework contract is in place"})

    interval = Lead.objects.get(pk=handoff.lead_id).stage_intervals.current().get()
    assert interval.reason == "Framework contract is in place"


def test_a_late_verdict_is_a_breach_even_if_no_sweep_ran() -> None:
    handoff = _accepted()
    due_at = clock_of(handoff, ClockKind.VERDICT).due_at

    _submit(handoff, DISQUALIFY, now=due_at + timedelta(minutes=1))

    assert clock_of(handoff, ClockKind.VERDICT).breached_at == due_at
    assert clock_of(handoff, ClockKind.FIRST_TOUCH).breached_at is not None  # never logged


def test_what_was_filled_in_for_another_verdict_is_not_kept() -> None:
    handoff = _accepted()

    bant = _submit(handoff, {**RECYCLE, **SQL})

    assert (bant.recycle_reason, bant.wake_date) == ("", None)


def test_a_submitted_form_is_final() -> None:
    handoff = _accepted()
    rep = holder_of(handoff)
    _submit(handoff, DISQUALIFY)

    with pytest.raises(HandoffClosed):
        save_bant(handoff_id=handoff.pk, rep=rep, fields={"need": "YES"}, now=LATER)


@pytest.mark.django_db(transaction=True)
def test_two_submits_at_once_are_one_verdict() -> None:
    handoff = _accepted()

    outcomes = side_by_side(lambda: _submit(handoff, SQL), lambda: _submit(handoff, DISQUALIFY))

    assert sorted(type(each).__name__ for each in outcomes) == ["BantAssessment", "HandoffClosed"]
    assert Lead.objects.get(pk=handoff.lead_id).stage_intervals.count() == 4


@pytest.mark.parametrize(
    ("fields", "constraint"),
    [
        ({"verdict": ""}, "bant_submitted_has_verdict"),
        ({"verdict": "SQL"}, "bant_sql_has_next_step"),
        ({"verdict": "RECYCLE"}, "bant_recycle_has_reason_and_wake_up"),
        ({"verdict": "DISQUALIFY"}, "bant_disqualify_has_reason"),
        (
            {"verdict": "DISQUALIFY", "disqualify_reason": "NO_NEED", "saved_by": None},
            "bant_submitted_by_a_person",
        ),
    ],
)
def test_the_database_refuses_half_a_verdict(fields: dict[str, Any], constraint: str) -> None:
    handoff = _accepted()
    assessment = BantAssessment.objects.filter(handoff=handoff)
    values = {"saved_by": holder_of(handoff), "submitted_at": NOW, **fields}

    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        assessment.update(**values)


def test_a_recycled_lead_may_wake_by_what_it_does() -> None:
    handoff = _accepted()

    _submit(handoff, {**RECYCLE, "wake_on": "ACT"})

    lead = Lead.objects.get(pk=handoff.lead_id)
    assert (lead.wakes_on_act, lead.wake_at is not None) == (True, True)
