"""SLA compliance: what a clock counts as, and that every figure is its rows."""

import html
import re
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext
from django.urls import reverse, reverse_lazy
from django.utils import timezone

from crm.accounts.enums import Role
from crm.reports.compliance import Compliance, compliance
from crm.reports.live import live_figures
from crm.reports.pages import SLA_HEADER, kpis, whole_line
from crm.reports.questions import sla_question
from crm.reports.services import count_splits
from crm.reports.sla import breach_log, counted, counted_rows
from crm.reports.sla_page import week_chart
from crm.reports.standing import NOBODY, By, Sample, Scope, Standing
from handoff.enums import ClockKind, RejectionReason, TouchChannel, TouchOutcome
from handoff.models import Clock, Handoff
from handoff.services import log_touch, reject_handoff
from tests.factories import NOW, client_of, make_team, make_user
from tests.handoff.factories import ANY_LEAD, make_agreement, make_calendar, make_handoff, make_rep

pytestmark = pytest.mark.django_db

SCOPE = Scope(ClockKind.FIRST_TOUCH, NOW - timedelta(days=1), NOW + timedelta(days=9))
HOUR = timedelta(hours=1)
LATER = NOW + timedelta(days=2)
LISTS = reverse_lazy("reports:sla_handoffs")


def figures(scope: Scope = SCOPE, by: By = By.REP, *, now: datetime = LATER) -> Compliance:
    """Return the figures of ``scope``; the period before is as long as it is."""
    return compliance(scope, by, since=scope.start - (scope.end - scope.start), now=now)


def touch(handoff: Handoff, *, after: timedelta) -> None:
    """Log an unanswered call ``after`` the opening, as it happened."""
    assert handoff.holder
    at = handoff.opened_at + after
    log_touch(
        handoff_id=handoff.pk, rep=handoff.holder, channel=TouchChannel.CALL,
        outcome=TouchOutcome.NO_ANSWER, occurred_at=at, now=at,
    )  # fmt: skip


@pytest.fixture
def worked() -> dict[str, Handoff]:
    """Five handoffs of one rep under 4 h to first touch, opened Tuesday 11:00 Berlin time."""
    make_agreement(ANY_LEAD)
    make_calendar()
    make_rep(make_team(name="DACH"), full_name="Tomas Orlind")
    made = {name: make_handoff(source="fair") for name in ("kept", "edge", "late", "open", "gone")}
    touch(made["kept"], after=HOUR)
    touch(made["edge"], after=4 * HOUR)
    touch(made["late"], after=5 * HOUR)
    assert made["gone"].holder
    reject_handoff(
        handoff_id=made["gone"].pk, rep=made["gone"].holder,
        reason=RejectionReason.NO_CONTACT_DATA, now=NOW + HOUR,
    )  # fmt: skip
    return made


def test_a_clock_counts_as_what_it_is_at_that_moment(worked: dict[str, Handoff]) -> None:
    before, after = (figures(now=NOW + hours * HOUR).whole for hours in (3, 5))
    assert (before.on_time, before.late, before.not_yet_due, before.withdrawn) == (2, 1, 1, 1)
    assert (after.on_time, after.late, after.not_yet_due, after.withdrawn) == (2, 2, 0, 1)
    assert after.share == 0.5
    assert after.received == 5


def test_an_answer_at_the_due_instant_is_on_time(worked: dict[str, Handoff]) -> None:
    on_time = counted(SCOPE, Standing.ON_TIME, now=LATER)
    assert set(on_time.values_list("handoff", flat=True)) == {worked["kept"].pk, worked["edge"].pk}


def test_a_breach_counts_even_if_no_sweep_ran(worked: dict[str, Handoff]) -> None:
    late = counted(SCOPE, Standing.LATE, now=LATER)
    assert set(late.values_list("handoff", flat=True)) == {worked["late"].pk, worked["open"].pk}
    assert late.filter(handoff=worked["open"]).get().breached_at is None


def test_spans_are_working_time(worked: dict[str, Handoff]) -> None:
    whole = figures().whole
    assert (whole.median, whole.answered) == (4 * HOUR, 3)
    lines = {line.clock.handoff_id: line for line in breach_log(SCOPE, now=NOW + timedelta(days=1))}
    still_open = lines[worked["open"].pk]
    # Tuesday 11:00-18:00 and Wednesday 09:00-11:00: nine hours of work, five over four.
    assert (still_open.elapsed, still_open.over_by) == (9 * HOUR, 5 * HOUR)
    assert still_open.is_running


def test_nothing_due_has_no_percentage() -> None:
    make_handoff()
    whole = figures(now=NOW).whole
    assert (whole.received, whole.due, whole.share) == (1, 0, None)


def test_a_period_without_handoffs_is_all_zero() -> None:
    found = figures()
    assert (found.whole.received, found.whole.share, found.rows, found.weeks) == (0, None, [], [])


def test_the_period_before_is_counted_apart(worked: dict[str, Handoff]) -> None:
    after = Scope(SCOPE.kind, SCOPE.end, SCOPE.end + timedelta(days=10))
    found = figures(after)
    assert found.before == figures().whole
    assert (found.whole.received, found.rows, found.weeks) == (0, [], [])


@pytest.mark.parametrize("by", list(By))
def test_rows_add_up_to_the_whole_and_to_their_lists(worked: dict[str, Handoff], by: By) -> None:
    found = figures(by=by)
    rows = found.rows
    assert sum(row.received for row in rows) == found.whole.received == 5
    assert [row.received for row in found.weeks] == [5]
    for standing in Standing:
        total = sum(getattr(row, standing.value) for row in rows)
        assert total == counted(SCOPE, standing, now=LATER).count()
    samples = {Sample.DUE: sum(row.due for row in rows)}
    samples[Sample.OPEN] = sum(row.still_open for row in rows)
    samples[Sample.ANSWERED] = sum(row.answered for row in rows)
    samples[Sample.SPLIT] = found.split.handoffs
    assert samples == {each: counted(SCOPE, each, now=LATER).count() for each in Sample}


@pytest.mark.parametrize("query", ["", "by=week&kind=VERDICT", "by=tier&kind=ACCEPT"])
def test_each_number_of_the_page_opens_as_many_rows(worked: dict[str, Handoff], query: str) -> None:
    count_splits(now=timezone.now())
    asked = f"from=2026-05-01&to=2026-05-31&{query}"
    web = client_of(make_user(Role.MANAGER))
    page = web.get(f"/reports/sla/?{asked}").content.decode()
    links = re.findall(rf'<a href="({LISTS}[^"]*)">(?:<b[^>]*>)?(?:of )?([\d,]+)(?: due)?<', page)

    assert len(links) > 12
    for url, number in links:
        lines = web.get(html.unescape(url)).context["lines"]
        assert len(lines) == int(number.replace(",", "")), url


def test_rows_carry_the_names_people_know(worked: dict[str, Handoff]) -> None:
    named = {by: [row.label for row in figures(by=by).rows] for by in By}
    assert named == {
        By.REP: ["Tomas Orlind"],
        By.TEAM: ["DACH"],
        By.TIER: ["Everything else"],
        By.SOURCE: ["Fair"],
        By.VERSION: ["Version 1"],
        By.WEEK: ["11 May"],
    }


def test_a_row_narrowed_to_its_rep_counts_the_same(worked: dict[str, Handoff]) -> None:
    [row] = figures().rows
    narrowed = Scope(SCOPE.kind, SCOPE.start, SCOPE.end, {By.REP: row.key})
    assert figures(narrowed).whole.received == row.received
    stranger = make_user(Role.REP)
    nobody = Scope(SCOPE.kind, SCOPE.start, SCOPE.end, {By.REP: str(stranger.pk)})
    assert figures(nobody).whole.received == 0


@pytest.mark.parametrize("by", [By.REP, By.TEAM, By.TIER, By.SOURCE])
def test_rows_of_nobody_open_their_own_list(by: By) -> None:
    lead = make_handoff(source="").lead
    Handoff.objects.filter(lead=lead).update(team=None, tier=None)
    Clock.objects.filter(handoff__lead=lead).update(answerable=None)
    make_agreement(ANY_LEAD)
    make_handoff(source="fair")
    row = next(row for row in figures(by=by).rows if row.key == NOBODY)
    narrowed = Scope(SCOPE.kind, SCOPE.start, SCOPE.end, {by: NOBODY})
    assert [clock.handoff.lead for clock in counted(narrowed, None, now=LATER)] == [lead]
    assert row.received == 1


def test_csv_rows_are_the_counted_clocks(worked: dict[str, Handoff]) -> None:
    for standing in (None, *Standing, *Sample):
        rows = list(counted_rows(SCOPE, standing, now=LATER))
        assert len(rows) == counted(SCOPE, standing, now=LATER).count()
        assert all(len(row) == len(SLA_HEADER) for row in rows)


def test_live_figures_are_of_this_moment(worked: dict[str, Handoff]) -> None:
    at_risk_moment = NOW + timedelta(hours=3, minutes=30)  # past 80 % of four hours
    live = live_figures(SCOPE, now=at_risk_moment)
    assert (live.running, live.at_risk) == ("1", "1")


def test_a_week_with_a_small_sample_stays_empty_in_the_chart(worked: dict[str, Handoff]) -> None:
    question = sla_question(QueryDict(""), now=NOW)
    row = replace(figures().whole, label="18 May")
    weeks = [replace(row, label=day, on_time=9, late=1) for day in ("4 May", "11 May", "25 May")]
    chart = week_chart(question, [*weeks[:2], row, weeks[2]], goal=90)
    assert chart.lines == ["0.0,10.0 33.33,10.0", "100.0,10.0 100.0,10.0"]
    assert (chart.now and chart.now.label, chart.hints[2].label) == ("90 %", "18 May: –")


@pytest.mark.parametrize("kind", ClockKind)
def test_only_first_touches_are_measured_against_the_goal(
    worked: dict[str, Handoff], kind: ClockKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timezone, "now", lambda: LATER)
    reader = client_of(make_user(Role.MANAGER))

    page = reader.get(reverse("reports:sla"), {"kind": kind.value}).content.decode()

    is_promised = kind is ClockKind.FIRST_TOUCH
    assert ("per week, against the agreed 90 percent" in page) == is_promised


def test_without_a_goal_no_figure_is_judged() -> None:
    question = sla_question(QueryDict("kind=ACCEPT"), now=NOW)
    row = replace(figures().whole, received=20, on_time=1, late=19)
    live = live_figures(replace(SCOPE, kind=ClockKind.ACCEPT), now=NOW)

    measured, plain = whole_line(question, row, goal=90), whole_line(question, row, goal=None)
    judged = kpis(question, measured, row, goal=90, live=live)[0]
    unjudged = kpis(question, plain, row, goal=None, live=live)[0]

    assert (judged.verdict, judged.state, measured.is_behind) == ("Goal 90 %", "bad", True)
    assert (unjudged.verdict, unjudged.state, plain.is_behind) == ("", "", False)


@pytest.mark.parametrize("path", ["/reports/sla/", "/reports/sla/handoffs/"])
def test_a_page_asks_as_often_for_three_late_clocks_as_for_one(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timezone, "now", lambda: LATER)
    make_agreement(ANY_LEAD)
    make_calendar()
    make_rep(make_team())
    client = client_of(make_user(Role.MANAGER))
    make_handoff()
    client.get(path)  # what is kept between requests is kept now
    with CaptureQueriesContext(connection) as with_one:
        client.get(path)
    make_handoff()
    make_handoff()

    with CaptureQueriesContext(connection) as with_three:
        page = client.get(path).content.decode()

    assert page.lower().count("still running") == 3
    assert len(with_three) == len(with_one)


def test_a_filter_is_named_taken_away_and_kept_by_figures_of_this_moment(
    worked: dict[str, Handoff], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timezone, "now", lambda: LATER)
    reader, [rep] = client_of(make_user(Role.MANAGER)), {each.holder for each in worked.values()}
    assert rep
    stranger = make_user(Role.REP)

    page = reader.get(reverse("reports:sla"), {"rep": str(rep.pk), "tier": "Everything else"})
    other = reader.get(reverse("reports:sla"), {"rep": str(stranger.pk)})

    padded = reader.get(reverse("reports:sla"), {"rep": f"0{rep.pk}"}).context["question"]
    assert padded.only == {By.REP: str(rep.pk)}
    assert reader.get(reverse("reports:sla"), {"version": "first"}).status_code == 400
    named = [(chip.name, chip.value) for chip in page.context["chips"] if chip.value]
    assert named == [("rep", "Tomas Orlind"), ("tier", "Everything else")]
    without = reader.get(page.context["chips"][0].url).context["question"]
    assert dict(without.only) == {By.TIER: "Everything else"}
    notes = [[kpi.note for kpi in each.context["figures"]][4] for each in (page, other)]
    assert notes == ["of 1 open clocks", "of 0 open clocks"]
    assert "Where the time went" in page.content.decode()
