"""Days of the funnel that are counted beforehand: as true as if they were counted now."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from crm.accounts.enums import Role
from crm.accounts.models import User
from crm.reports.cohorts import Cohort, Split, Unit
from crm.reports.counted_leads import cycles, part_of_cycles_q, part_q, reached_q
from crm.reports.days import days_of
from crm.reports.funnel import FunnelRow, cohort_rows, funnel
from crm.reports.funnel_sums import KINDS, counted_beforehand
from crm.reports.models import FunnelChange, FunnelDay, FunnelSum
from crm.reports.services import count_funnel_days
from handoff.enums import HandoffState
from handoff.models import Handoff, WorkCalendar
from leads.models import Lead, StageInterval
from leads.services.merging import merge_leads, undo_merge
from scoring.models import LeadScore
from tests.factories import NOW, make_lead, make_user
from tests.handoff.factories import make_calendar
from tests.reports.factories import DAY, HOUR, TODAY, ZONES
from tests.reports.plain_funnel import plain_funnel
from tests.reports.test_funnel import make_history

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_zones")]

WAYS = (
    ("LEAD",),
    ("LEAD", "MQL"),
    ("LEAD", "MQL", "SAL"),
    ("LEAD", "MQL", "SAL", "SQL", "WON"),
    ("LEAD", "MQL", "WON"),
    ("LEAD", "MQL", "RECYCLED", "MQL", "SAL"),
    ("LEAD", "MQL", "SAL", "DISQUALIFIED"),
    ("LEAD", "MQL", "LEAD", "MQL", "SAL", "SQL", "LOST"),
)


def tell(random: Random) -> Lead:
    """Make a lead that went some way within the last days."""
    at, cycle, moves = NOW + random.random() * 8 * DAY, 1, []
    for stage in random.choice(WAYS):
        cycle += stage == "RECYCLED"
        moves.append((stage, at, cycle))
        at += random.random() * 30 * HOUR
    overrides = tuple(stage for stage, *_ in moves if random.random() < 0.1)
    lead = make_history(*moves, source=random.choice(["", "fair", "ad"]), overrides=overrides)
    Lead.objects.filter(pk=lead.pk).update(campaign=random.choice(["", "spring"]))
    if random.random() < 0.8:
        LeadScore.objects.create(lead=lead, persona=random.choice(["", "Buyer"]))
    return lead


def move_on(random: Random, lead: Lead) -> None:
    """Write the next stage of a lead, perhaps back-dated."""
    last = StageInterval.objects.current().get(lead=lead)
    at = last.started_at + random.random() * 20 * HOUR
    StageInterval.objects.filter(pk=last.pk).update(ended_at=at)
    stage = random.choice(["MQL", "SAL", "SQL", "RECYCLED", "LEAD"])
    StageInterval.objects.create(
        lead=lead, sequence=last.sequence + 1, stage=stage, started_at=at,
        cycle=last.cycle + (stage == "RECYCLED"),
    )  # fmt: skip
    _stand_at(lead)


def _stand_at(lead: Lead) -> None:
    """Let a lead stand where its history ends."""
    last = StageInterval.objects.current().get(lead=lead)
    Lead.objects.filter(pk=lead.pk).update(
        stage=last.stage, stage_since=last.started_at, cycle=last.cycle
    )


def take_back(_: Random, lead: Lead) -> None:
    """Remove the last stage of a lead; that before is open again."""
    last = StageInterval.objects.current().get(lead=lead)
    if last.sequence > 1:
        last.delete()
        before = StageInterval.objects.filter(lead=lead, sequence=last.sequence - 1)
        before.update(ended_at=None)
        _stand_at(lead)


def back_date(_: Random, lead: Lead) -> None:
    """Move all that a lead did to days long before."""
    for each in StageInterval.objects.filter(lead=lead).order_by("sequence"):
        ended_at = each.ended_at and each.ended_at - 20 * DAY
        StageInterval.objects.filter(pk=each.pk).update(
            started_at=each.started_at - 20 * DAY, ended_at=ended_at
        )
    _stand_at(lead)


def override(_: Random, lead: Lead) -> None:
    StageInterval.objects.filter(lead=lead, sequence=1).update(is_override=True, reason="by hand")


def come_from(random: Random, lead: Lead) -> None:
    Lead.objects.filter(pk=lead.pk).update(source=f"source {random.random()}")


def belong_to(random: Random, lead: Lead) -> None:
    Lead.objects.filter(pk=lead.pk).update(campaign=f"campaign {random.random()}")


def fit(random: Random, lead: Lead) -> None:
    persona = f"persona {random.random()}"
    LeadScore.objects.update_or_create(lead=lead, defaults={"persona": persona})


def fit_again(random: Random, lead: Lead) -> None:
    fit(random, lead)


def lose_score(_: Random, lead: Lead) -> None:
    LeadScore.objects.filter(lead=lead).delete()


def hold(random: Random, lead: Lead) -> None:
    """Give the last handoff of a lead to another rep, or open one."""
    rep = make_user(Role.REP)
    if Handoff.objects.filter(lead=lead).update(holder=rep) == 0 or random.random() < 0.3:
        hand_over(lead, rep)


def hold_again(_: Random, lead: Lead) -> None:
    """Give what is handed over to another rep."""
    Handoff.objects.filter(lead=lead).update(holder=make_user(Role.REP))


def hand_over(lead: Lead, rep: User | None) -> Handoff:
    """Make a handoff that is over, of the cycle in which the lead is."""
    at = lead.created_at
    calendar = WorkCalendar.objects.first() or make_calendar()
    return Handoff.objects.create(
        lead=lead, cycle=lead.cycle, holder=rep, calendar=calendar, state=HandoffState.QUALIFIED,
        raised_at=at, opened_at=at, closed_at=at, brief={}, brief_digest="",
    )  # fmt: skip


def hand_to_pool(_: Random, lead: Lead) -> None:
    hand_over(lead, None)


def lose_handoffs(_: Random, lead: Lead) -> None:
    Handoff.objects.filter(lead=lead).delete()


def merge(_: Random, lead: Lead) -> None:
    Lead.objects.filter(pk=lead.pk).update(merged_into=make_lead())


def part(_: Random, lead: Lead) -> None:
    Lead.objects.filter(pk=lead.pk).update(merged_into=None)


def remove(_: Random, lead: Lead) -> None:
    Handoff.objects.filter(lead=lead).delete()
    lead.delete()


CHANGES: Mapping[str, Callable[[Random, Lead], None]] = {
    each.__name__: each
    for each in (
        move_on, take_back, back_date, override, come_from, belong_to, fit, fit_again,
        lose_score, hold, hold_again, hand_to_pool, lose_handoffs, merge, part, remove,
    )
}  # fmt: skip


def week(basis: str, unit: Unit) -> Cohort:
    """Return the last whole local days, today among them."""
    zone = timezone.get_current_timezone()
    end = TODAY.astimezone(zone).replace(hour=0, minute=0) + DAY
    return Cohort(basis, end - 12 * DAY, end, unit)


def count_all(now: Any = TODAY) -> None:
    while count_funnel_days(now=now):
        pass


def figures(cohort: Cohort) -> list[Any]:
    return [funnel(cohort, split=split) for split in Split]


def figures_now(cohort: Cohort) -> list[Any]:
    """Count everything anew, as if no day had been counted beforehand."""
    FunnelDay.objects.update(counted_at=None)
    return figures(cohort)


def counts_of(row: FunnelRow) -> dict[str, int]:
    """Return the figures of a row that are not zero, by name."""
    told = {**row.reached, **row.exits, "OVERRIDDEN": row.overridden, "OPEN": row.in_progress}
    told |= {f"NO_{step}": count for step, count in row.skipped.items()}
    return {name: count for name, count in told.items() if count}


def assert_figures_are_those_of_their_leads(cohort: Cohort, split: Split) -> None:
    """Compare each figure with a plain count, with the list that it opens, and with the file."""
    whole, parts = funnel(cohort, split=split)
    plain = plain_funnel(cohort, split)
    assert {row.key: counts_of(row) for row in parts} | {None: counts_of(whole)} == (
        {None: {}, **plain}
    )
    for row in (whole, *parts):
        for name, count in counts_of(row).items():
            assert listed(cohort, name, split, row.key) == count
    if not cohort.is_flow:
        assert len(list(cohort_rows(cohort))) == whole.reached[cohort.basis]


def listed(cohort: Cohort, figure: str, split: Split, key: str | None) -> int:
    """Count the list that a figure opens."""
    if cohort.unit is Unit.CYCLES:
        found = cycles(cohort, figure)
        return (found if key is None else found.filter(part_of_cycles_q(split, key))).count()
    leads = Lead.objects.standing().filter(reached_q(cohort, figure))
    return (leads if key is None else leads.filter(part_q(split, key))).count()


@pytest.mark.parametrize("seed", range(4))
def test_sums_are_those_of_the_leads_whatever_happens(seed: int) -> None:
    random = Random(seed)
    for _ in range(25):
        tell(random)
    count_all()
    used = 0

    for _ in range(8):
        for _ in range(random.randint(0, 5)):
            told = Lead.objects.filter(stage_intervals__isnull=False)
            CHANGES[random.choice(list(CHANGES))](random, random.choice(list(told)))
        if random.random() < 0.5:
            count_funnel_days(now=TODAY)
        basis, unit = random.choice(KINDS)
        with timezone.override(ZoneInfo(random.choice([*ZONES, "Asia/Tokyo"]))):
            cohort = week(basis, unit)
            used += len(counted_beforehand(basis, unit, list(days_of(cohort.start, cohort.end))))
            shown = random.choice(sorted(set(Split) - {Split.MONTH}))
            assert_figures_are_those_of_their_leads(cohort, shown)
            kept = FunnelDay.objects.in_bulk()
            assert figures(cohort) == figures_now(cohort)
            FunnelDay.objects.bulk_update(kept.values(), ["counted_at"])

    assert used > 0  # or nothing was compared


@pytest.mark.parametrize("name", sorted(set(CHANGES) - {"part"}))
def test_a_change_is_told_at_once_and_counted_again(name: str) -> None:
    random = Random(name)
    moves = (("LEAD", NOW, 1), ("MQL", NOW + DAY, 1), ("SAL", NOW + 2 * DAY, 1))
    lead = make_history(*moves, source="fair")
    make_history(*moves, source="fair")
    if name != "hold":  # which opens the first handoff then
        hand_over(lead, make_user(Role.REP))
    if name != "fit":  # which is the first score then
        LeadScore.objects.create(lead=lead, persona="Buyer")
    count_all()
    cohorts = [week(basis, unit) for basis, unit in KINDS]
    before = [figures(cohort) for cohort in cohorts]
    assert not FunnelChange.objects.exists()

    CHANGES[name](random, lead)
    told = [figures(cohort) for cohort in cohorts]
    count_all()

    assert not FunnelChange.objects.exists()
    assert told == [figures(cohort) for cohort in cohorts]
    assert told == [figures_now(cohort) for cohort in cohorts]
    assert told != before


def test_days_that_are_over_are_read_and_others_counted() -> None:
    make_history(("LEAD", NOW, 1), ("MQL", NOW + DAY, 1))
    make_history(("LEAD", TODAY, 1), ("MQL", TODAY, 1))
    count_all()
    FunnelSum.objects.update(mql=7)

    whole, _ = funnel(week("MQL", Unit.PEOPLE), split=Split.SOURCE)

    assert whole.reached["MQL"] == 8  # seven that were kept, and today


def test_a_day_cut_by_the_period_is_counted_now() -> None:
    make_history(("LEAD", NOW, 1), ("MQL", NOW + DAY, 1))
    count_all()
    FunnelSum.objects.update(mql=7)
    cut = Cohort("MQL", NOW + DAY - HOUR, NOW + DAY + HOUR)

    assert funnel(cut, split=Split.SOURCE)[0].reached["MQL"] == 1


def test_a_merge_leaves_the_merged_lead_out_and_its_undo_brings_it_back() -> None:
    marketer = make_user(Role.MARKETER)
    survivor, merged = (make_history(("LEAD", NOW, 1), ("MQL", NOW + DAY, 1)) for _ in range(2))
    count_all()
    told = [_mqls()]

    done = merge_leads(
        survivor_id=survivor.pk, merged_id=merged.pk, actor=marketer, now=TODAY - DAY
    )
    told.append(_mqls())
    count_all()
    undo_merge(merge_id=done.pk, actor=marketer, now=TODAY - HOUR)
    told.append(_mqls())

    assert told == [2, 1, 2]


def _mqls() -> int:
    return funnel(week("MQL", Unit.PEOPLE), split=Split.SOURCE)[0].reached["MQL"]


def test_one_transaction_notes_an_hour_once() -> None:
    leads = [make_history(("LEAD", NOW, 1), ("MQL", NOW + HOUR, 1)) for _ in range(3)]
    count_all()
    for lead in leads:
        come_from(Random(1), lead)

    noted = set(FunnelChange.objects.values_list("basis", "hour"))
    assert {basis for basis, _ in noted} == {"LEAD", "MQL", "FLOW"}
    assert FunnelChange.objects.count() == len(noted)
