"""Machines that are known by the company their clicks keep."""

from __future__ import annotations

from datetime import timedelta

import pytest

from crm.accounts.enums import Role
from engagement.enums import Actor
from engagement.services import absorb_events, decide_actor
from leads.models import Lead
from scoring.models import LeadScore
from tests.engagement.clicks import START, absorbed, click, links_of, reasons
from tests.engagement.inbox import CHROME, NOW
from tests.factories import make_lead, make_user

ALL_LINKS = "Followed all links of a mail within seconds"
HIDDEN = "Followed a link that people cannot see"
HEAD_FIRST = "Asked where the link leads before following it"
pytestmark = pytest.mark.django_db


@pytest.fixture
def lead() -> Lead:
    return make_lead(created_at=START - timedelta(days=9))


def test_who_follows_all_links_of_a_mail_at_once_is_a_machine(lead: Lead) -> None:
    for seconds, link in enumerate(links_of("May", 3)):
        click(lead, link, seconds)

    assert reasons(absorbed()) == [ALL_LINKS] * 3


def test_a_machine_is_known_by_what_arrives_later_and_wakes_nobody(lead: Lead) -> None:
    """Red without recalling the activity."""
    first, second = links_of("May", 2)
    click(lead, first, 0)
    assert reasons(absorbed()) == [""]

    click(lead, second, 2)

    assert reasons(absorbed()) == [ALL_LINKS] * 2
    lead.refresh_from_db()
    assert lead.last_activity_at == lead.created_at
    assert LeadScore.objects.get(lead=lead).score_due_at == NOW


@pytest.mark.parametrize("apart", [6, 120])
def test_a_person_who_follows_all_links_takes_some_time(lead: Lead, apart: int) -> None:
    for number, link in enumerate(links_of("May", 3)):
        click(lead, link, number * apart)

    assert [event.actor for event in absorbed()] == [Actor.HUMAN] * 3


def test_following_some_links_at_once_is_no_sign(lead: Lead) -> None:
    first, second, _ = links_of("May", 3)
    click(lead, first, 0)
    click(lead, second, 1)

    assert reasons(absorbed()) == ["", ""]


def test_the_only_link_of_a_mail_and_the_same_link_again_are_no_sign(lead: Lead) -> None:
    (only,) = links_of("May", 1)
    click(lead, only, 0)
    first, _ = links_of("June", 2)
    click(lead, first, 60)
    click(lead, first, 61)

    assert reasons(absorbed()) == ["", "", ""]


def test_what_others_follow_is_no_sign(lead: Lead) -> None:
    first, second = links_of("May", 2)
    click(lead, first, 0)
    click(make_lead(), second, 0)

    assert reasons(absorbed()) == ["", ""]


def test_a_hidden_link_betrays_what_was_followed_with_it(lead: Lead) -> None:
    seen, *_ = links_of("May", 3)
    (trap,) = links_of("May", 1, is_hidden=True)
    click(lead, seen, 0)
    click(lead, trap, 1)
    click(lead, seen, 300)

    assert reasons(absorbed()) == [HIDDEN, HIDDEN, ""]


@pytest.mark.parametrize(
    ("seconds", "agent", "reason"),
    [
        (1, CHROME, HEAD_FIRST),
        (59, CHROME, HEAD_FIRST),
        (61, CHROME, ""),
        (1, "Mozilla/5.0 (Macintosh) Safari/605.1.15", ""),
    ],
)
def test_who_asks_where_a_link_leads_before_following_it_is_a_machine(
    lead: Lead, seconds: int, agent: str, reason: str
) -> None:
    link, _ = links_of("May", 2)
    click(lead, link, 0, method="HEAD")
    click(lead, link, seconds, agent=agent)

    assert reasons(absorbed()) == ["Only asked where a link leads", reason]


def test_what_a_person_decided_stays(lead: Lead) -> None:
    """Red without looking at decisions."""
    first, second = links_of("May", 2)
    click(lead, first, 0)
    (event,) = absorbed()
    ines = make_user(Role.MARKETER, full_name="Ines Kallweit")
    decide_actor(event_id=event.id, actor=Actor.HUMAN, decided_by=ines, now=NOW)

    click(lead, second, 1)

    assert reasons(absorbed()) == ["Restored by Ines Kallweit", ALL_LINKS]


def test_a_stranger_who_tells_of_links_breaks_nothing(lead: Lead) -> None:
    from engagement.services import receive
    from tests.engagement.inbox import identify, message

    assert lead.email
    told = {"tracked_link": {"not": "a link"}, "mailing": ["x"], "is_hidden": "yes", "method": 7}
    receive(
        source="site",
        messages=[
            identify("i", lead.email),
            message("m", type="track", event="Email clicked", properties=told),
        ],
        received_at=NOW,
    )

    assert absorb_events(now=NOW) == 2
