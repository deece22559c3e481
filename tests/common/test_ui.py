"""Badges, marks and tags of the design language."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.template import Context, Template
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from lucide import IconDoesNotExist

from crm.accounts.models import User
from crm.common.slots import EntryAct
from crm.common.ui import marks, scores, spans, words
from crm.common.ui.badges import (
    ClockState,
    Running,
    SlaBadge,
    met_badge,
    paused_badge,
    running_badge,
    waiting_badge,
)
from crm.common.ui.icons import icon
from crm.common.ui.navigation import NavGroup, NavItem
from crm.common.ui.timeline import TimelineItem, timeline_item

NOW = datetime(2026, 5, 12, 10, 42, tzinfo=UTC)
DEFINITION = frozenset({"A1", "A2", "B1", "B2"})


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def render(source: str, **context: object) -> str:
    return Template("{% load ui %}" + source).render(Context(context))


def text_of(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html)).strip()


# --- Score lines ----------------------------------------------------------------------------------


def test_score_lines_are_rounded_before_they_are_added() -> None:
    lines = [scores.ScoreLine("one", 0.25), scores.ScoreLine("two", 0.25)]

    assert scores.total(lines) == Decimal("0.6")


@given(st.lists(st.floats(-500, 500), max_size=12))
def test_the_shown_lines_add_up_to_the_shown_total(values: list[float]) -> None:
    lines = [scores.ScoreLine("line", value) for value in values]

    shown = [Decimal(words.signed_tenths(v).replace(words.MINUS, "-")) for v in values]

    assert sum(shown) == scores.total(lines)


def test_the_longest_bar_belongs_to_the_largest_value_whatever_its_sign() -> None:
    lines = [scores.ScoreLine("up", 4), scores.ScoreLine("down", -8), scores.ScoreLine("none", 0)]

    assert scores.shares(lines) == [0.5, 1.0, 0.0]


def test_score_lines_show_each_value_and_the_sum() -> None:
    lines = [
        scores.ScoreLine("Case study", 14.66, how="15, yesterday"),
        scores.ScoreLine("Single-shift plant", -8),
        scores.ScoreLine("Maintenance system", 0, is_known=False),
    ]

    html = render("{% score_lines lines 'Why now' %}", lines=lines)

    assert text_of(html) == (
        "Why now Case study 15, yesterday +14.7 Single-shift plant −8.0 "
        "Maintenance system +0.0 Sum of 3 lines 6.7"
    )
    assert html.count("is-hollow") == 1
    assert html.count('class="bar') == 2 + 2 * 2  # two bars, each with track and fill


# --- Badges ---------------------------------------------------------------------------------------


def clock(left: float, allowed: float = 120) -> SlaBadge:
    running = Running(left=minutes(left), allowed=minutes(allowed), read_at=NOW)
    return running_badge(clock="Accept", running=running, title="Due 11:03")


@pytest.mark.parametrize(
    ("left", "state", "text"),
    [
        (31, ClockState.ON_TRACK, "31 min left"),
        (30, ClockState.AT_RISK, "30 min left"),  # a quarter of 120: at risk
        (0, ClockState.AT_RISK, "0 s left"),
        (-1, ClockState.BREACHED, "1 min over"),
    ],
)
def test_a_clock_is_at_risk_from_a_quarter_and_breached_below_nothing(
    left: float, state: ClockState, text: str
) -> None:
    badge = clock(left)

    assert (badge.state, badge.text) == (state, text)


def test_a_clock_past_due_is_breached_though_no_working_time_has_passed_since() -> None:
    running = Running(minutes(0), minutes(120), read_at=NOW, closes_at=NOW, is_over=True)

    badge = running_badge(clock="Accept", running=running)

    assert (badge.state, badge.text) == (ClockState.BREACHED, "0 s over")


def test_the_ring_never_leaves_its_circle() -> None:
    assert (clock(-500).share_left, clock(500).share_left) == (0.0, 1.0)


def test_a_clock_without_allowed_time_is_refused() -> None:
    with pytest.raises(ValueError, match="positive"):
        clock(5, allowed=0)


def test_only_running_clocks_carry_what_the_browser_counts_down() -> None:
    assert "data-clock" in render("{% sla_badge badge %}", badge=clock(21))
    assert "data-clock" not in render("{% sla_badge badge %}", badge=waiting_badge(clock="Qualify"))


def test_a_running_clock_says_when_its_window_closes() -> None:
    running = Running(minutes(21), minutes(120), read_at=NOW, closes_at=NOW + minutes(10))

    html = marks.sla_badge(running_badge(clock="Accept", running=running))

    assert 'data-left="1260" data-allowed="7200"' in html
    assert f'data-closes-at="{int(NOW.timestamp()) + 600}"' in html


@pytest.mark.parametrize(
    ("badge", "said"),
    [
        (clock(21), "Accept 21 min left"),
        (clock(-19), "Accept 19 min over"),
        (paused_badge(clock="Touch", resumes="Wed 09:00"), "Touch Wed 09:00"),
        (waiting_badge(clock="Qualify"), "Qualify waits on buyer"),
        (met_badge(clock="Touch", took=minutes(42)), "Touch met, 42 min"),
    ],
)
def test_every_state_says_itself_in_words(badge: SlaBadge, said: str) -> None:
    html = render("{% sla_badge badge %}", badge=badge)

    assert text_of(html) == said
    assert f"is-{badge.state}" in html


def test_the_countdown_puts_the_figure_first_and_the_clock_below() -> None:
    assert text_of(render("{% countdown badge %}", badge=clock(21))) == "21 min left Accept clock"


def test_what_people_typed_is_escaped_in_badges() -> None:
    badge = paused_badge(clock="<b>", resumes='"><script>', title='" onmouseover="x')

    html = render("{% sla_badge badge %}", badge=badge)

    assert "<script>" not in html
    assert 'title="&quot; onmouseover=&quot;x"' in html


# --- Marks ----------------------------------------------------------------------------------------


def test_a_grade_cell_says_whether_it_is_inside_the_definition() -> None:
    inside = render("{% grade_cell 'B2' definition %}", definition=DEFINITION)
    outside = render("{% grade_cell 'D4' definition %}", definition=DEFINITION)

    assert 'aria-label="Grade B2, inside the MQL definition"' in inside
    assert 'aria-label="Grade D4, outside the MQL definition"' in outside
    assert ("is-inside" in inside, "is-inside" in outside) == (True, False)


def test_a_grade_cell_draws_sixteen_squares_and_its_own_where_it_belongs() -> None:
    html = marks.grade_cell("B2", DEFINITION)

    assert html.count("z") == 16
    assert 'class="own" d="M4.4 4.4h5.2v5.2h-5.2z"' in html


@pytest.mark.parametrize("missing", ["", None])
def test_not_evaluated_is_words_without_a_grid(missing: str | None) -> None:
    html = marks.grade_cell(missing, DEFINITION)

    assert text_of(html) == "Not evaluated"
    assert "<svg" not in html


def test_the_bant_mark_names_the_four_questions_in_their_order() -> None:
    html = render("{% bant_mark answers %}", answers=["YES", "NO", "UNKNOWN", "NOT_ASKED"])

    assert 'aria-label="Budget yes, Authority no, Need unknown, Timeline not asked"' in html
    assert html.count("<svg") == 4


def test_a_bant_mark_of_three_answers_is_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        marks.bant_mark(["YES", "NO", "UNKNOWN"])


def test_attempts_are_drawn_and_said() -> None:
    html = render("{% attempts 2 6 %}")

    assert text_of(html) == "2 of 6 attempts"
    assert (html.count('"done"'), html.count('"open"')) == (2, 4)


def test_the_parts_of_a_stack_fill_it() -> None:
    html = marks.stack_bar(
        [("step-1", "Up to 25 %", 15), ("step-2", "Up to 50 %", 0), ("late", "Late", 5)]
    )

    assert 'x="0.00%" width="75.00%"' in html
    assert 'x="75.00%" width="25.00%"' in html
    assert 'aria-label="Up to 25 %: 15, Up to 50 %: 0, Late: 5"' in html
    assert text_of(html).endswith("5")


def test_heat_steps_run_from_nothing_to_the_largest() -> None:
    steps = [render("{{ count|heat:12 }}", count=count) for count in (0, 1, 4, 8, 12)]

    assert steps == ["0", "1", "2", "3", "4"]


def test_icons_are_hidden_from_readers_unless_they_are_named() -> None:
    assert 'aria-hidden="true"' in icon("check")
    assert 'role="img" aria-label="Done &amp; gone"' in icon("check", label="Done & gone")


def test_an_unknown_icon_is_an_error_and_not_an_empty_place() -> None:
    with pytest.raises(IconDoesNotExist):
        icon("no-such-icon")


def test_an_avatar_shows_initials_and_says_the_name() -> None:
    html = render("{% avatar user %}", user=User(full_name="Tomas Jan Orlind"))

    assert text_of(html) == "TO Tomas Jan Orlind"
    assert render("{% avatar nobody %}", nobody=None) == ""


def test_no_tag_writes_a_style_attribute() -> None:
    html = render(
        "{% grade_cell 'B2' definition %}{% sla_badge badge %}{% bar 0.4 mark=0.6 %}"
        "{% day_rail rail %}{% split_clock segments due %}",
        definition=DEFINITION,
        badge=clock(21),
        rail=working_day([]),
        segments=split(),
        due=NOW,
    )

    assert "style=" not in html


# --- Pictures with a time axis --------------------------------------------------------------------


def at(hour: int, minute: int = 0) -> datetime:
    return NOW.replace(hour=hour, minute=minute)


def working_day(due: list[spans.RailMark], now: datetime = NOW) -> spans.DayRail:
    return spans.DayRail(
        windows=[(at(8), at(12)), (at(13), at(18))],
        now=now,
        marks=due,
    )


def split() -> list[spans.ClockSegment]:
    return [
        spans.ClockSegment(spans.SegmentKind.SYSTEM, at(9), at(9, 15)),
        spans.ClockSegment(spans.SegmentKind.HOLDER_A, at(9, 15), at(10), "Tomas Orlind"),
    ]


def test_split_clock_segments_are_to_scale_and_the_due_time_lies_among_them() -> None:
    placed, due_x = spans.place_segments(split(), at(9, 30))

    assert [(part.x, part.width) for part in placed] == [(0.0, 25.0), (25.0, 75.0)]
    assert due_x == 50.0


@pytest.mark.parametrize("due_at", [None, at(8, 59), at(10, 1)])
def test_a_due_time_outside_the_bar_is_not_drawn(due_at: datetime | None) -> None:
    assert spans.place_segments(split(), due_at)[1] is None


def test_the_split_clock_says_who_had_how_much() -> None:
    html = render("{% split_clock segments due %}", segments=split(), due=at(9, 30))

    assert 'aria-label="System 15 min, Tomas Orlind 45 min"' in html


def test_a_split_clock_without_time_is_an_empty_bar() -> None:
    assert spans.place_segments([], NOW) == ([], None)


def test_the_day_rail_places_windows_breaks_and_hours() -> None:
    rail = working_day([])

    assert [(part.x, part.width) for part in rail.placed_windows()] == [(0.0, 40.0), (50.0, 50.0)]
    assert [(part.x, part.width) for part in rail.placed_breaks()] == [(40.0, 10.0)]
    assert [part.title for part in rail.hours()][:2] == ["08", "09"]
    assert len(rail.hours()) == 11


def test_due_times_outside_the_day_are_counted_but_not_drawn() -> None:
    due = [
        spans.RailMark(ClockState.BREACHED, at(7), "handoff-1", "Due 07:00"),
        spans.RailMark(ClockState.ON_TRACK, at(13), "handoff-2", "Due 13:00"),
    ]

    rail = working_day(due)

    assert [(part.x, part.target) for part in rail.placed_marks()] == [(50.0, "handoff-2")]
    assert rail.sentence == (
        "Working hours 08:00 to 12:00 and 13:00 to 18:00, now 10:42. "
        "2 due today, 1 of them overdue."
    )


def test_now_is_not_drawn_before_opening() -> None:
    assert working_day([], now=at(7)).now_at is None
    assert working_day([], now=at(8)).now_at == 0.0


# --- Navigation -----------------------------------------------------------------------------------


def test_a_phone_gets_at_most_three_destinations_as_tabs() -> None:
    tabs = [NavItem(name, f"/{name}/", "users", tab=name) for name in "abcd"]
    groups = [NavGroup("", [NavItem("hidden", "/h/", "users"), *tabs[:2]]), NavGroup("x", tabs[2:])]

    html = render("{% for item in groups|bottom_tabs %}{{ item.tab }}{% endfor %}", groups=groups)

    assert html == "abc"


def test_a_line_of_a_timeline_shows_what_it_is_given_as_text() -> None:
    act = EntryAct('Mark "it"', "/say/?on=timeline", "actor", "MACHINE")
    item = TimelineItem(
        at=datetime(2026, 5, 12, 15, 12, tzinfo=UTC), kind="act", icon="download",
        title="<b>Guide</b>", detail="One & all\nTwo", tag="BOFU", points="+2.5", gain="g1",
        url='/x/?a="1"', act=act,
    )  # fmt: skip
    with timezone.override(ZoneInfo("Europe/Berlin")):
        drawn = timeline_item(replace(item, repeats=[item]))

    assert drawn.count('<a href="/x/?a=&quot;1&quot;">&lt;b&gt;Guide&lt;/b&gt;</a>') == 2
    assert '<p class="act-detail">One &amp; all<br>Two</p>' in drawn
    assert '<span class="act-points num" id="gain-g1">+2.5</span>' in drawn
    assert 'name="actor" value="MACHINE" hx-post="/say/?on=timeline"' in drawn
    assert ">Mark &quot;it&quot;</button>" in drawn
    assert '<time class="act-time num" datetime="2026-05-12T17:12:00+02:00">17:12</time>' in drawn
    assert drawn.count("<li ") == drawn.count("</li>") == 2
    assert "<b>" not in drawn
