"""What is done after a merge, and what a merge of very many acts leaves for later."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import transaction

from crm.accounts.enums import Role
from crm.accounts.models import User
from engagement.enums import EventKind, LinkReason
from engagement.models import Event
from engagement.services import link_visitor, merging, record_event
from engagement.tokens import prove
from leads.models import Lead, LeadMerge
from leads.services import MergeRefused, merge_leads, undo_merge
from scoring.models import LeadScore
from tests.concurrency import in_thread, wait_until_blocked
from tests.engagement.inbox import HOUR, NOW, absorb, identify, message, owners
from tests.factories import make_lead, make_user

pytestmark = pytest.mark.django_db

ADA, BEN = "ada@example.com", "ben@example.com"
LATER = NOW + HOUR


@pytest.fixture
def mira() -> User:
    return make_user(Role.MARKETER, full_name="Mira")


@pytest.fixture
def ada() -> Lead:
    return make_lead(email=ADA, created_at=NOW - 90 * HOUR)


@pytest.fixture
def ben() -> Lead:
    return make_lead(email=BEN, created_at=NOW - 90 * HOUR)


def merge(survivor: Lead, merged: Lead, by: User) -> LeadMerge:
    return merge_leads(survivor_id=survivor.pk, merged_id=merged.pk, actor=by, now=NOW)


def test_whatever_names_the_merged_lead_leads_to_the_survivor(
    ada: Lead, ben: Lead, mira: User
) -> None:
    link_visitor(anonymous_id="laptop", lead_id=ben.pk, reason=LinkReason.FORM, now=NOW - 2 * HOUR)
    merge(ada, ben, mira)

    absorb(
        message("his browser"),
        identify("his address", BEN, anonymousId="phone"),
        source="server",
    )
    token = prove(lead_id=ben.pk, reason=LinkReason.EMAIL_CLICK, now=NOW - HOUR)
    absorb(message("his link", anonymousId="tablet", context={"baton": {"token": token}}))

    assert {who for _, who in owners() if who} == {ADA}
    assert set(owners()) >= {("his browser", ADA), ("his address", ADA)}
    assert Lead.objects.get(pk=ada.pk).last_activity_at == NOW - HOUR
    assert Lead.objects.count() == 2


def test_acts_since_go_with_the_browser_when_leads_are_parted(
    ada: Lead, ben: Lead, mira: User
) -> None:
    link_visitor(anonymous_id="laptop", lead_id=ben.pk, reason=LinkReason.FORM, now=NOW - 2 * HOUR)
    made = merge(ada, ben, mira)
    absorb(message("since"))
    record_event(lead_id=ada.pk, kind=EventKind.DOWNLOAD, occurred_at=NOW, now=NOW,
                 source="hers", message_id="her own")  # fmt: skip

    undo_merge(merge_id=made.pk, actor=mira, now=LATER)

    assert owners() == [("since", BEN), ("her own", ADA)]


def test_a_lead_with_very_many_acts_follows_piece_by_piece(
    ada: Lead, ben: Lead, mira: User
) -> None:
    for number in range(5):
        at = NOW - timedelta(minutes=number)
        record_event(lead_id=ben.pk, kind=EventKind.DOWNLOAD, occurred_at=at, now=NOW)
    made = merge(ada, ben, mira)
    made.followed["engagement"]["until"] = (NOW - timedelta(hours=1)).isoformat()
    LeadMerge.objects.filter(pk=made.pk).update(has_more=True, followed=made.followed)
    Event.objects.filter(lead=ada, occurred_at__lt=NOW).update(lead=ben, merged_from=None)

    with pytest.raises(MergeRefused, match="still on their way"):
        undo_merge(merge_id=made.pk, actor=mira, now=LATER)
    assert not merging.follow_on(now=LATER)

    assert set(Event.objects.values_list("lead", "merged_from")) == {(ada.pk, ben.pk)}
    assert LeadScore.objects.get(lead=ada).score_due_at == LATER
    undo_merge(merge_id=made.pk, actor=mira, now=LATER)
    assert set(Event.objects.values_list("lead", "merged_from")) == {(ben.pk, None)}


@pytest.mark.django_db(transaction=True)
def test_an_act_that_arrives_during_a_merge_is_the_survivors(
    ada: Lead, ben: Lead, mira: User
) -> None:
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            merge(ada, ben, mira)
            absorbing = in_thread(pool, lambda: absorb(identify("meanwhile", BEN), source="server"))
            wait_until_blocked(absorbing)
        absorbing.result(timeout=60)

    assert owners() == [("meanwhile", ADA)]
