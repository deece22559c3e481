"""Becoming an MQL opens a handoff in the same transaction, whatever is missing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from crm.accounts.enums import Role
from crm.common.models import Notification
from engagement.enums import EventKind
from engagement.services import record_event
from handoff.brief import digest
from handoff.enums import Alarm, ClockKind, HandoffState
from handoff.models import Handoff
from handoff.services import TierTerms, draft_agreement
from leads.enums import LifecycleStage
from leads.models import Lead, LeadAttribute
from leads.services import change_stage
from leads.signals import stage_changed
from tests.factories import NOW, make_lead, make_team, make_user
from tests.handoff.factories import (
    ANY_LEAD,
    BUYING_ACT,
    become_mql,
    clock_of,
    make_agreement,
    make_calendar,
    make_handoff,
    make_rep,
    make_scoring_model,
)
from tests.handoff.telling import sales_entries
from tests.scoring.logs import document, publish_model

pytestmark = pytest.mark.django_db


def test_an_mql_is_handed_to_a_rep_with_three_clocks_running() -> None:
    team = make_team(name="DACH")
    make_calendar(team)
    rep = make_rep(team, full_name="Tomas Orlind")
    agreement = make_agreement()

    handoff = make_handoff(rep=rep)

    assert (handoff.state, handoff.holder, handoff.team) == (HandoffState.OFFERED, rep, team)
    assert handoff.agreement == agreement
    assert handoff.tier is not None
    assert handoff.tier.name == "Everything else"
    due = dict(handoff.clocks.values_list("kind", "due_at"))
    assert due == {  # Tuesday 11:00 in Berlin, open till 18:00
        ClockKind.ACCEPT: NOW + timedelta(hours=2),
        ClockKind.FIRST_TOUCH: NOW + timedelta(hours=4),
        ClockKind.VERDICT: datetime(2026, 5, 14, 9, 0, tzinfo=UTC),
    }


def test_warnings_are_in_working_time_too() -> None:
    make_calendar()
    make_agreement()

    handoff = make_handoff(now=datetime(2026, 5, 15, 15, 30, tzinfo=UTC))  # Friday 17:30

    accept = clock_of(handoff, ClockKind.ACCEPT)
    assert accept.first_warning_at == datetime(2026, 5, 18, 7, 30, tzinfo=UTC)  # Monday 9:30
    assert accept.last_warning_at == datetime(2026, 5, 18, 8, 6, tzinfo=UTC)
    assert accept.due_at == datetime(2026, 5, 18, 8, 30, tzinfo=UTC)
    assert (accept.alarm, accept.alarm_at) == (Alarm.FIRST, accept.first_warning_at)


def test_a_buying_act_gets_the_fast_tier_and_is_dated_by_the_buyer() -> None:
    make_calendar()
    make_agreement(ANY_LEAD, BUYING_ACT)
    lead = make_lead(created_at=NOW - timedelta(days=3))
    asked_at = NOW - timedelta(minutes=3)
    record_event(lead_id=lead.pk, kind=EventKind.DEMO_REQUEST, occurred_at=asked_at, now=asked_at)

    handoff = become_mql(lead, rule="Fast track: asked for a demo")

    assert handoff.is_fast_track
    assert handoff.tier is not None
    assert handoff.tier.name == "Buying acts"
    assert handoff.raised_at == asked_at
    assert handoff.why == "Asked for a demo"


def test_a_handoff_is_dated_by_the_first_of_several_buying_acts() -> None:
    """Red when the newest buying act counts: a lead that asks twice waits longer."""
    make_scoring_model()
    lead = make_lead(created_at=NOW - timedelta(days=3))
    first_at, again_at = NOW - timedelta(hours=5), NOW - timedelta(minutes=3)
    for kind, at in ((EventKind.DEMO_REQUEST, first_at), (EventKind.TRIAL_START, again_at)):
        record_event(lead_id=lead.pk, kind=kind, occurred_at=at, now=at)

    handoff = become_mql(lead)

    assert (handoff.raised_at, handoff.why) == (first_at, "Asked for a demo")


def test_which_acts_are_buying_acts_is_for_the_model_to_say() -> None:
    """Red when handoffs keep a list of their own: a webinar raises no hand."""
    mql = {"cells": [], "fast_track": [{"kind": "WEBINAR_ATTENDED"}]}
    publish_model(document(mql=mql))
    lead = make_lead(created_at=NOW - timedelta(days=3))
    at = NOW - timedelta(hours=1)
    for kind, when in ((EventKind.WEBINAR_ATTENDED, at), (EventKind.DEMO_REQUEST, NOW)):
        record_event(lead_id=lead.pk, kind=kind, occurred_at=when, now=when)

    handoff = become_mql(lead)

    assert (handoff.raised_at, handoff.is_fast_track) == (at, True)
    assert handoff.brief["offer"]["title"] == "Attended a webinar"


def test_a_fast_tier_with_criteria_also_takes_those_who_fit_them() -> None:
    make_calendar()
    germans = {"field": "country", "op": "in", "value": ["DE"]}
    fast = TierTerms(**{**_terms(BUYING_ACT), "criteria": germans})
    make_agreement(fast, ANY_LEAD)

    assert _tier_name(make_handoff(country="DE")) == "Buying acts"
    assert _tier_name(make_handoff(country="FR")) == "Everything else"


def test_the_last_tier_takes_what_fits_none() -> None:
    make_calendar()
    nobody = {"field": "country", "op": "in", "value": ["NZ"]}
    make_agreement(
        TierTerms(**{**_terms(ANY_LEAD), "name": "First", "criteria": nobody}),
        TierTerms(**{**_terms(ANY_LEAD), "name": "Last", "criteria": nobody}),
    )

    assert _tier_name(make_handoff(country="DE")) == "Last"


def test_without_an_agreement_the_default_policy_measures() -> None:
    make_calendar()
    draft_agreement(scoring_model=make_scoring_model(), tiers=[ANY_LEAD], now=NOW)

    handoff = make_handoff()

    assert (handoff.agreement, handoff.tier) == (None, None)
    assert clock_of(handoff, ClockKind.ACCEPT).target == timedelta(hours=2)
    assert handoff.attempts_owed == 6
    assert handoff.policy.yes_needed == 4


def test_without_any_calendar_standard_hours_measure() -> None:
    handoff = make_handoff(now=datetime(2026, 5, 12, 16, 30, tzinfo=UTC))

    assert handoff.calendar.name == "Standard hours"
    assert clock_of(handoff, ClockKind.ACCEPT).due_at == datetime(2026, 5, 13, 10, 30, tzinfo=UTC)


def test_nobody_to_give_it_to_means_the_pool_and_a_word_to_those_who_can_act() -> None:
    team = make_team()
    rep = make_rep(team, is_active=False)
    manager = make_user(Role.MANAGER, sales_team=team)
    elsewhere = make_user(Role.MANAGER, sales_team=make_team())

    handoff = make_handoff(rep=rep)

    assert (handoff.holder, handoff.team, handoff.state) == (None, team, HandoffState.OFFERED)
    assert handoff.holders.get().holder is None
    told = Notification.objects.filter(key=f"handoff:{handoff.pk}:opened")
    assert {line.recipient for line in told} == {manager}
    assert elsewhere not in {line.recipient for line in told}


def test_a_company_without_sales_teams_still_opens_the_handoff() -> None:
    admin = make_user(Role.ADMIN)
    lead = make_lead()

    handoff = become_mql(lead)

    assert (handoff.holder, handoff.team) == (None, None)
    assert Notification.objects.get().recipient == admin


def test_the_holder_owns_the_lead_and_is_told() -> None:
    make_calendar()
    rep = make_rep(make_team(), time_zone="Europe/Berlin")

    handoff = make_handoff(rep=rep)

    lead = Lead.objects.get(pk=handoff.lead_id)
    assert (lead.owner, lead.team) == (rep, rep.sales_team)
    line = Notification.objects.get(recipient=rep)
    assert line.title == f"New handoff: {lead.display_name}"
    assert line.body == "Cell B2. Accept by Tue 13:00."


def test_the_brief_is_frozen_and_its_digest_proves_it() -> None:
    make_scoring_model()
    lead = make_lead(phone="+49 30 23125 418", title="Head of maintenance")
    record_event(
        lead_id=lead.pk, kind=EventKind.TRIAL_START, occurred_at=NOW - timedelta(hours=1), now=NOW
    )
    make_rep(make_team())

    handoff = become_mql(lead)

    assert handoff.brief["contact"]["phone"] == "+49 30 23125 418"
    assert handoff.brief["offer"]["title"] == "Started a trial"
    assert [act["title"] for act in handoff.brief["acts"]] == ["Started a trial"]
    assert handoff.brief["opening"].startswith("You started a trial.")
    assert handoff.brief_digest == digest(handoff.brief)
    assert handoff.brief_digest != digest({**handoff.brief, "opening": "Hello"})


def test_bant_starts_with_what_forms_have_told() -> None:
    lead = make_lead()
    record_event(
        lead_id=lead.pk,
        kind=EventKind.FORM_SUBMIT,
        name="Trial form",
        occurred_at=NOW - timedelta(hours=1),
        now=NOW,
        properties={"budget": "40,000-80,000", "timeline": "not sure"},
    )
    make_rep(make_team())

    bant = become_mql(lead).bant

    kept = [(line["answer"], line["detail"], line["source"]) for line in bant.lines]
    assert kept == [
        ("YES", "40,000-80,000", "Trial form, 12 May"),
        ("NOT_ASKED", "", ""),
        ("NOT_ASKED", "", ""),
        ("UNKNOWN", "", "Trial form, 12 May"),
    ]
    assert bant.saved_by is None


def test_free_text_that_the_log_does_not_keep_is_told_from_the_record() -> None:
    LeadAttribute.objects.create(name="need", label="Need")
    lead = make_lead(attributes={"need": "Stops at night", "budget": "no"})
    record_event(
        lead_id=lead.pk, kind=EventKind.FORM_SUBMIT, name="Trial form", occurred_at=NOW, now=NOW,
        properties={"budget": "40,000"},
    )  # fmt: skip
    make_rep(make_team())

    bant = become_mql(lead).bant

    assert [(line["detail"], line["source"]) for line in bant.lines] == [
        ("40,000", "Trial form, 12 May"),
        ("", ""),
        ("Stops at night", "The lead's record"),
        ("", ""),
    ]


def test_an_override_back_to_mql_does_not_open_a_second_handoff() -> None:
    handoff = make_handoff()
    change_stage(lead_id=handoff.lead_id, to_stage=LifecycleStage.SAL, now=NOW)

    change_stage(
        lead_id=handoff.lead_id,
        to_stage=LifecycleStage.MQL,
        now=NOW,
        override=True,
        reason="Accepted by mistake",
    )

    assert Handoff.objects.get().pk == handoff.pk


def test_the_database_allows_one_open_handoff_per_lead() -> None:
    handoff = make_handoff()
    second = Handoff.objects.get(pk=handoff.pk)
    second.pk = None

    with pytest.raises(IntegrityError, match="handoff_one_open_per_lead"), transaction.atomic():
        second.save(force_insert=True)


def test_what_fails_later_takes_the_handoff_back_with_the_stage() -> None:
    make_rep(make_team())
    lead = make_lead()

    def fail(**_: Any) -> None:
        raise RuntimeError("a later receiver")

    stage_changed.connect(fail)
    try:
        with pytest.raises(RuntimeError), transaction.atomic():
            become_mql(lead)
    finally:
        stage_changed.disconnect(fail)

    lead.refresh_from_db()
    assert (lead.stage, lead.owner, Handoff.objects.count()) == (LifecycleStage.LEAD, None, 0)


def test_a_lead_that_somebody_moves_out_takes_its_handoff_along() -> None:
    handoff = make_handoff()
    marketer = make_user(Role.MARKETER, full_name="Joel Marten")

    change_stage(
        lead_id=handoff.lead_id,
        to_stage=LifecycleStage.DISQUALIFIED,
        now=NOW + timedelta(hours=3),
        actor=marketer,
        reason="Student",
    )

    handoff.refresh_from_db()
    assert (handoff.state, handoff.closed_at) == (
        HandoffState.WITHDRAWN,
        NOW + timedelta(hours=3),
    )
    assert Lead.objects.get(pk=handoff.lead_id).owner is None
    assert clock_of(handoff, ClockKind.ACCEPT).breached_at is not None  # was due after two hours
    assert clock_of(handoff, ClockKind.FIRST_TOUCH).breached_at is None
    told = Notification.objects.get(key=f"handoff:{handoff.pk}:withdrawn")
    assert (told.recipient, told.body) == (
        handoff.holder,
        "Disqualified by Joel Marten. Student",
    )
    line = next(
        each for each in sales_entries(handoff.lead_id, marketer, None, 9)
        if each.title == "Handoff withdrawn"
    )  # fmt: skip
    assert (line.at, line.detail) == (handoff.closed_at, "Disqualified by Joel Marten.")


def test_a_later_cycle_opens_a_handoff_of_its_own() -> None:
    first = make_handoff()
    change_stage(lead_id=first.lead_id, to_stage=LifecycleStage.RECYCLED, now=NOW)

    second = become_mql(first.lead, now=NOW + timedelta(days=30))

    assert (first.cycle, second.cycle) == (1, 2)
    assert Handoff.objects.open().get() == second


def _tier_name(handoff: Handoff) -> str:
    assert handoff.tier is not None
    return handoff.tier.name


def _terms(terms: TierTerms) -> dict[str, Any]:
    return {name: getattr(terms, name) for name in TierTerms.__slots__}
