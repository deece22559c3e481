"""What handoffs add to the lead list, the lead page and the timeline."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from crm.accounts.enums import Role
from crm.common.criteria import compile_q, parse
from crm.common.ui.badges import ClockState
from engagement.enums import EventKind
from engagement.services import record_event
from handoff import panels
from handoff.enums import ClockKind, HandoffState, RejectionReason, TouchChannel, TouchOutcome
from handoff.models import Handoff
from handoff.services import (
    accept_handoff,
    decide_touch,
    enforce_deadlines,
    log_touch,
    reject_handoff,
    submit_bant,
    waiting_figure,
)
from leads.models import Lead
from tests.factories import NOW, client_of, make_lead, make_user
from tests.handoff.factories import clock_of, holder_of, make_calendar, make_handoff
from tests.handoff.telling import sales_entries

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _calendar(db: None) -> None:
    make_calendar()


def _found(field: str, *codes: str, op: str = "in", now: object = NOW) -> set[Lead]:
    tree = {"field": field, "op": op, "value": list(codes)}
    return set(Lead.objects.filter(compile_q(parse(tree), now=now)))  # type: ignore[arg-type]


def test_leads_are_found_by_how_their_clock_stands_as_the_badge_shows_it() -> None:
    handoff = make_handoff()
    lead = handoff.lead
    bystander = make_lead()
    clock = clock_of(handoff, ClockKind.ACCEPT)
    moments = {
        "ON_TRACK": clock.at_risk_at - timedelta(seconds=1),
        "AT_RISK": clock.at_risk_at,
        "BREACHED": clock.due_at + timedelta(seconds=1),
    }

    for code, now in moments.items():
        others = set(moments) - {code}
        assert _found("sla_state", code, now=now) == {lead}
        assert _found("sla_state", *others, now=now) == set()
        badge = panels.sla_badges([lead.pk], holder_of(handoff), now)[lead.pk]
        assert badge.state == ClockState[code]
    assert _found("sla_state", "WAITING") == {lead}
    assert _found("sla_state", "WAITING", op="not_in") == {bystander}


def test_an_accepted_lead_no_longer_waits_for_acceptance() -> None:
    handoff = make_handoff()

    accept_handoff(handoff_id=handoff.pk, rep=holder_of(handoff), now=NOW)

    assert _found("sla_state", "WAITING") == set()
    assert _found("sla_state", "ON_TRACK") == {handoff.lead}


def test_refused_leads_are_found_by_reason() -> None:
    handoff = make_handoff()
    reject_handoff(
        handoff_id=handoff.pk,
        rep=holder_of(handoff),
        reason=RejectionReason.NOT_A_FIT,
        now=NOW,
    )

    assert _found("rejected_for", "NOT_A_FIT") == {handoff.lead}
    assert _found("handoff", "REJECTED") == {handoff.lead}
    assert _found("rejected_for", "TOO_EARLY") == set()


def test_leads_are_found_by_why_sales_let_them_go() -> None:
    gone, back = make_handoff(), make_handoff()
    recycle = {"recycle_reason": "NO_BUDGET", "wake_date": NOW.date() + timedelta(days=30)}
    told: list[tuple[Handoff, dict[str, object]]] = [
        (gone, {"verdict": "DISQUALIFY", "disqualify_reason": "NO_NEED"}),
        (back, {"verdict": "RECYCLE", "wake_on": "DATE", **recycle}),
    ]
    for handoff, verdict in told:
        rep, answers = holder_of(handoff), {"need": "NO", "override_reason": "They said so"}
        accept_handoff(handoff_id=handoff.pk, rep=rep, now=NOW)
        log_touch(
            handoff_id=handoff.pk, rep=rep, channel=TouchChannel.CALL, now=NOW,
            outcome=TouchOutcome.CONNECTED, occurred_at=NOW,
        )  # fmt: skip
        submit_bant(handoff_id=handoff.pk, rep=rep, fields={**answers, **verdict}, now=NOW)

    assert _found("disqualified_for", "NO_NEED") == {gone.lead}
    assert _found("disqualified_for", "COMPETITOR") == set()
    assert _found("recycled_for", "NO_BUDGET") == {back.lead}
    assert _found("recycled_for", "NO_BUDGET", op="not_in") == {gone.lead}


def test_badges_of_a_page_cost_the_same_however_many_there_are() -> None:
    handoffs = [make_handoff() for _ in range(3)]
    lead_ids, viewer = [each.lead_id for each in handoffs], make_user(Role.MANAGER)

    with CaptureQueriesContext(connection) as captured:
        badges = panels.sla_badges(lead_ids, viewer, NOW)

    assert (len(captured), len(badges)) == (2, 3)


def test_the_lead_page_offers_the_next_act_to_who_may_do_it() -> None:
    handoff = make_handoff(now=timezone.now())
    rep, marketer = holder_of(handoff), make_user(Role.MARKETER)
    url = f"/leads/{handoff.lead_id}/"

    for_rep = client_of(rep).get(url).content.decode()
    for_marketer = client_of(marketer).get(url).content.decode()

    accept = f"/handoffs/{handoff.pk}/accept/"
    assert accept in for_rep
    assert accept not in for_marketer
    assert "of working time" in for_marketer
    assert "Handoff brief" in for_marketer


def test_the_timeline_tells_decision_touch_breach_and_verdict() -> None:
    handoff = make_handoff()
    rep = holder_of(handoff)
    due_at = clock_of(handoff, ClockKind.ACCEPT).due_at
    late = due_at + timedelta(hours=1)
    enforce_deadlines(now=late)
    log_touch(
        handoff_id=handoff.pk,
        rep=rep,
        channel=TouchChannel.CALL,
        outcome=TouchOutcome.CONNECTED,
        occurred_at=late,
        now=late,
    )
    submit_bant(
        handoff_id=handoff.pk,
        rep=rep,
        fields={"need": "NO", "verdict": "DISQUALIFY", "disqualify_reason": "NO_NEED"},
        now=late + timedelta(minutes=20),
    )

    entries = sales_entries(handoff.lead_id, rep, None, 50)

    assert [(entry.title, entry.at) for entry in entries] == [
        ("BANT recorded: Disqualify", late + timedelta(minutes=20)),
        ("Call: connected", late),
        ("Accept clock breached", due_at),
        (f"Handed to {rep}", NOW),
    ]
    assert entries[0].detail == (
        "Budget not asked, authority not asked, need no, timeline not asked."
    )
    assert entries[-1].detail.endswith("Next in turn")
    assert entries[2].tag == ""

    handoff.clocks.filter(kind=ClockKind.ACCEPT).update(excused_at=late)
    assert sales_entries(handoff.lead_id, rep, None, 50)[2].tag == "Excused"


def test_the_timeline_dates_what_was_written_down_late_in_the_zone_of_the_viewer() -> None:
    handoff = make_handoff()
    rep = holder_of(handoff)
    log_touch(
        handoff_id=handoff.pk,
        rep=rep,
        channel=TouchChannel.CALL,
        outcome=TouchOutcome.NO_ANSWER,
        occurred_at=NOW + timedelta(minutes=5),
        now=datetime(2026, 5, 12, 23, 0, tzinfo=UTC),
    )

    with timezone.override("Europe/Berlin"):
        entries = sales_entries(handoff.lead_id, rep, None, 9)

    told = [entry.detail for entry in entries if entry.title.startswith("Call")]
    assert told == [f"{rep}. Written down 13 May, counts once a manager approves."]


@pytest.mark.parametrize(
    ("grant", "said"), [(True, "counts from when it happened"), (False, "stopped no clock")]
)
def test_the_timeline_says_what_late_evidence_proves(grant: bool, said: str) -> None:
    handoff = make_handoff()
    rep = holder_of(handoff)
    touch = log_touch(
        handoff_id=handoff.pk,
        rep=rep,
        channel=TouchChannel.CALL,
        outcome=TouchOutcome.NO_ANSWER,
        occurred_at=NOW,
        now=NOW + timedelta(hours=1),
    )
    manager = make_user(Role.MANAGER)
    decide_touch(touch_id=touch.pk, decider=manager, grant=grant, now=touch.recorded_at)

    entries = sales_entries(handoff.lead_id, rep, None, 9)

    [told] = [entry.detail for entry in entries if entry.title.startswith("Call")]
    assert told.endswith(f"{said}.")


def test_open_handoffs_are_counted_up_to_a_bound() -> None:
    figures = [Handoff.objects.open().figure(most=2)]
    for _ in range(3):
        make_handoff()
        figures.append(Handoff.objects.open().figure(most=2))

    assert figures == ["", "1", "2+", "2+"]


def test_the_timeline_can_be_read_in_stretches() -> None:
    handoff = make_handoff()
    rep = holder_of(handoff)
    for minute in range(1, 5):
        at = NOW + timedelta(minutes=minute)
        log_touch(
            handoff_id=handoff.pk,
            rep=rep,
            channel=TouchChannel.CALL,
            outcome=TouchOutcome.NO_ANSWER,
            occurred_at=at,
            now=at,
        )

    newest = sales_entries(handoff.lead_id, rep, None, 2)
    older = sales_entries(handoff.lead_id, rep, newest[-1].at, 10)

    assert [len(newest), len(older)] == [2, 3]
    assert newest[-1].at > older[0].at


def test_the_brief_stands_beside_what_brought_the_lead_before_the_handoff() -> None:
    handoff = make_handoff()
    for minutes, source in ((-60, "google"), (60, "bing")):
        at = handoff.opened_at + timedelta(minutes=minutes)
        record_event(
            lead_id=handoff.lead_id,
            kind=EventKind.PAGE_VIEW,
            occurred_at=at,
            now=at,
            touch={"source": source, "medium": "organic"},
        )

    panel = panels.lead_handoff(handoff.lead, holder_of(handoff), NOW)

    assert panel is not None
    assert str(panel["arrival"]) == "Google, organic"


def test_the_open_handoff_is_shown_whatever_was_imported_since() -> None:
    handoff = make_handoff()
    imported = {"opened_at": NOW + timedelta(days=1), "closed_at": NOW + timedelta(days=2)}
    names = (each.attname for each in Handoff._meta.fields if not each.primary_key)
    fields = {name: getattr(handoff, name) for name in names}
    Handoff.objects.create(**{**fields, **imported, "state": HandoffState.WITHDRAWN})

    panel = panels.lead_handoff(handoff.lead, holder_of(handoff), NOW)

    assert panel is not None
    assert panel["handoff"] == handoff


def test_what_waits_for_a_manager_is_counted_up_to_a_bound() -> None:
    handoff = make_handoff()
    touch = log_touch(
        handoff_id=handoff.pk, rep=holder_of(handoff), channel=TouchChannel.CALL,
        outcome=TouchOutcome.NO_ANSWER, occurred_at=NOW, now=NOW + timedelta(hours=1),
    )  # fmt: skip
    figures = [waiting_figure(most=2)]
    for _ in range(2):
        touch.pk = None
        touch.save()
        figures.append(waiting_figure(most=2))

    assert figures == ["1", "2+", "2+"]


def test_a_lead_without_a_handoff_shows_none_of_it() -> None:
    lead, viewer = make_lead(), make_user(Role.MANAGER)

    assert panels.lead_handoff(lead, viewer, NOW) is None
    assert sales_entries(lead.pk, viewer, None, 10) == []
    assert not Handoff.objects.exists()
