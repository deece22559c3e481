"""How often a lead comes to sales: counted by its handoffs, and held by whoever is no manager."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from crm.accounts.enums import Role
from crm.accounts.models import User
from handoff.enums import Verdict
from handoff.frameworks import DEFAULT_QUALIFICATION, write_policy
from handoff.models import Handoff
from handoff.services import BantIncomplete, submit_bant
from leads.enums import LifecycleStage as Stage
from leads.services import change_stage, merge_leads
from tests.factories import NOW, make_lead, make_team, make_user
from tests.handoff.factories import become_mql, make_agreement, make_calendar, make_rep

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
RECYCLE: dict[str, Any] = {
    "verdict": "RECYCLE", "recycle_reason": "NO_TIMELINE", "wake_date": date(2026, 9, 1),
}  # fmt: skip


@pytest.fixture
def rep() -> User:
    make_calendar()
    make_agreement(qualification=write_policy(replace(DEFAULT_QUALIFICATION, most_cycles=2)))
    return make_rep(make_team())


def record(handoff: Handoff, by: User, **said: Any) -> Verdict:
    bant = submit_bant(
        handoff_id=handoff.pk, rep=by, fields={**RECYCLE, **said}, now=handoff.opened_at
    )
    return Verdict(bant.proposed_verdict)


def test_a_lead_that_was_reinstated_has_not_been_with_sales(rep: User) -> None:
    lead = make_lead(created_at=NOW - DAY)
    for stage in (Stage.DISQUALIFIED, Stage.LEAD):
        change_stage(lead_id=lead.pk, to_stage=stage, now=NOW, rule="By hand")

    handoff = become_mql(lead)

    assert (handoff.cycle, Handoff.objects.cycles_of(handoff)) == (2, 1)
    assert record(handoff, rep) is Verdict.RECYCLE


def test_after_the_last_cycle_only_a_manager_recycles(rep: User) -> None:
    lead = make_lead(created_at=NOW - DAY)
    record(become_mql(lead), rep)
    again = become_mql(lead, now=NOW + DAY)
    why = {"override_reason": "They merge in autumn"}

    with pytest.raises(BantIncomplete) as refused:
        record(again, rep, **why)

    assert refused.value.problems == {
        "verdict": "It came to Sales 2 times already: only a manager recycles it again."
    }
    assert record(again, make_user(Role.MANAGER, Role.REP), **why) is Verdict.DISQUALIFY


def test_cycles_of_a_lead_that_was_the_same_person_count(rep: User) -> None:
    same, lead = make_lead(created_at=NOW - DAY), make_lead(created_at=NOW - DAY)
    record(become_mql(same), rep)
    merge_leads(survivor_id=lead.pk, merged_id=same.pk, actor=make_user(Role.MANAGER), now=NOW)

    handoff = become_mql(lead, now=NOW + DAY)

    assert Handoff.objects.cycles_of(handoff) == 2


def test_a_handoff_that_a_merge_ended_is_no_cycles_of_its_own(rep: User) -> None:
    same, lead = make_lead(created_at=NOW - DAY), make_lead(created_at=NOW - DAY)
    become_mql(same)
    handoff = become_mql(lead, now=NOW + DAY)

    merge_leads(
        survivor_id=lead.pk, merged_id=same.pk, actor=make_user(Role.MANAGER), now=NOW + DAY
    )

    assert Handoff.objects.cycles_of(handoff) == 1
