"""The form that moves a lead by hand: which moves it offers, keeps and refuses."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from crm.accounts.enums import Role
from crm.accounts.models import User
from leads.enums import LifecycleStage
from leads.models import Lead, StageInterval
from leads.services import change_stage
from tests.factories import client_of, make_lead, make_user
from tests.leads.posting import BROKEN, HTMX, raw

pytestmark = pytest.mark.django_db


def move(web: Client, lead: Lead, stage: str, **fields: Any) -> Any:
    url = reverse("leads:stage", args=[lead.pk])
    return web.post(url, {"to_stage": stage, "reason": "Because", **fields}, headers=HTMX)


def stage_errors(answer: Any) -> dict[str, list[str]]:
    form = answer.context["stage_form"]
    return {name: list(problems) for name, problems in form.errors.items()}


def test_disqualifying_and_reinstating_keep_their_reasons(web: Client, marketer: User) -> None:
    lead = make_lead()

    move(web, lead, "DISQUALIFIED", reason="Student")
    answer = move(web, lead, "LEAD", reason="Works there now")

    moves = StageInterval.objects.filter(lead=lead).order_by("sequence")
    assert answer["HX-Redirect"] == reverse("leads:detail", args=[lead.pk])
    assert list(moves.values_list("stage", "reason", "actor", "is_override", "cycle")) == [
        ("LEAD", "", None, False, 1),
        ("DISQUALIFIED", "Student", marketer.pk, False, 1),
        ("LEAD", "Works there now", marketer.pk, False, 2),
    ]


def test_recycling_needs_a_day_to_come_on_which_the_lead_wakes(web: Client) -> None:
    within = "Give a date between tomorrow and two years from now."
    lead = make_lead(stage=LifecycleStage.SQL)
    today = timezone.localdate()
    wake_on = today + timedelta(days=90)

    missing = move(web, lead, "RECYCLED")
    past = move(web, lead, "RECYCLED", wake_on=today - timedelta(days=1))
    far = move(web, lead, "RECYCLED", wake_on="9999-12-31")
    move(web, lead, "RECYCLED", wake_on=wake_on)

    lead.refresh_from_db()
    assert stage_errors(missing) == {
        "wake_on": ["A recycled lead needs a day on which it wakes up."]
    }
    assert stage_errors(past) == stage_errors(far) == {"wake_on": [within]}
    assert lead.stage == LifecycleStage.RECYCLED
    assert lead.wake_at == datetime.combine(wake_on, time(), tzinfo=ZoneInfo("Europe/Berlin"))


@pytest.mark.parametrize("to_stage", ["SAL", "SQL", "WON", "LEAD", "NONSENSE", "\x00"])
def test_a_marketer_makes_only_moves_that_are_made_by_hand(web: Client, to_stage: str) -> None:
    lead = make_lead()

    answer = move(web, lead, to_stage)

    assert answer.status_code == 422
    assert list(stage_errors(answer)) == ["to_stage"]
    assert StageInterval.objects.filter(lead=lead).count() == 1


def test_a_manager_overrides_the_table_with_a_reason_and_a_mark() -> None:
    lead = make_lead()
    web = client_of(make_user(Role.MANAGER))

    refused = move(web, lead, "SQL", reason="")
    move(web, lead, "SQL", reason="Signed at the fair")

    newest = StageInterval.objects.get(lead=lead, ended_at__isnull=True)
    assert list(stage_errors(refused)) == ["reason"]
    assert (newest.stage, newest.is_override, newest.reason) == (
        "SQL",
        True,
        "Signed at the fair",
    )


def test_a_lead_is_handed_off_by_hand_with_a_reason(web: Client) -> None:
    lead = make_lead()

    refused = move(web, lead, "MQL", reason="")
    move(web, lead, "MQL", reason="Asked for us at the fair")

    newest = StageInterval.objects.get(lead=lead, ended_at__isnull=True)
    assert list(stage_errors(refused)) == ["reason"]
    assert (newest.stage, newest.is_override) == ("MQL", False)
    assert newest.reason == "Asked for us at the fair"


def test_a_move_that_came_too_late_is_told_in_words(web: Client) -> None:
    lead = make_lead(stage=LifecycleStage.RECYCLED)
    change_stage(lead_id=lead.pk, to_stage=LifecycleStage.DISQUALIFIED, now=timezone.now())

    answer = move(web, lead, "DISQUALIFIED")

    assert stage_errors(answer) == {
        "to_stage": ["The lead cannot move there from where it is now."]
    }


def test_nothing_is_offered_where_nothing_leads_on_by_hand(web: Client) -> None:
    lead = make_lead(stage=LifecycleStage.WON)

    page = web.get(reverse("leads:detail", args=[lead.pk]))
    answer = web.get(reverse("leads:stage", args=[lead.pk]))

    assert page.context["moves"] == []
    assert answer["Location"] == reverse("leads:detail", args=[lead.pk])


def test_reps_move_leads_by_answering_handoffs_alone() -> None:
    rep = make_user(Role.REP)
    lead = make_lead(owner=rep, stage=LifecycleStage.SAL)

    assert move(client_of(rep), lead, "DISQUALIFIED").status_code == 404


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
def test_no_text_breaks_a_move(web: Client, text: str) -> None:
    lead = make_lead(stage=LifecycleStage.RECYCLED)
    url = reverse("leads:stage", args=[lead.pk])
    fields = {"to_stage": "DISQUALIFIED", "reason": "Student", "wake_on": "2099-01-01"}

    answers = [web.post(url, **raw({**fields, name: text})) for name in fields]

    assert {answer.status_code for answer in answers} <= {302, 422}
