"""Sums kept beforehand: whatever changed since, figures are those of their rows."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import astuple, replace
from datetime import datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.utils import timezone

from crm.reports.compliance import Compliance, ComplianceRow, compliance
from crm.reports.days import Sql, days_of, fetched
from crm.reports.models import SlaChange, SlaDay
from crm.reports.outcomes import Outcome
from crm.reports.services import count_sla_days, sla
from crm.reports.sla import counted
from crm.reports.standing import By, Scope, Standing, clocks
from crm.reports.sums import NARROWED_TO, Slot, counted_beforehand, sums
from crm.reports.tally import Tally
from handoff.business_hours import working_time_between
from handoff.enums import ClockKind, HandoffState
from handoff.models import (
    Clock,
    Handoff,
    ImportedHandoff,
)
from leads.enums import LifecycleStage
from leads.models import Lead, StageInterval
from tests.factories import NOW, make_lead
from tests.reports.factories import (
    DAY,
    HOUR,
    TODAY,
    ZONES,
    Desk,
    count_all,
    key_of,
    open_one,
    period,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_zones")]

COUNTS = ("received", "answered", "still_open", *(each.value for each in Standing))


def stop(clock: Clock, random: Random, now: datetime) -> None:
    """Answer, in time or late."""
    latest = min(now, clock.due_at + DAY)
    clock.stopped_at = clock.started_at + (latest - clock.started_at) * random.random()
    clock.elapsed = clock.stopped_at - clock.started_at
    clock.withdrawn_at = None
    clock.save()


def settle(handoff: Handoff, stage: LifecycleStage) -> None:
    """Win or lose the deal of the cycle of ``handoff``."""
    last = StageInterval.objects.filter(lead=handoff.lead).latest("sequence")
    at = last.started_at + HOUR
    StageInterval.objects.filter(pk=last.pk).update(ended_at=at)
    StageInterval.objects.create(
        lead=handoff.lead, sequence=last.sequence + 1, stage=stage, cycle=1, started_at=at
    )
    Lead.objects.filter(pk=handoff.lead_id).update(stage=stage, stage_since=at)


def another(offered: Sequence[Any], current: int | None) -> Any:
    """Return one that it is not yet."""
    return next(each for each in offered if each.pk != current)


def imported(handoff: Handoff, priority: str) -> None:
    """Say that ``handoff`` came from another tool, which calls its tier so."""
    Handoff.objects.filter(pk=handoff.pk).update(tier=None)
    known = {"system": "old", "external_id": str(handoff.pk), "priority": priority}
    ImportedHandoff.objects.update_or_create(handoff=handoff, defaults=known)


Change = Callable[[Desk, Random, Handoff, Clock], object]
CHANGES: dict[str, Change] = {
    "evidence": lambda _, random, __, clock: stop(clock, random, TODAY),
    "excuse": lambda _, __, ___, clock: Clock.objects.filter(pk=clock.pk).update(excused_at=TODAY),
    "withdrawal": lambda _, __, ___, clock: Clock.objects.filter(
        pk=clock.pk, stopped_at=None
    ).update(withdrawn_at=clock.started_at + HOUR),
    "re-basing": lambda _, __, ___, clock: Clock.objects.filter(pk=clock.pk).update(
        due_at=clock.due_at + DAY, escalate_at=clock.escalate_at + DAY
    ),
    "holder": lambda desk, _, __, clock: Clock.objects.filter(pk=clock.pk).update(
        answerable=another(desk.reps, clock.answerable_id)
    ),
    "team": lambda desk, _, handoff, __: Handoff.objects.filter(pk=handoff.pk).update(
        team=another(desk.teams, handoff.team_id)
    ),
    "tier": lambda desk, _, handoff, __: Handoff.objects.filter(pk=handoff.pk).update(
        tier=another(desk.tiers, handoff.tier_id)
    ),
    "agreement": lambda desk, _, handoff, __: Handoff.objects.filter(pk=handoff.pk).update(
        agreement=None if handoff.agreement_id else desk.tiers[0].agreement
    ),
    "verdict": lambda _, random, handoff, __: Handoff.objects.filter(pk=handoff.pk).update(
        state=random.choice([HandoffState.QUALIFIED, HandoffState.RECYCLED]),
        attempts=handoff.attempts + 1,
    ),
    "acceptance": lambda _, __, handoff, ___: Handoff.objects.filter(pk=handoff.pk).update(
        accepted_at=TODAY
    ),
    "merge": lambda _, __, handoff, ___: Handoff.objects.filter(pk=handoff.pk).update(
        lead=make_lead(source="partner")
    ),
    "source": lambda _, __, handoff, ___: Lead.objects.filter(pk=handoff.lead_id).update(
        source="webinar"
    ),
    "import": lambda desk, random, handoff, _: open_one(desk, random, handoff.opened_at + HOUR),
    "priority": lambda _, random, handoff, __: imported(handoff, random.choice(["P1", "P2", ""])),
    "deal": lambda _, random, handoff, __: settle(
        handoff, random.choice([LifecycleStage.WON, LifecycleStage.LOST])
    ),
    "removal": lambda _, __, handoff, ___: handoff.delete(),
}  # fmt: skip


def local(clock: Clock) -> datetime:
    return timezone.localtime(clock.started_at)


def minutes(clock: Clock) -> int | None:
    """Return the answer's working minutes, a begun one counted."""
    if clock.stopped_at is None or clock.elapsed is None:
        return None
    return -(-clock.elapsed // timedelta(minutes=1))


def by_hand(rows: Sequence[Any], now: datetime) -> dict[str, Any]:
    """Return the counts of listed clocks, their median and 90th percentile, and what is open."""
    running = [row for row in rows if row.ended_at is None]
    longest = min(running, key=lambda row: row.started_at, default=None)
    spans = sorted(each for each in map(minutes, rows) if each is not None)
    at = {50: -(-len(spans) // 2), 90: -(-9 * len(spans) // 10)}
    return {
        "received": len(rows),
        "answered": len(spans),
        "still_open": len(running),
        **{each.value: sum(row.standing == each for row in rows) for each in Standing},
        "median": timedelta(minutes=spans[at[50] - 1]) if spans else None,
        "p90": timedelta(minutes=spans[at[90] - 1]) if spans else None,
        "used": [
            sum(row.standing == Standing.ON_TIME and quarter(row) == part for row in rows)
            for part in range(4)
        ],
        "open_for": longest
        and working_time_between(longest.started_at, now, longest.handoff.calendar.hours),
    }


def quarter(clock: Clock) -> int:
    """Return which quarter of its target an answer in time took, the first is 0."""
    return max(-(-4 * (clock.elapsed or timedelta()) // clock.target) - 1, 0)


def shown(row: ComplianceRow) -> dict[str, Any]:
    names = (*COUNTS, "median", "p90", "used", "open_for")
    return {name: getattr(row, name) for name in names}


def assert_figures_are_those_of_their_rows(scope: Scope, by: By, now: datetime) -> None:
    """Compare every figure with the clocks that the lists and the CSV hold."""
    since = scope.start - (scope.end - scope.start)
    found: Compliance = compliance(scope, by, since=since, now=now)
    related = ("handoff__lead", "handoff__tier", "handoff__agreement", "handoff__imported")
    rows = list(clocks(scope, now=now).select_related(*related))
    parts: dict[tuple[By, str], list[Any]] = defaultdict(list)
    for clock in rows:
        for each in {by, By.WEEK}:
            parts[each, key_of(clock, each)].append(clock)
    before = list(clocks(Scope(scope.kind, since, scope.start, scope.only), now=now))
    assert shown(found.whole) == by_hand(rows, now)
    assert shown(found.before) == by_hand(before, now)
    assert {row.key: shown(row) for row in found.rows} == {
        key: by_hand(part, now) for (which, key), part in parts.items() if which is by
    }
    assert {row.key: (row.received, row.on_time, row.late) for row in found.weeks} == {
        key: tuple(by_hand(part, now)[name] for name in ("received", "on_time", "late"))
        for (which, key), part in parts.items()
        if which is By.WEEK
    }
    hours: dict[tuple[int, int], list[int]] = defaultdict(lambda: [0, 0])
    for clock in rows:
        hours[local(clock).isoweekday(), local(clock).hour][0] += 1
        hours[local(clock).isoweekday(), local(clock).hour][1] += clock.standing == Standing.LATE
    assert {(each.weekday, each.hour): [each.received, each.late] for each in found.arrivals} == (
        hours
    )


def assert_tally_is_that_of_its_rows(scope: Scope, now: datetime) -> None:
    """Compare what handoffs came to with the lists that the scorecard opens."""
    tally = Tally(scope, [Slot.ALL, Slot.OUTCOME, Slot.ATTEMPTS], now=now)
    for outcome in Outcome:
        narrowed = Scope(ClockKind.VERDICT, scope.start, scope.end, outcome=outcome)
        listed = counted(narrowed, None, now=now)
        assert tally.came_to(outcome) == listed.count()
        if outcome is Outcome.GIVEN_UP:
            attempts = sum(times * number for times, number in tally.attempts.items())
            assert attempts == sum(listed.values_list("handoff__attempts", flat=True))


@pytest.mark.parametrize("seed", range(4))
def test_figures_are_those_of_their_rows_whatever_happens(desk: Desk, seed: int) -> None:
    random = Random(seed)
    now = TODAY
    for _ in range(25):
        open_one(desk, random, NOW - 5 * DAY + random.random() * 14 * DAY)
    count_all(now)
    used = 0

    for _ in range(12):
        for _ in range(random.randint(0, 3)):
            handoff = random.choice(list(Handoff.objects.select_related("lead", "tier")))
            clock = random.choice(list(handoff.clocks.all()))
            CHANGES[random.choice(list(CHANGES))](desk, random, handoff, clock)
        if random.random() < 0.4:
            count_sla_days(now=now)
        kind, by = random.choice(list(ClockKind)), random.choice(list(By))
        scope = period(kind)
        used += len(counted_beforehand(kind, list(days_of(scope.start, scope.end)), now=now))
        with timezone.override(ZoneInfo(random.choice([*ZONES, "Asia/Tokyo"]))):
            assert_figures_are_those_of_their_rows(period(kind), by, now)
            assert_tally_is_that_of_its_rows(period(ClockKind.VERDICT), now)
        narrowed_to = random.choice((*NARROWED_TO, By.REP))
        only = {narrowed_to: key_of(random.choice(list(Clock.objects.all())), narrowed_to)}
        assert_figures_are_those_of_their_rows(period(kind, only=only), by, now)
        two = random.sample((*NARROWED_TO, By.REP), 2)
        clock = random.choice(list(Clock.objects.filter(kind=kind)))
        twice = {each: key_of(clock, each) for each in two}
        assert_figures_are_those_of_their_rows(period(kind, only=twice), by, now)
        now += random.random() * 3 * HOUR

    assert used > 0  # or nothing was compared


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_of_a_counted_day_is_noted(desk: Desk, change: str) -> None:
    random = Random(change)
    open_one(desk, random, NOW + 2 * DAY)
    handoff = open_one(desk, random, NOW + 3 * DAY)
    clock = handoff.clocks.get(kind=ClockKind.VERDICT)
    count_all(TODAY)
    before = SlaDay.objects.filter(counted_at__isnull=False).count()
    assert not SlaChange.objects.exists()

    CHANGES[change](desk, random, handoff, clock)

    assert SlaChange.objects.filter(kind=ClockKind.VERDICT).exists()
    for by in By:
        assert_figures_are_those_of_their_rows(period(ClockKind.VERDICT), by, TODAY)
    assert_tally_is_that_of_its_rows(period(ClockKind.VERDICT), TODAY)
    count_all(TODAY)
    assert SlaDay.objects.filter(counted_at__isnull=False).count() == before
    assert_figures_are_those_of_their_rows(period(ClockKind.VERDICT), By.TEAM, TODAY)


def test_what_no_figure_is_made_of_is_not_noted(desk: Desk) -> None:
    handoff = open_one(desk, Random(1), NOW)
    count_all(TODAY)

    Clock.objects.update(alarm="", attempts=3)
    Handoff.objects.update(snooze_reason="away", attempts=handoff.attempts)

    assert not SlaChange.objects.exists()


def test_a_day_is_counted_again_once_a_clock_of_it_fell_due(desk: Desk) -> None:
    handoff = open_one(desk, Random(2), NOW)
    due_at = NOW + 20 * DAY
    handoff.clocks.update(due_at=due_at, escalate_at=due_at)
    scope = Scope(ClockKind.ACCEPT, NOW - DAY, NOW + DAY)
    count_all(TODAY)
    days = SlaDay.objects.filter(kind=ClockKind.ACCEPT, day=NOW.date(), zone=ZONES[1])

    standings = [
        (each.whole.not_yet_due, each.whole.late)
        for at in (due_at, due_at + timedelta(microseconds=1))
        for each in [compliance(scope, By.REP, since=scope.start, now=at)]
    ]

    assert standings == [(1, 0), (0, 1)]
    assert days.get().holds_until == due_at
    count_all(due_at + HOUR)
    assert days.get().holds_until is None


def test_a_day_counted_by_a_clock_ahead_of_ours_is_not_read(desk: Desk) -> None:
    open_one(desk, Random(3), NOW)
    count_all(TODAY + 40 * DAY)
    for kind in ClockKind:
        assert not counted_beforehand(kind, list(days_of(NOW - DAY, NOW + DAY)), now=TODAY)
        assert_figures_are_those_of_their_rows(period(kind), By.REP, TODAY)


def test_a_counted_page_asks_no_clock(desk: Desk) -> None:
    open_one(desk, Random(3), NOW)
    clock = open_one(desk, Random(4), NOW + 4 * DAY).clocks.get(kind=ClockKind.ACCEPT)
    count_all(TODAY)
    scope = period(ClockKind.ACCEPT)
    over = Scope(ClockKind.ACCEPT, scope.start, scope.end - 2 * DAY)
    with connection.execute_wrapper(_refuse_clocks):
        found = compliance(over, By.REP, since=over.start - DAY, now=TODAY)
        for by, key in ((by, key_of(clock, by)) for by in NARROWED_TO):
            part = compliance(replace(over, only={by: key}), By.REP, since=over.start, now=TODAY)
            assert part.whole.received == len(part.rows) == 1
        for pair in itertools.combinations((*NARROWED_TO, By.REP), 2):
            twice = replace(over, only={by: key_of(clock, by) for by in pair})
            assert earlier_of(twice) == 1
    assert found.whole.received == len(found.rows) == 1


def test_days_with_many_clocks_are_counted_piece_by_piece(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each round takes as many days as hold so many clocks, a fuller one all the same."""
    monkeypatch.setattr(sla, "BATCH", 2)
    for day in (1, 2, 3, 3, 3, 6):
        open_one(desk, Random(day), NOW + day * DAY)
    rounds = []
    while count_sla_days(now=TODAY):
        counted_days = SlaDay.objects.filter(zone=ZONES[0], kind=ClockKind.ACCEPT)
        rounds.append(sorted(each.day - NOW.date() for each in counted_days))

    assert [len(each) for each in rounds] == [5, 6]
    assert SlaDay.objects.filter(zone=ZONES[0], kind=ClockKind.ACCEPT).count() == 8
    assert_figures_are_those_of_their_rows(period(ClockKind.ACCEPT), By.REP, TODAY)


def earlier_of(scope: Scope) -> int:
    """Return how many ``scope`` has where it is but the period before the one that is asked for."""
    day = replace(scope, start=scope.end, end=scope.end)
    text, params = astuple(sums(day, [Slot.ALL], since=scope.start, now=TODAY))
    rows = fetched(Sql(f"{text} SELECT received FROM part", params))
    return sum(row["received"] for row in rows)


def _refuse_clocks(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
    assert "handoff_clock" not in sql
    return execute(sql, params, many, context)
