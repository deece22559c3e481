"""Who unsubscribes takes back the consent to marketing mail, whenever we learn who it was."""

from __future__ import annotations

from typing import Any

import pytest

from crm.accounts.enums import Role
from engagement.enums import Actor, EventKind, LinkReason
from engagement.event_ids import agent_id
from engagement.models import Event
from engagement.services import (
    confirm_claim,
    decide_actor,
    detach_link,
    link_visitor,
    reclassify_events,
    record_event,
    restore_link,
)
from engagement.services.judging import keep_agents
from leads.enums import ConsentPurpose
from leads.models import Consent, Lead
from leads.services import record_consent
from tests.engagement.inbox import CHROME, HOUR, NOW, absorb, identify, message
from tests.factories import make_lead, make_user

pytestmark = pytest.mark.django_db

LATER = NOW + HOUR
ROBOT = {"context": {"userAgent": "Googlebot/2.1"}}


@pytest.fixture
def lead() -> Lead:
    lead = make_lead()
    record_consent(
        lead_id=lead.pk, purpose=ConsentPurpose.MARKETING, text="Yes, write to me.",
        source="Form Newsletter v2", asked_at=NOW - 9 * HOUR, given_at=NOW - 9 * HOUR, now=NOW,
    )  # fmt: skip
    return lead


def unsubscribe_as_nobody(**body: Any) -> None:
    absorb(message("no more", **{"type": "track", "event": "Unsubscribed", **body}))


def is_agreed(lead: Lead) -> bool:
    return Consent.objects.filter(lead=lead).latest("given_at", "id").is_granted


def test_who_unsubscribed_as_nobody_is_heard_once_it_is_known_who_it_was(lead: Lead) -> None:
    unsubscribe_as_nobody()
    assert is_agreed(lead)

    link_visitor(anonymous_id="laptop", lead_id=lead.pk, reason=LinkReason.FORM, now=NOW)

    last = Consent.objects.latest("id")
    assert not is_agreed(lead)
    assert (last.source, last.given_at) == ("Unsubscribed", NOW - HOUR)


def test_a_message_that_tells_who_it_was_does_the_same(lead: Lead) -> None:
    unsubscribe_as_nobody()

    absorb(identify("it is me", lead.email or "", source="server"))

    assert not is_agreed(lead)


def test_a_new_lead_brings_along_that_it_unsubscribed() -> None:
    unsubscribe_as_nobody()

    absorb(identify("it is me", "ada@example.com"))

    assert not is_agreed(Lead.objects.get(email="ada@example.com"))


def test_under_a_claim_nobody_unsubscribes_before_it_is_proven(lead: Lead) -> None:
    claim = link_visitor(
        anonymous_id="laptop", lead_id=lead.pk, reason=LinkReason.FORM, now=NOW, proven=False
    )
    unsubscribe_as_nobody()
    assert is_agreed(lead)

    confirm_claim(link_id=claim.pk, actor=make_user(Role.MARKETER), now=LATER)

    assert not is_agreed(lead)


def test_detaching_and_restoring_write_nothing_twice(lead: Lead) -> None:
    unsubscribe_as_nobody()
    link = link_visitor(anonymous_id="laptop", lead_id=lead.pk, reason=LinkReason.FORM, now=NOW)
    mira = make_user(Role.MARKETER)

    detach_link(link_id=link.pk, actor=mira, now=LATER)
    restore_link(link_id=link.pk, actor=mira, now=LATER)

    assert Consent.objects.filter(lead=lead).count() == 2


def test_a_robot_that_was_a_person_after_all_is_heard_when_somebody_says_so(lead: Lead) -> None:
    link_visitor(anonymous_id="laptop", lead_id=lead.pk, reason=LinkReason.FORM, now=NOW)
    unsubscribe_as_nobody(**ROBOT)
    assert is_agreed(lead)

    decide_actor(
        event_id=Event.objects.get().id, actor=Actor.HUMAN, decided_by=make_user(), now=LATER
    )

    assert not is_agreed(lead)


def test_and_when_better_rules_say_so(lead: Lead) -> None:
    keep_agents([CHROME])
    record_event(
        lead_id=lead.pk, kind=EventKind.UNSUBSCRIBE, occurred_at=NOW, now=NOW,
        agent_id=agent_id(CHROME), actor=Actor.MACHINE, actor_reason="Known robot: chrome",
    )  # fmt: skip
    assert is_agreed(lead)

    reclassify_events(now=LATER)

    assert not is_agreed(lead)


def test_who_agreed_since_is_not_taken_back_by_what_was_before(lead: Lead) -> None:
    unsubscribe_as_nobody()
    record_consent(
        lead_id=lead.pk, purpose=ConsentPurpose.MARKETING, text="Yes, again.", source="Form v3",
        asked_at=NOW, given_at=NOW, now=NOW,
    )  # fmt: skip

    link_visitor(anonymous_id="laptop", lead_id=lead.pk, reason=LinkReason.FORM, now=NOW)

    assert is_agreed(lead)
