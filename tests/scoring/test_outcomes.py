from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from django.db import transaction

from crm.accounts.enums import Role
from handoff.enums import RejectionReason
from handoff.models import Handoff
from handoff.services import accept_handoff, reject_handoff
from leads.enums import DealOutcome, LifecycleStage
from leads.lifecycle import ScoreSnapshot
from leads.models import Lead, StageInterval
from leads.services import change_stage, record_deal
from scoring.outcomes import MqlCycle, read_cycles, refusal_labels
from tests.factories import NOW, make_lead, make_team, make_user
from tests.handoff.factories import make_calendar, make_rep

pytestmark = pytest.mark.django_db

S = LifecycleStage
DAY = timedelta(days=1)
SNAPSHOT = ScoreSnapshot(model_version=3, fit_score=None, engagement_score=None, cell="B2")


def move(lead: Lead, to_stage: LifecycleStage, at: datetime, **fields: object) -> None:
    change_stage(lead_id=lead.pk, to_stage=to_stage, now=at, override=True, reason="a", **fields)  # type: ignore[arg-type]


@transaction.atomic
def import_past(lead: Lead, moves: Sequence[tuple[LifecycleStage, datetime]]) -> None:
    """Append past stages as an import does."""
    current = lead.stage_intervals.current().get()
    for stage, at in moves:
        StageInterval.objects.filter(pk=current.pk).update(ended_at=at)
        current = StageInterval.objects.create(
            lead=lead, sequence=current.sequence + 1, stage=stage, cycle=current.cycle,
            started_at=at, is_imported=True,
        )  # fmt: skip
        Lead.objects.filter(pk=lead.pk).update(stage=stage, stage_since=at)


def only() -> MqlCycle:
    [cycle] = read_cycles(now=NOW + 30 * DAY)
    return cycle


def test_a_lead_that_never_came_to_mql_is_no_mql_cycle() -> None:
    move(make_lead(), S.DISQUALIFIED, NOW)
    assert read_cycles(now=NOW) == []


def test_a_won_cycle_tells_each_step_and_the_score_of_its_beginning() -> None:
    lead = make_lead(created_at=NOW - DAY)
    move(lead, S.MQL, NOW, snapshot=SNAPSHOT)
    move(lead, S.SAL, NOW + DAY)
    move(lead, S.SQL, NOW + 2 * DAY)
    record_deal(
        lead_id=lead.pk, outcome=DealOutcome.WON, closed_at=NOW + 5 * DAY, now=NOW + 6 * DAY
    )
    assert only() == MqlCycle(
        lead_id=lead.pk, cycle=1, mql_at=NOW, known_at=NOW, model_version=3, cell="B2",
        is_imported=False, is_skipped=False, accepted_at=NOW + DAY, sql_at=NOW + 2 * DAY,
        won_at=NOW + 5 * DAY, lost_at=None, recycled_at=None, disqualified_at=None,
        refused_at=None, refusal_reason="",
    )  # fmt: skip
    assert only().is_decided


def test_recycling_ends_the_cycle_before_and_coming_back_is_another() -> None:
    lead = make_lead(created_at=NOW - DAY)
    move(lead, S.MQL, NOW)
    move(lead, S.RECYCLED, NOW + DAY)
    move(lead, S.MQL, NOW + 2 * DAY)
    first, second = read_cycles(now=NOW + 3 * DAY)
    assert (first.cycle, first.mql_at, first.recycled_at) == (1, NOW, NOW + DAY)
    assert (second.cycle, second.mql_at, second.recycled_at) == (2, NOW + 2 * DAY, None)
    assert (first.is_decided, second.is_decided) == (True, False)


def test_a_refusal_is_joined_to_the_cycle_that_it_ended() -> None:
    team = make_team()
    make_calendar()
    rep = make_rep(team)
    lead = make_lead(created_at=NOW - DAY)
    move(lead, S.MQL, NOW)
    handoff = Handoff.objects.get()
    Handoff.objects.update(holder=rep)
    reject_handoff(handoff_id=handoff.pk, rep=rep, reason=RejectionReason.TOO_EARLY, now=NOW + DAY)
    move(lead, S.MQL, NOW + 2 * DAY)
    first, second = read_cycles(now=NOW + 3 * DAY)
    assert (first.refused_at, first.refusal_reason) == (NOW + DAY, "TOO_EARLY")
    assert (second.refused_at, second.refusal_reason) == (None, "")
    assert refusal_labels()["TOO_EARLY"] == "Too early"


def test_an_accepted_mql_is_not_refused() -> None:
    team = make_team()
    make_calendar()
    rep = make_rep(team)
    move(make_lead(created_at=NOW - DAY), S.MQL, NOW)
    Handoff.objects.update(holder=rep)
    accept_handoff(handoff_id=Handoff.objects.get().pk, rep=rep, now=NOW + DAY)
    assert (only().accepted_at, only().refused_at) == (NOW + DAY, None)


def test_imported_history_was_all_received_later_so_what_is_known_now_counts() -> None:
    """As the public funnel data has it: MQL at first contact, won without steps between."""
    lead = make_lead(created_at=NOW)
    import_past(lead, [(S.MQL, NOW), (S.WON, NOW + 9 * DAY)])
    cycle = only()
    assert (cycle.is_imported, cycle.known_at) == (True, NOW + 30 * DAY)
    assert (cycle.mql_at, cycle.accepted_at) == (NOW, NOW + 9 * DAY)
    assert (cycle.sql_at, cycle.won_at) == (NOW + 9 * DAY, NOW + 9 * DAY)
    assert not cycle.is_skipped


def test_a_win_whose_history_skips_mql_counts_from_the_win() -> None:
    lead = make_lead(created_at=NOW)
    import_past(lead, [(S.WON, NOW + DAY)])
    assert (only().mql_at, only().won_at, only().is_skipped) == (NOW + DAY, NOW + DAY, True)


def test_an_override_back_to_mql_opens_no_second_cycle() -> None:
    lead = make_lead(created_at=NOW - DAY)
    move(lead, S.MQL, NOW)
    move(lead, S.SAL, NOW + DAY)
    move(lead, S.MQL, NOW + 2 * DAY, actor=make_user(Role.MANAGER))
    assert (only().mql_at, only().accepted_at) == (NOW, NOW + DAY)


def test_limits_are_those_of_the_first_entry() -> None:
    """Red when only the entries within the limits are looked at: the second looks like a first."""
    lead = make_lead(created_at=NOW - DAY)
    move(lead, S.MQL, NOW)
    move(lead, S.SAL, NOW + 2 * DAY)
    [cycle] = read_cycles(now=NOW + 3 * DAY, since=NOW, until=NOW + DAY)
    assert (cycle.mql_at, cycle.accepted_at) == (NOW, NOW + 2 * DAY)
    assert read_cycles(now=NOW + 3 * DAY, since=NOW + DAY) == []
    assert read_cycles(now=NOW + 3 * DAY, until=NOW) == []
