from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Exists, F, OuterRef, Q
from pytest_django import DjangoDbBlocker

from crm.accounts.enums import Role
from crm.accounts.models import User
from crm.common.prepared import FAR, that_have_rows
from crm.common.slots import timeline_sources
from crm.demo.company import DESKS, LOGINS, PASSWORD, desk_hours
from crm.demo.people import make_employers, make_people
from crm.demo.qualifying import DELAY
from engagement.enums import EventKind
from engagement.models import Event, EventKey, InboxMessage
from handoff.brief import digest
from handoff.business_hours import is_open, working_time_between
from handoff.deadlines import deadline
from handoff.models import Clock, Handoff, HolderInterval
from handoff.services.briefs import compose_brief, find_out
from handoff.services.calendars import read_calendar
from leads.enums import ConsentPurpose, LifecycleStage
from leads.models import Consent, Lead, StageInterval
from scoring.models import LeadScore

pytestmark = pytest.mark.django_db

TUESDAY_MORNING = datetime(2026, 5, 12, 8, 40, tzinfo=UTC)
SUNDAY_NIGHT = datetime(2026, 11, 22, 1, 20, tzinfo=UTC)
LEADS = 400
HOUR = timedelta(hours=1)
EDGE = timedelta(days=7)
WITH_SALES = (LifecycleStage.MQL, LifecycleStage.SAL)


class Demo:
    """A database with the demo company, and what the command said."""

    def __init__(self, now: datetime, said: str) -> None:
        self.now, self.said = now, said


@pytest.fixture(scope="module", params=[TUESDAY_MORNING, SUNDAY_NIGHT], ids=["tuesday", "sunday"])
def demo(
    request: pytest.FixtureRequest, django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[Demo]:
    """Make the company once for all tests of this module, and empty the database afterwards."""
    out = io.StringIO()
    with django_db_blocker.unblock():
        try:
            call_command("seed_demo", leads=LEADS, seed=3, now=request.param, stdout=out)
            yield Demo(request.param, out.getvalue())
        finally:
            call_command("flush", interactive=False, verbosity=0)


def test_the_command_says_who_can_log_in(demo: Demo) -> None:
    assert f"{LEADS} leads" in demo.said
    assert f"Password of all: {PASSWORD}" in demo.said
    for (_, name), role in zip(
        LOGINS, [Role.MARKETER, Role.REP, Role.MANAGER, Role.ADMIN], strict=True
    ):
        user = User.objects.get(email=f"{name}@halvorn.example")
        assert f"{name}@halvorn.example" in demo.said
        assert user.roles == [role]
        assert user.check_password(PASSWORD)


def test_a_timeline_asks_every_source_that_has_something_to_tell(demo: Demo) -> None:
    viewer, told = User.objects.filter(roles=[Role.MANAGER])[0], set()
    asked = [source for source in timeline_sources if source.reads]
    for lead_id in Lead.objects.values_list("pk", flat=True):
        held = that_have_rows(tuple(q for source in asked for q in source.reads), lead_id, FAR)
        for source in asked:
            if source.load(lead_id, viewer, None, 9):
                told.add(source.name)
                assert held.intersection(source.reads), (source.name, lead_id)

    assert told >= {"verdicts", "touches", "decisions", "breaches", "deals", "links"}


def test_a_believable_share_becomes_mql_and_goes_every_way_from_there(demo: Demo) -> None:
    edge = demo.now - EDGE
    captured = Lead.objects.filter(created_at__lt=edge)
    qualified = StageInterval.objects.filter(stage=LifecycleStage.MQL, started_at__lt=edge)
    share = qualified.values("lead").distinct().count() / captured.count()
    ways = set(Lead.objects.values_list("stage", flat=True))

    assert 0.08 < share < 0.20
    assert ways == set(LifecycleStage.values)
    assert StageInterval.objects.filter(stage=LifecycleStage.MQL, cycle=2).exists()


def test_nothing_lies_in_the_future(demo: Demo) -> None:
    late = Q(started_at__gt=demo.now) | Q(ended_at__gt=demo.now)

    assert not Event.objects.filter(received_at__gt=demo.now).exists()
    assert not Lead.objects.filter(Q(created_at__gt=demo.now) | Q(last_activity_at__gt=demo.now))
    assert not StageInterval.objects.filter(late).exists()
    assert not HolderInterval.objects.filter(late).exists()
    assert not Clock.objects.filter(stopped_at__gt=demo.now).exists()


def test_leads_with_sales_have_an_open_handoff_and_its_holder_and_no_others_do(demo: Demo) -> None:
    open_handoffs = Handoff.objects.open()
    with_sales = Lead.objects.filter(stage__in=WITH_SALES)
    held = HolderInterval.objects.filter(handoff=OuterRef("pk"), ended_at__isnull=True)

    assert set(open_handoffs.values_list("lead", flat=True)) == set(
        with_sales.values_list("pk", flat=True)
    )
    assert not open_handoffs.exclude(lead__owner=F("holder")).filter(holder__isnull=False).exists()
    assert not open_handoffs.exclude(Exists(held)).exists()
    assert not Handoff.objects.filter(closed_at__isnull=False).filter(Exists(held)).exists()


def test_about_nine_of_ten_promises_were_kept_and_each_breach_is_dated_by_its_due_time(
    demo: Demo,
) -> None:
    settled = Clock.objects.filter(handoff__opened_at__lt=demo.now - EDGE)
    kept, late = settled.kept().count(), settled.missed(demo.now).count()
    missed = Clock.objects.missed(demo.now)

    assert 0.87 < kept / (kept + late) < 0.98
    assert not missed.exclude(breached_at=F("due_at")).exists()
    assert Clock.objects.filter(breached_at__isnull=False).count() == missed.count()
    assert not Clock.objects.alarming(demo.now).exists()


@pytest.mark.parametrize("desk", DESKS, ids=[desk[0] for desk in DESKS])
def test_desks_are_open_at_whatever_hour_somebody_tries_them(desk: tuple[Any, ...]) -> None:
    """Around a change of the clocks, and around New Year; each is a whole week but Wednesday."""
    for first in (datetime(2026, 10, 22, 0, 20, tzinfo=UTC), datetime(2026, 12, 31, tzinfo=UTC)):
        for now in (first + HOUR * number for number in range(6 * 24)):
            definition = desk_hours(*desk[1:], now=now)
            calendar = read_calendar(definition, now=now, public_days={})

            assert is_open(now, calendar)
            assert working_time_between(now, now + 2 * HOUR, calendar) >= HOUR


def test_due_times_are_those_of_the_real_calendar(demo: Demo) -> None:
    for clock in Clock.objects.select_related("handoff__calendar").order_by("?")[:40]:
        handoff = clock.handoff
        times = deadline(
            clock.started_at, clock.target, handoff.calendar.hours, handoff.enforcement
        )

        assert (times.first_warning_at, times.due_at) == (clock.first_warning_at, clock.due_at)


def test_briefs_of_the_past_say_what_the_real_search_finds(demo: Demo) -> None:
    past = Handoff.objects.filter(opened_at__lt=demo.now - EDGE)
    for handoff in past.select_related("lead", "agreement").order_by("opened_at")[:40]:
        change = StageInterval.objects.get(
            lead=handoff.lead, stage=LifecycleStage.MQL, cycle=handoff.cycle
        )
        findings = find_out(handoff.lead, change, handoff.policy.questions, now=handoff.opened_at)
        brief = compose_brief(
            handoff.lead, findings, agreement=handoff.agreement, now=handoff.opened_at
        )

        assert brief == handoff.brief
        assert digest(brief) == handoff.brief_digest
        assert (findings.why, findings.is_fast_track) == (handoff.why, handoff.is_fast_track)


def test_nobody_who_meets_the_definition_was_forgotten(demo: Demo) -> None:
    forgotten = LeadScore.objects.filter(
        meets_definition=True, lead__stage__in=[LifecycleStage.LEAD, LifecycleStage.RECYCLED]
    )
    jumpy = StageInterval.objects.filter(
        stage=LifecycleStage.MQL, rule="", model_version__isnull=True
    )

    assert not forgotten.exists()
    assert not jumpy.exists()
    assert LeadScore.objects.filter(computed_at__isnull=True).count() == 0


def test_every_queue_is_alive_whenever_one_looks(demo: Demo) -> None:
    for rep in User.objects.reps().order_by("pk"):
        mine = Clock.objects.running().filter(handoff__holder=rep)
        waiting = Handoff.objects.open().filter(holder=rep, snoozed_until__gt=demo.now)

        assert mine.filter(due_at__lt=demo.now).exists(), rep
        assert mine.filter(due_at__range=(demo.now, demo.now + HOUR)).count() >= 2, rep
        assert mine.filter(due_at__gt=demo.now + HOUR).exists(), rep
        assert waiting.exists(), rep
    pool = Handoff.objects.open().filter(holder__isnull=True)
    assert pool.count() == 2
    assert pool.filter(team__name="France and UK").count() == 2


def test_who_unsubscribed_is_written_to_no_more(demo: Demo) -> None:
    left = Event.objects.human().filter(kind=EventKind.UNSUBSCRIBE).values_list("lead", flat=True)
    marketing = Consent.objects.filter(lead__in=left, purpose=ConsentPurpose.MARKETING)

    said = {consent.lead_id: consent.is_granted for consent in marketing.in_force()}

    assert said == dict.fromkeys(left, False)


def test_somebody_asked_for_a_demo_just_now_through_the_inbox(demo: Demo) -> None:
    asked = EventKey.objects.filter(source="website")
    handoffs = Handoff.objects.filter(opened_at=demo.now, is_fast_track=True)

    assert asked.count() == handoffs.count() == 2
    assert not InboxMessage.objects.exists()
    assert not handoffs.filter(raised_at__lt=demo.now - DELAY).exists()


def test_a_database_in_use_is_left_alone(demo: Demo) -> None:
    with pytest.raises(CommandError, match="needs an empty database"):
        call_command("seed_demo", leads=LEADS, now=demo.now)


def test_equal_seeds_make_equal_people_at_firms_of_their_own() -> None:
    def people(seed: str) -> list[object]:
        rng = Random(seed)
        employers = make_employers(rng, first=90, count=300)
        assert len({each.firm.domain for each in employers}) == 300
        return list(make_people(rng, employers, count=800, now=TUESDAY_MORNING))

    assert people("1:0") == people("1:0")
    assert people("1:0") != people("2:0")
