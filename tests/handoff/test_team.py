"""The team queue: what is asked for is what is shown, page after page."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse

from crm.accounts.enums import Role
from crm.accounts.models import User
from handoff.enums import RejectionReason
from handoff.models import Handoff
from handoff.services import reject_handoff
from handoff.services.holders import hand_to
from handoff.team import UNASSIGNED, TeamQuestion
from tests.factories import NOW, client_of, make_team, make_user
from tests.handoff.factories import ANY_LEAD, make_agreement, make_calendar, make_handoff, make_rep

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
AFTERNOON = NOW + 5 * HOUR


@pytest.fixture
def rep() -> User:
    make_calendar()
    make_agreement(ANY_LEAD)
    return make_rep(make_team(name="DACH"))


def opened(rep: User, minutes_ago: int) -> Handoff:
    handoff = make_handoff(rep=rep, now=AFTERNOON - timedelta(minutes=minutes_ago))
    hand_to(handoff, rep, now=handoff.opened_at)
    handoff.save(update_fields=["holder", "team"])
    return handoff


def shown(question: TeamQuestion) -> list[Handoff]:
    clocks = question.clocks(AFTERNOON).order_by("due_at", "id")
    return [clock.handoff for clock in clocks]


def test_the_team_queue_is_narrowed_to_what_is_late_or_at_risk(rep: User) -> None:
    on_track, at_risk, late = opened(rep, 1), opened(rep, 110), opened(rep, 130)

    assert shown(TeamQuestion()) == [late, at_risk, on_track]
    assert shown(TeamQuestion(clock="late")) == [late]
    assert shown(TeamQuestion(clock="at_risk")) == [at_risk]


def test_team_holder_and_deadline_narrow_together(rep: User) -> None:
    colleague = make_rep(rep.sales_team or make_team())
    theirs, other = opened(rep, 130), opened(colleague, 130)
    opened(rep, 1)
    Handoff.objects.filter(pk=other.pk).update(holder=None)

    assert shown(TeamQuestion(holder=str(rep.pk), clock="late")) == [theirs]
    assert shown(TeamQuestion(team=rep.sales_team_id, holder=UNASSIGNED)) == [other]
    assert shown(TeamQuestion(team=make_team().pk)) == []


def test_the_next_page_asks_the_same(rep: User) -> None:
    for _ in range(51):
        opened(rep, 130)
    opened(rep, 1)
    client = client_of(make_user(Role.MANAGER))

    page = client.get(f"{reverse('handoff:team')}?clock=late&team={rep.sales_team_id}")
    address = f"?team={rep.sales_team_id}&amp;clock=late&amp;cursor="

    assert page.content.decode().count("<tr id=") == 50
    assert address in page.content.decode()


def test_a_misspelt_question_narrows_nothing(rep: User) -> None:
    handoff = opened(rep, 1)
    client = client_of(make_user(Role.MANAGER))

    page = client.get(reverse("handoff:team"), {"clock": "never", "team": "x", "holder": "-1"})

    assert [line.handoff for line in page.context["lines"]] == [handoff]


def test_refusals_of_the_last_seven_days_are_listed_latest_first(rep: User) -> None:
    client = client_of(make_user(Role.MARKETER))
    for days in (8, 6, 1):
        now = NOW - timedelta(days=days)
        refused = make_handoff(rep=rep, now=now, first_name=f"Refused {days}")
        hand_to(refused, rep, now=now)
        refused.save(update_fields=["holder"])
        reject_handoff(
            handoff_id=refused.pk, rep=rep, reason=RejectionReason.TOO_EARLY, now=now + HOUR
        )

    found = Handoff.objects.refused(NOW).order_by("-closed_at")

    assert [each.lead.first_name for each in found] == ["Refused 1", "Refused 6"]
    assert client.get(reverse("handoff:refused")).status_code == 200
