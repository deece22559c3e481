"""The funnel: what each step counts, and that every figure opens exactly its leads."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from crm.common.criteria import ValueInvalid, compile_q, from_query
from crm.common.period import Period
from crm.reports.cohorts import EXITS, FLOW, Cohort, Split, Unit
from crm.reports.counted_leads import OPEN, OVERRIDDEN, SKIPPED, cycles, reached_q
from crm.reports.funnel import FunnelRow, cohort_rows, funnel, move_rows
from crm.reports.slices import Slice, read_slice, slice_q
from leads.models import Lead, StageInterval
from scoring.models import LeadScore

pytestmark = pytest.mark.django_db

MARCH, APRIL, MAY = (datetime(2026, month, 1, tzinfo=UTC) for month in (3, 4, 5))
MQLS_OF_MARCH = Cohort("MQL", MARCH, APRIL)
DAY = timedelta(days=1)


def make_history(
    *moves: tuple[str, datetime, int], source: str = "", overrides: tuple[str, ...] = ()
) -> Lead:
    """Make a lead that entered each (stage, moment, cycle) in turn."""
    last_stage, last_at, last_cycle = moves[-1]
    lead = Lead.objects.create(
        stage=last_stage, stage_since=last_at, cycle=last_cycle, source=source,
        created_at=moves[0][1], last_activity_at=last_at,
    )  # fmt: skip
    ends = [later[1] for _, later in pairwise(moves)]
    StageInterval.objects.bulk_create(
        StageInterval(
            lead=lead, sequence=at, stage=stage, cycle=cycle, started_at=started, ended_at=ended,
            is_override=stage in overrides, reason="agreed by phone" if stage in overrides else "",
        )
        for at, ((stage, started, cycle), ended) in enumerate(
            zip(moves, [*ends, None], strict=True), start=1
        )
    )  # fmt: skip
    return lead


@pytest.fixture
def leads() -> dict[str, Lead]:
    """Six leads of which five became MQL in March for the first time."""
    week = MARCH + 7 * DAY
    return {
        "won": make_history(("LEAD", MARCH, 1), ("MQL", week, 1), ("SAL", week + DAY, 1),
                            ("SQL", week + 3 * DAY, 1), ("WON", MAY, 1), source="google"),
        "lost": make_history(("LEAD", MARCH, 1), ("MQL", week, 1), ("SAL", week + 3 * DAY, 1),
                             ("SQL", week + 4 * DAY, 1), ("LOST", MAY, 1), source="google"),
        "skipped": make_history(("LEAD", MARCH, 1), ("MQL", week, 1), ("WON", MAY, 1),
                                source="fair", overrides=("WON",)),
        "working": make_history(("LEAD", MARCH, 1), ("MQL", week, 1), ("SAL", week + DAY, 1)),
        "twice": make_history(("LEAD", MARCH, 1), ("MQL", week, 1), ("RECYCLED", week + DAY, 2),
                              ("MQL", week + 9 * DAY, 2), ("SAL", week + 10 * DAY, 2)),
        "earlier": make_history(("LEAD", MARCH - 9 * DAY, 1), ("MQL", MARCH - DAY, 1),
                                ("RECYCLED", MARCH, 2), ("MQL", week, 2),
                                ("DISQUALIFIED", week + DAY, 2)),
    }  # fmt: skip


def test_people_count_once_at_the_furthest_they_came(leads: dict[str, Lead]) -> None:
    whole, _ = funnel(MQLS_OF_MARCH, split=Split.SOURCE)
    assert whole == FunnelRow(
        key=None,
        reached={"MQL": 5, "SAL": 5, "SQL": 3, "WON": 2},
        skipped={"MQL": 0, "SAL": 1, "SQL": 1, "WON": 0},
        median_time={"SAL": DAY, "SQL": DAY, "WON": whole.median_time["WON"]},
        exits={"RECYCLED": 1, "DISQUALIFIED": 0, "LOST": 1},
        overridden=1,
        in_progress=2,
    )


def test_cycles_count_each_cycle(leads: dict[str, Lead]) -> None:
    cohort = Cohort("MQL", MARCH, APRIL, Unit.CYCLES)
    whole, _ = funnel(cohort, split=Split.SOURCE)
    assert whole.reached == {"MQL": 7, "SAL": 5, "SQL": 3, "WON": 2}
    assert whole.exits == {"RECYCLED": 1, "DISQUALIFIED": 1, "LOST": 1}


@pytest.mark.parametrize("unit", list(Unit))
def test_months_add_up_to_the_quarter(unit: Unit) -> None:
    make_history(("LEAD", MARCH, 1), ("MQL", MARCH + DAY, 1), ("LEAD", MARCH + 2 * DAY, 1),
                 ("MQL", APRIL + DAY, 1), overrides=("LEAD",))  # fmt: skip
    march, april, both = (
        Cohort("MQL", *span, unit) for span in ((MARCH, APRIL), (APRIL, MAY), (MARCH, MAY))
    )
    counts = [
        funnel(cohort, split=Split.SOURCE)[0].reached["MQL"] for cohort in (march, april, both)
    ]
    lists = [Lead.objects.filter(reached_q(cohort, "MQL")).count() for cohort in (march, april)]

    assert (counts, lists) == ([1, 0, 1], [1, 0])


def test_parts_by_source_add_up_to_the_whole(leads: dict[str, Lead]) -> None:
    whole, parts = funnel(MQLS_OF_MARCH, split=Split.SOURCE)
    assert {part.key: part.reached["MQL"] for part in parts} == {"": 2, "google": 2, "fair": 1}
    for step, count in whole.reached.items():
        assert sum(part.reached[step] for part in parts) == count


def test_parts_by_month_begin_in_the_viewers_zone() -> None:
    make_history(("LEAD", MARCH, 1), ("MQL", APRIL - timedelta(minutes=30), 1))
    _, utc = funnel(Cohort("MQL", MARCH, MAY), split=Split.MONTH)
    with timezone.override(ZoneInfo("Europe/Berlin")):
        _, berlin = funnel(Cohort("MQL", MARCH, MAY), split=Split.MONTH)
    assert ([part.key for part in utc], [part.key for part in berlin]) == (["2026-03"], ["2026-04"])


@pytest.mark.parametrize("unit", list(Unit))
@pytest.mark.parametrize("basis", ["LEAD", "MQL", FLOW])
def test_every_figure_opens_exactly_its_leads(
    leads: dict[str, Lead], basis: str, unit: Unit
) -> None:
    cohort = Cohort(basis, MARCH, APRIL, unit)
    whole, _ = funnel(cohort, split=Split.SOURCE)
    counts = {**whole.reached, **{name: whole.exits[name] for name in EXITS}}
    counts |= {f"{SKIPPED}{step}": count for step, count in whole.skipped.items()}
    counts |= {OVERRIDDEN: whole.overridden}
    if basis != FLOW:
        counts[OPEN] = whole.in_progress
    listed = {
        step: (
            cycles(cohort, step) if unit is Unit.CYCLES
            else Lead.objects.filter(reached_q(cohort, step))
        ).count()
        for step in counts
    }  # fmt: skip

    assert listed == counts


def test_the_flow_counts_who_came_in_the_period_whenever_they_began(
    leads: dict[str, Lead],
) -> None:
    whole, _ = funnel(Cohort(FLOW, MAY, MAY + DAY), split=Split.SOURCE)
    both = {"LEAD": 0, "MQL": 0, "SAL": 1, "SQL": 1, "WON": 2}

    assert whole.reached == both  # of two won one was never accepted and no SQL
    assert whole.skipped == {"LEAD": 0, "MQL": 0, "SAL": 1, "SQL": 1, "WON": 0}
    assert (whole.exits["LOST"], whole.overridden, whole.in_progress) == (1, 1, 0)
    assert whole.median_time["WON"] == MAY - (MARCH + 10 * DAY)


def test_a_second_cycle_comes_to_a_step_again_only_as_a_cycle(leads: dict[str, Lead]) -> None:
    mqls = [funnel(Cohort(FLOW, MARCH, APRIL, unit), split=Split.SOURCE)[0].reached["MQL"]
            for unit in Unit]  # fmt: skip
    assert mqls == [5, 7]


def test_the_file_of_the_flow_has_a_row_for_each_move_that_is_counted(
    leads: dict[str, Lead],
) -> None:
    for unit in Unit:
        cohort = Cohort(FLOW, MARCH, APRIL, unit)
        whole, _ = funnel(cohort, split=Split.SOURCE)
        moves = Counter(step for *_, step, _ in move_rows(cohort))
        assert moves == {step: n for step, n in {**whole.reached, **whole.exits}.items() if n}


def test_an_override_that_recycles_belongs_to_the_cycle_that_it_ends() -> None:
    lead = make_history(("LEAD", MARCH, 1), ("MQL", MARCH + DAY, 1), ("RECYCLED", MAY, 2),
                        ("MQL", MAY + DAY, 2), overrides=("RECYCLED",))  # fmt: skip
    first, second = (Cohort("MQL", start, start + 30 * DAY, Unit.CYCLES) for start in (MARCH, MAY))
    counts = [funnel(cohort, split=Split.SOURCE)[0].overridden for cohort in (first, second)]

    assert counts == [1, 0]
    assert Lead.objects.filter(reached_q(first, OVERRIDDEN)).get() == lead
    assert not Lead.objects.filter(reached_q(second, OVERRIDDEN)).exists()


def test_an_empty_cohort_is_all_zero() -> None:
    whole, parts = funnel(MQLS_OF_MARCH, split=Split.SOURCE)
    assert (whole.reached, parts) == ({"MQL": 0, "SAL": 0, "SQL": 0, "WON": 0}, [])


def test_the_csv_has_one_row_for_each_that_the_first_step_counts(leads: dict[str, Lead]) -> None:
    for unit, count in ((Unit.PEOPLE, 5), (Unit.CYCLES, 7)):
        assert len(list(cohort_rows(Cohort("MQL", MARCH, APRIL, unit)))) == count


def test_a_figure_is_a_filter_of_the_lead_list(leads: dict[str, Lead]) -> None:
    opened = Slice("MQL", Period(MARCH.date(), (APRIL - DAY).date()), "WON", Unit.PEOPLE, "google")
    assert read_slice(opened.code) == opened
    criteria = from_query([f"funnel.is.{opened.code}"])
    assert list(Lead.objects.filter(compile_q(criteria, now=MAY))) == [leads["won"]]
    assert opened.words == ("Won, of people MQL for the first time 1–31 Mar 2026, from Google")


@pytest.mark.parametrize(
    ("split", "key", "name"),
    [
        (Split.CAMPAIGN, "spring_fair", "Spring fair"),
        (Split.CAMPAIGN, "", "no campaign"),
        (Split.PERSONA, "Head: of plants", "Head: of plants"),
        (Split.PERSONA, "", "no persona"),
    ],
)
def test_a_figure_of_a_part_opens_exactly_its_leads(split: Split, key: str, name: str) -> None:
    for own in (key, "other"):
        lead = make_history(("LEAD", MARCH, 1), ("MQL", MARCH + DAY, 1))
        Lead.objects.filter(pk=lead.pk).update(campaign=own)
        LeadScore.objects.create(lead=lead, persona=own)
    _, parts = funnel(MQLS_OF_MARCH, split=split)
    march = Period(MARCH.date(), (APRIL - DAY).date())

    opened = read_slice(Slice("MQL", march, "MQL", Unit.PEOPLE, key, split).code)

    assert opened == Slice("MQL", march, "MQL", Unit.PEOPLE, key, split)
    assert opened.words.endswith(f", {split}: {name}")
    assert {part.key: part.reached["MQL"] for part in parts} == {key: 1, "other": 1}
    assert Lead.objects.filter(slice_q(opened)).count() == 1


@pytest.mark.parametrize(
    "days",
    ["2026-01-01:9999-12-31", "0001-01-01:2026-01-01", "2026-02-01:2026-01-01", "2026-01-01:soon"],
)
def test_a_figure_of_no_period_is_refused(days: str) -> None:
    with pytest.raises(ValueInvalid, match="needs a figure of the funnel"):
        read_slice(f"MQL:{days}:MQL:people")
