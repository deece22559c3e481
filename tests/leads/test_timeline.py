"""The timeline: merged from many sources, cut into stretches without holes, grouped for people."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.accounts.models import User
from crm.common.slots import TimelineEntry
from leads.enums import DealOutcome, LifecycleStage
from leads.gains import name_line
from leads.lifecycle import ScoreSnapshot
from leads.services import add_note, change_stage, create_lead, record_deal
from leads.timeline import by_day, merge
from leads.timeline_sources import deal_entries, note_entries, stage_entries
from tests.factories import make_lead, make_user

NOW = datetime(2026, 5, 12, 10, 42, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


def entry(minutes_ago: int, title: str = "", **fields: Any) -> TimelineEntry:
    defaults = {"kind": "acts", "icon": "eye", "title": title or f"{minutes_ago} min ago"}
    return TimelineEntry(at=NOW - timedelta(minutes=minutes_ago), **{**defaults, **fields})


def source_of(
    entries: Sequence[TimelineEntry],
) -> Callable[[datetime | None, int], list[TimelineEntry]]:
    """Return a source that keeps the promise of ``TimelineSource``."""

    def load(before: datetime | None, limit: int) -> list[TimelineEntry]:
        older = [each for each in entries if before is None or each.at < before]
        page = older[:limit]
        return page + [each for each in older[limit:] if page and each.at == page[-1].at]

    return load


@given(st.lists(st.lists(st.integers(0, 30), max_size=25), max_size=4), st.integers(1, 7))
def test_stretches_hold_every_entry_once_and_newest_first(
    sources: list[list[int]], size: int
) -> None:
    histories = [
        [entry(minutes, title=f"{number}/{place}") for place, minutes in enumerate(sorted(times))]
        for number, times in enumerate(sources)
    ]
    loads = [source_of(history) for history in histories]

    seen: list[TimelineEntry] = []
    before: datetime | None = None
    while True:
        stretch = merge([load(before, size + 1) for load in loads], size=size)
        seen += stretch.entries
        before = stretch.older_before
        if before is None:
            break

    everything = [each for history in histories for each in history]
    assert [each.at for each in seen] == sorted((each.at for each in everything), reverse=True)
    assert sorted(each.title for each in seen) == sorted(each.title for each in everything)


def test_what_lies_behind_the_end_of_a_full_source_waits_for_the_next_stretch() -> None:
    busy = [entry(1), entry(2), entry(3)]  # asked for three: there may be more at 4
    quiet = [entry(9, "Note")]

    stretch = merge([busy, quiet], size=2)

    assert [each.title for each in stretch.entries] == ["1 min ago", "2 min ago"]
    assert stretch.older_before == busy[1].at


def test_entries_of_one_instant_are_never_torn_apart() -> None:
    stretch = merge([[entry(1), entry(2, "a"), entry(2, "b"), entry(2, "c")]], size=2)

    assert [each.title for each in stretch.entries] == ["1 min ago", "a", "b", "c"]


def test_an_empty_history_has_neither_lines_nor_a_way_to_older_ones() -> None:
    assert merge([[], []], size=50).older_before is None


def test_days_are_those_of_the_reader() -> None:
    late = TimelineEntry(datetime(2026, 5, 11, 22, 30, tzinfo=UTC), "acts", "eye", "Viewed pricing")
    older = TimelineEntry(datetime(2025, 5, 9, 8, tzinfo=UTC), "acts", "eye", "Viewed home")

    berlin = by_day([late, entry(60 * 24), older], now=NOW, zone=BERLIN)
    utc = by_day([late], now=NOW, zone=UTC)

    assert [(day.date, day.label) for day in berlin] == [
        (date(2026, 5, 12), "Today, Tue 12 May"),
        (date(2026, 5, 11), "Yesterday, Mon 11 May"),
        (date(2025, 5, 9), "Fri 9 May 2025"),
    ]
    assert [day.label for day in utc] == ["Yesterday, Mon 11 May"]


def test_repeats_are_one_line_with_their_number_span_and_points() -> None:
    opens = [
        entry(minutes, "Opened checklist", key="open", points=Decimal("1.0"))
        for minutes in (10, 12, 32)
    ]

    (day,) = by_day([entry(1), *opens, entry(40)], now=NOW, zone=UTC)

    assert [item.title for item in day.items] == [
        "1 min ago",
        "Opened checklist, 3 times",
        "40 min ago",
    ]
    assert day.items[1].detail == "10:10 to 10:32"
    assert (day.items[1].points, day.items[0].points) == ("+3.0", None)


def test_entries_without_a_key_and_repeats_of_two_days_stay_apart() -> None:
    same = [entry(1, "Note"), entry(2, "Note")]
    night = [entry(60 * 10, "Opened", key="open"), entry(60 * 11, "Opened", key="open")]

    days = by_day([*same, *night], now=NOW, zone=UTC)

    assert [len(day.items) for day in days] == [3, 1]


def test_machine_events_keep_their_tone_and_a_plain_entry_is_an_act() -> None:
    (day,) = by_day([entry(1, tone="machine"), entry(2), entry(3, tone="stage")], now=NOW, zone=UTC)

    assert [item.kind for item in day.items] == ["machine", "act", "stage"]


@pytest.fixture
def rep(db: None) -> User:
    return make_user(full_name="Tomas Orlind")


def test_a_move_tells_its_rule_and_the_score_of_that_moment(rep: User) -> None:
    lead = create_lead(now=NOW - timedelta(days=2), email="a@b.example", source="Paid Search")
    snapshot = ScoreSnapshot(14, Decimal("76.0"), Decimal("61.2"), "B2")
    change_stage(
        lead_id=lead.pk,
        to_stage=LifecycleStage.MQL,
        now=NOW,
        rule="Cell B2 is in the definition",
        snapshot=snapshot,
    )

    became, captured = stage_entries(lead.pk, rep, None, 10)

    assert (became.title, became.tag, became.tone, became.kind) == (
        "Became MQL",
        "B2",
        "stage",
        "score",
    )
    assert became.detail == ("Cell B2 is in the definition. Fit 76.0, engagement 61.2, model v14")
    assert (captured.title, captured.tone) == ("Captured from Paid search", "system")


def test_an_override_is_marked_with_who_and_why(rep: User) -> None:
    lead = make_lead()
    change_stage(
        lead_id=lead.pk,
        to_stage=LifecycleStage.WON,
        now=NOW,
        actor=rep,
        reason="Signed at the fair",
        override=True,
    )

    newest = stage_entries(lead.pk, rep, None, 1)[0]

    assert (newest.tag, newest.detail) == (
        "Override",
        "By Tomas Orlind. Reason: Signed at the fair",
    )


def test_notes_and_deals_are_told_by_their_time(rep: User) -> None:
    lead = make_lead(stage=LifecycleStage.SQL, created_at=NOW - timedelta(days=1))
    add_note(lead_id=lead.pk, author=rep, text="Wants a call\nin June", now=NOW)
    record_deal(
        lead_id=lead.pk,
        outcome=DealOutcome.WON,
        closed_at=NOW,
        now=NOW,
        value=Decimal(12000),
        currency="EUR",
        owner_name="T. Orlind",
    )
    deal_before = deal_entries(lead.pk, rep, NOW, 10)

    (note,), (deal,) = (load(lead.pk, rep, None, 10) for load in (note_entries, deal_entries))

    assert (note.title, note.detail) == ("Note by Tomas Orlind", "Wants a call\nin June")
    assert (deal.title, deal.detail) == ("Deal won", "12,000.00 EUR. Closed by T. Orlind")
    assert deal_before == []


def test_a_source_returns_all_of_its_last_instant(rep: User) -> None:
    lead = make_lead()
    for number in range(5):
        add_note(lead_id=lead.pk, author=rep, text=str(number), now=NOW)

    assert [note.detail for note in note_entries(lead.pk, rep, None, 2)] == list("43210")


def test_lines_ask_for_their_points_once_an_instant() -> None:
    at_once = [entry(5, "Asked for a demo", earns=True), entry(5, "Sent a form", earns=True)]
    views = [entry(minutes, "Viewed pricing", key="pricing", earns=True) for minutes in (7, 8)]

    [day] = by_day([*at_once, entry(6, "Note"), *views], now=NOW, zone=BERLIN)

    asked = [name_line([NOW - timedelta(minutes=m) for m in run]) for run in ((5,), (7, 8))]
    assert [item.gain for item in day.items] == [asked[0], "", "", asked[1]]
