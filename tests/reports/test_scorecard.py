"""The two-way scorecard, the heat map, and that each of their figures opens its rows."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db.models import F
from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone

from crm.accounts.enums import Role
from crm.reports.compliance import compliance
from crm.reports.heat import heat_map
from crm.reports.models import SlaSplit
from crm.reports.outcomes import Outcome
from crm.reports.questions import QuestionInvalid, sla_question
from crm.reports.scorecard import scorecard
from crm.reports.services import count_splits
from crm.reports.sla import breach_log, counted
from crm.reports.standing import By, Scope
from handoff.enums import (
    AgreementState,
    ClockKind,
    RejectionReason,
    TouchChannel,
    TouchOutcome,
)
from handoff.models import Agreement, Clock, Handoff, WorkCalendar
from handoff.services import accept_handoff, log_touch, reject_handoff
from tests.factories import NOW, client_of, make_team, make_user
from tests.handoff.factories import (
    ANY_LEAD,
    clock_of,
    make_agreement,
    make_calendar,
    make_handoff,
    make_rep,
)

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
LATER = NOW + timedelta(days=3)


@pytest.fixture
def handoffs() -> list[Handoff]:
    """Twelve of one rep, eleven accepted in time, one rejected."""
    make_agreement(ANY_LEAD, now=NOW - timedelta(days=40), mqls_per_month=20)
    make_calendar()
    rep = make_rep(make_team(name="DACH"))
    made = [make_handoff(now=NOW + timedelta(minutes=each)) for each in range(12)]
    for each in made[:11]:
        accept_handoff(handoff_id=each.pk, rep=rep, now=NOW + HOUR)
        log_touch(
            handoff_id=each.pk, rep=rep, channel=TouchChannel.CALL, now=NOW + HOUR,
            outcome=TouchOutcome.NO_ANSWER, occurred_at=NOW + HOUR,
        )  # fmt: skip
    reject_handoff(
        handoff_id=made[11].pk, rep=rep, reason=RejectionReason.TOO_EARLY, now=NOW + HOUR
    )
    return made


def listed(url: str) -> int:
    """Count the rows that a figure opens."""
    query = QueryDict(urlsplit(url).query)
    asked = sla_question(query, now=LATER)
    return counted(asked.scope, asked.standing, now=LATER).count()


def test_both_sides_are_measured_against_what_they_signed(handoffs: list[Handoff]) -> None:
    agreement = handoffs[0].agreement
    card = scorecard(agreement, NOW.date(), now=LATER)
    assert card is not None
    volume, touched = card.marketing.headline, card.sales.headline
    assert volume is not None
    assert touched is not None
    assert (volume.figure, volume.of, volume.is_kept) == ("12", "of 20", True)
    # Friday 15 May is the 11th of 21 working days
    assert volume.note == f"Pace {round(20 * 10 / 21)}, so 2 ahead"
    accepted, became_sql = card.marketing.promises
    assert (accepted.figure, accepted.sample, accepted.is_kept) == ("91.7 %", "n = 12", True)
    assert (became_sql.figure, became_sql.sample, became_sql.is_kept) == ("0", "of 0", None)
    attempts, verdict = card.sales.promises
    assert (touched.figure, touched.of, touched.is_kept) == ("100.0 %", "of 11 due", True)
    assert touched.note == "Agreed 90 %, lowest day 100.0 %"
    assert touched.chart.now
    assert touched.chart.now.label == "100 %"
    assert (attempts.figure, verdict.figure, verdict.is_kept) == ("–", "0.0 %", False)
    assert verdict.sample == "n = 11"
    assert [listed(accepted.url), listed(accepted.sample_url)] == [11, 12]
    assert [listed(verdict.url), listed(verdict.sample_url)] == [0, 11]
    assert [card.marketing.verdict, card.sales.verdict] == [
        "2 of 2 kept so far",
        "1 of 2 kept so far",
    ]
    assert [listed(volume.url), listed(touched.url), listed(touched.of_url)] == [12, 11, 11]
    assert scorecard(None, NOW.date(), now=LATER) is None


def test_the_agreement_says_beside_its_text_how_this_month_keeps_it() -> None:
    agreement = make_agreement(ANY_LEAD, now=timezone.now() - timedelta(days=40), mqls_per_month=20)
    web = client_of(make_user(Role.MARKETER))

    page = web.get(reverse("handoff:agreement")).content.decode()
    assert f"{timezone.localtime():%B} so far" in page
    assert "Accepted by sales" in page

    of_rep = client_of(make_user(Role.REP)).get(reverse("handoff:agreement"))
    assert "so far" not in of_rep.content.decode()
    Agreement.objects.filter(pk=agreement.pk).update(state=AgreementState.SUPERSEDED)
    retired = web.get(reverse("handoff:agreement"), {"version": agreement.version})
    assert "so far" not in retired.content.decode()


def test_a_month_is_held_against_the_version_of_its_time(handoffs: list[Handoff]) -> None:
    make_agreement(ANY_LEAD, now=NOW + timedelta(days=40), mqls_per_month=90)
    web = client_of(make_user(Role.MANAGER))

    def promised(month: str) -> Any:
        page = web.get("/reports/sla/", {"from": f"{month}-01", "to": f"{month}-28"})
        card = page.context["card"]
        return card and card.marketing.headline.of

    assert [promised(month) for month in ("1960-05", "2026-05", "2026-07")] == [
        None, "of 20", "of 90"
    ]  # fmt: skip


def test_every_hour_of_arrival_opens_its_handoffs(handoffs: list[Handoff]) -> None:
    scope = Scope(ClockKind.ACCEPT, NOW - HOUR, NOW + HOUR)
    found = compliance(scope, By.REP, since=scope.start, now=LATER)
    heat = heat_map(found.arrivals)
    cells = [cell for _, row in heat.rows for cell in row if cell.received]
    assert [(cell.key, cell.received, cell.step) for cell in cells] == [("2-9", 12, 4)]
    assert heat.most == len(handoffs)
    arrived = sla_question(QueryDict("arrived=2-9"), now=LATER).arrived
    assert arrived == (2, 9)
    narrowed = Scope(ClockKind.ACCEPT, NOW - HOUR, NOW + HOUR, arrived=arrived)
    assert counted(narrowed, None, now=LATER).count() == 12
    for wrong in ("arrived=8-9", "arrived=2-24", "arrived=2", "outcome=lost", "live=soon"):
        with pytest.raises(QuestionInvalid):
            sla_question(QueryDict(wrong), now=LATER)


def test_an_excused_breach_counts_neither_way(handoffs: list[Handoff]) -> None:
    scope = Scope(ClockKind.VERDICT, NOW - HOUR, NOW + HOUR)
    Clock.objects.filter(handoff=handoffs[0], kind=ClockKind.VERDICT).update(excused_at=LATER)
    whole = compliance(scope, By.REP, since=NOW - 3 * HOUR, now=LATER).whole
    assert (whole.late, whole.excused, whole.due) == (10, 1, 10)


def test_an_excused_breach_stays_in_the_log_with_its_length(handoffs: list[Handoff]) -> None:
    scope = Scope(ClockKind.VERDICT, NOW - HOUR, NOW + HOUR)
    Clock.objects.filter(handoff=handoffs[0], kind=ClockKind.VERDICT).update(excused_at=LATER)
    lines = {line.clock.handoff_id: line for line in breach_log(scope, now=LATER)}
    excused = lines[handoffs[0].pk]
    assert len(lines) == 11
    assert (excused.standing, excused.is_excused) == ("Excused", True)
    assert excused.elapsed
    assert excused.over_by == excused.elapsed - excused.clock.target > HOUR


@pytest.mark.parametrize("kind", ClockKind)
def test_the_breach_log_says_where_the_time_went_until_the_clock_ended(
    handoffs: list[Handoff], kind: ClockKind
) -> None:
    due_at = F("started_at") + timedelta(minutes=1)
    Clock.objects.update(due_at=due_at, target=timedelta(minutes=1))
    accepted = Clock.objects.filter(kind=ClockKind.ACCEPT, stopped_at__isnull=False)
    accepted.update(stopped_at=NOW + HOUR / 2)  # long before the first touch
    log = breach_log(Scope(kind, NOW - HOUR, NOW + HOUR), now=LATER, limit=3)
    assert len(log) == 3
    for line in log:
        assert line.split is not None
        spans = sum((each.span for each in line.split.segments), start=timedelta(0))
        assert spans == line.split.speed_to_lead
        assert line.split.working == line.elapsed


def test_a_row_whose_hours_cannot_be_read_costs_the_page_no_other(handoffs: list[Handoff]) -> None:
    later = NOW + timedelta(days=40)
    damaged = handoffs[3]
    hours = WorkCalendar.objects.create(name="Damaged", definition={"timezone": "Atlantis"})
    Handoff.objects.filter(pk=damaged.pk).update(calendar=hours)

    log = breach_log(Scope(ClockKind.VERDICT, NOW - HOUR, NOW + HOUR), now=later)
    while count_splits(now=later):
        pass

    assert SlaSplit.objects.count() == len(handoffs) - 1

    assert len(log) > 1
    assert {line.clock.handoff_id for line in log if line.split is None} == {damaged.pk}
    assert [line.over_by for line in log if line.elapsed is None] == [None]


def test_the_page_shows_promises_heat_and_what_is_open_now(handoffs: list[Handoff]) -> None:
    web = client_of(make_user(Role.MANAGER))
    query = {"from": f"{NOW:%Y-%m-%d}", "to": f"{NOW:%Y-%m-%d}"}
    page = web.get("/reports/sla/", query).content.decode()
    for words in ("Marketing promises", "Sales promises", "Hour of arrival", "Excused"):
        assert words in page
    cell = '&amp;arrived=2-9" title="12 received, 0 late"'
    assert cell in page
    running = web.get("/reports/sla/handoffs/", {**query, "live": "running", "kind": "VERDICT"})
    assert len(running.context["lines"]) == 11
    assert clock_of(handoffs[0], ClockKind.VERDICT).stopped_at is None
    gone: Any = web.get("/reports/sla.csv", {**query, "live": "running", "kind": "VERDICT"})
    assert len(b"".join(gone.streaming_content).splitlines()) == 12
    accepted = {**query, "kind": "VERDICT", "outcome": Outcome.ACCEPTED.value}
    assert len(web.get("/reports/sla/handoffs/", accepted).context["lines"]) == 11
