"""Recycled leads wake up once: on their day, or by what they do."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.urls import reverse

from crm.accounts.enums import Role
from crm.common.models import Notification
from leads.enums import LifecycleStage
from leads.models import Lead
from leads.services import change_stage, record_activity, wake_leads
from leads.timeline_sources import stage_entries
from tests.concurrency import in_thread
from tests.factories import NOW, client_of, make_lead, make_user

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
ON = NOW + 30 * DAY


def _recycled(**options: Any) -> Lead:
    lead = make_lead(stage=LifecycleStage.MQL, source="webinar")
    change_stage(
        lead_id=lead.pk,
        to_stage=LifecycleStage.RECYCLED,
        now=NOW,
        **{"wake_at": ON, "reason": "Too early", **options},
    )
    return Lead.objects.get(pk=lead.pk)


def _woken(lead: Lead) -> datetime | None:
    return Lead.objects.get(pk=lead.pk).woken_at


def test_a_lead_wakes_on_its_day_and_once_however_late_the_sweep_runs() -> None:
    mira = make_user(Role.MARKETER)
    lead = _recycled()

    early = wake_leads(now=ON - timedelta(seconds=1))
    rounds = [wake_leads(now=ON + hours * timedelta(hours=1)) for hours in (5, 6)]

    woken = Lead.objects.get()
    assert (early, rounds) == (0, [1, 0])
    assert (woken.stage, woken.wake_at, woken.woken_at) == (LifecycleStage.RECYCLED, None, ON)
    told = Notification.objects.get()
    assert (told.recipient, told.title) == (mira, f"Woke up from nurture: {lead.display_name}")


@pytest.mark.django_db(transaction=True)
def test_two_sweeps_at_once_wake_it_once() -> None:
    make_user(Role.MARKETER)
    _recycled()

    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        first = wake_leads(now=ON)
        beside = in_thread(pool, lambda: wake_leads(now=ON)).result(timeout=20)

    assert (first, beside) == (1, 0)
    assert (wake_leads(now=ON), Notification.objects.count()) == (0, 1)


def test_an_act_after_the_recycling_wakes_who_waits_for_one() -> None:
    waits, does_not = _recycled(wakes_on_act=True), _recycled()
    for lead in (waits, does_not):
        record_activity(latest={lead.pk: NOW - DAY})
    assert wake_leads(now=NOW + DAY) == 0

    for lead in (waits, does_not):
        record_activity(latest={lead.pk: NOW + 2 * DAY})
    assert wake_leads(now=NOW + 3 * DAY) == 1

    assert (_woken(waits), _woken(does_not)) == (NOW + 2 * DAY, None)
    assert wake_leads(now=NOW + 4 * DAY) == 0


def test_who_waits_for_an_act_that_never_comes_wakes_on_the_day() -> None:
    lead = _recycled(wakes_on_act=True)

    wake_leads(now=ON + DAY)

    assert _woken(lead) == ON


@pytest.mark.parametrize(
    ("wakes_on_act", "why"), [(False, "The day came"), (True, "It acted after it was recycled")]
)
def test_the_timeline_keeps_that_a_lead_woke_and_why(wakes_on_act: bool, why: str) -> None:
    marketer = make_user(Role.MARKETER)
    lead = _recycled(wakes_on_act=wakes_on_act)
    acted_at = NOW + 2 * DAY
    record_activity(latest={lead.pk: acted_at})
    wake_leads(now=ON)
    change_stage(lead_id=lead.pk, to_stage=LifecycleStage.MQL, now=ON + DAY)

    told = stage_entries(lead.pk, marketer, None, 10)

    became, woke, recycled, *_ = told
    assert [became.at, woke.at, recycled.at] == [
        ON + DAY, acted_at if wakes_on_act else ON, NOW
    ]  # fmt: skip
    assert woke.detail.startswith(why)
    assert stage_entries(lead.pk, marketer, woke.at, 10)[0] == recycled


def test_a_move_takes_the_wake_up_away() -> None:
    lead = _recycled(wakes_on_act=True)
    change_stage(lead_id=lead.pk, to_stage=LifecycleStage.DISQUALIFIED, now=NOW + DAY)
    record_activity(latest={lead.pk: NOW + 2 * DAY})

    assert wake_leads(now=ON + DAY) == 0


def test_leads_of_one_source_are_told_of_in_one_line() -> None:
    make_user(Role.MARKETER)
    first = _recycled()
    _recycled()
    _recycled()

    wake_leads(now=ON)

    told = Notification.objects.get()
    assert told.title == f"Woke up from nurture: {first.display_name} and 2 others"
    assert told.url == "/leads/?view=woken"


def test_the_view_and_the_page_show_who_woke_up() -> None:
    web = client_of(make_user(Role.MARKETER))
    lead = _recycled()
    asleep = _recycled(wake_at=ON + 300 * DAY)
    wake_leads(now=ON)

    listed = web.get(reverse("leads:list"), {"view": "woken"}).content.decode()
    page = web.get(reverse("leads:detail", args=[lead.pk])).content.decode()

    assert lead.display_name in listed
    assert asleep.display_name not in listed
    assert "Woke up: to be looked at again" in page
