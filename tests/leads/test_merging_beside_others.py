"""Merging while others are at the same leads: who waits for whom, and whose their work is."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial

import pytest
from django.db import transaction

from crm.accounts.enums import Role
from crm.accounts.models import User
from engagement.enums import Actor, EventKind, LinkReason
from engagement.models import Event, Visitor
from engagement.services import decide_actor, link_visitor, record_event
from leads.enums import ConsentChannel, ConsentPurpose
from leads.models import Consent, Lead, Note
from leads.services import (
    MergeRefused,
    add_note,
    lock_leads,
    merge_leads,
    undo_merge,
    withdraw_consent,
)
from scoring.models import LeadScore
from scoring.services import mark_due
from tests.concurrency import in_thread, wait_until_blocked
from tests.factories import NOW, make_lead, make_user

pytestmark = pytest.mark.django_db(transaction=True)

LATER = NOW + timedelta(hours=1)


@pytest.fixture
def mira() -> User:
    return make_user(Role.MARKETER)


@pytest.fixture
def gone() -> Lead:
    """The lead that is merged, which comes first wherever leads are locked in order."""
    return make_lead(phone="+4930123456")


@pytest.fixture
def kept(gone: Lead) -> Lead:
    return make_lead(phone="")


@pytest.fixture
def merge(kept: Lead, gone: Lead, mira: User) -> Callable[[], object]:
    return partial(merge_leads, survivor_id=kept.pk, merged_id=gone.pk, actor=mira, now=NOW)


def test_a_merge_is_not_taken_back_while_its_survivor_is_merged(
    kept: Lead, gone: Lead, mira: User
) -> None:
    """Red when it looks for later merges before it holds the leads: the acts stay with the last."""
    made = merge_leads(survivor_id=kept.pk, merged_id=gone.pk, actor=mira, now=NOW)
    last = make_lead()
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            merge_leads(survivor_id=last.pk, merged_id=kept.pk, actor=mira, now=NOW)
            undoing = in_thread(pool, partial(undo_merge, merge_id=made.pk, actor=mira, now=LATER))
            wait_until_blocked(undoing)
        with pytest.raises(MergeRefused, match="Take back first"):
            undoing.result(20)


def test_merges_of_other_leads_do_not_wait(mira: User, merge: Callable[[], object]) -> None:
    """Red when one merge keeps out all others: the second waits for all that the first does."""
    one, two = make_lead(), make_lead()
    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        merge()
        other = in_thread(
            pool,
            partial(merge_leads, survivor_id=one.pk, merged_id=two.pk, actor=mira, now=NOW),
        )
        wait_until_blocked(other)
        assert other.done()


def test_who_holds_a_browser_comes_to_its_lead(
    kept: Lead, gone: Lead, merge: Callable[[], object]
) -> None:
    """Red when a merge holds leads before their browsers: each waits for the other."""
    link_visitor(anonymous_id="laptop", lead_id=gone.pk, reason=LinkReason.FORM, now=NOW)
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            Visitor.objects.select_for_update(no_key=True).get()
            merging = in_thread(pool, merge)
            wait_until_blocked(merging)
            lock_leads([gone.pk, kept.pk])
        merging.result(20)

    assert Visitor.objects.get().lead_id == kept.pk


@pytest.mark.parametrize("is_undone", [False, True])
def test_who_holds_a_lead_that_was_merged_before_comes_to_the_others(
    kept: Lead, gone: Lead, mira: User, is_undone: bool
) -> None:
    """Red when a merge holds the family of the two later, or in another order: both wait."""
    last = make_lead()
    merge_leads(survivor_id=kept.pk, merged_id=gone.pk, actor=mira, now=NOW)
    act: Callable[[], object] = partial(
        merge_leads, survivor_id=last.pk, merged_id=kept.pk, actor=mira, now=LATER
    )
    if is_undone:
        made = merge_leads(survivor_id=last.pk, merged_id=kept.pk, actor=mira, now=NOW)
        act = partial(undo_merge, merge_id=made.pk, actor=mira, now=LATER)
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            lock_leads([gone.pk])
            acting = in_thread(pool, act)
            wait_until_blocked(acting)
            lock_leads([gone.pk, kept.pk, last.pk])
        acting.result(20)

    gone.refresh_from_db()
    assert gone.merged_into == (kept if is_undone else last)


def test_a_merge_is_not_taken_back_while_its_whole_family_is_merged(
    kept: Lead, gone: Lead, mira: User
) -> None:
    """Red when a merge holds the family of the two later: each waits for the other."""
    last = make_lead()
    made = merge_leads(survivor_id=kept.pk, merged_id=gone.pk, actor=mira, now=NOW)
    onwards = partial(merge_leads, survivor_id=last.pk, merged_id=kept.pk, actor=mira, now=LATER)
    back = partial(undo_merge, merge_id=made.pk, actor=mira, now=LATER)
    with ThreadPoolExecutor(2) as pool:
        with transaction.atomic():
            lock_leads([kept.pk])
            merging = in_thread(pool, onwards)
            wait_until_blocked(merging)
            undoing = in_thread(pool, back)
            wait_until_blocked(undoing, beside=1)
        merging.result(20)
        with pytest.raises(MergeRefused, match="Take back first"):
            undoing.result(20)

    gone.refresh_from_db()
    assert gone.merged_into == last


@pytest.mark.parametrize("is_undone", [False, True])
def test_who_writes_all_scores_goes_on(
    kept: Lead, gone: Lead, mira: User, merge: Callable[[], object], is_undone: bool
) -> None:
    """Red when the scores of both are not held in order: each waits for the other."""
    mark_due(lead_ids=[gone.pk, kept.pk], now=NOW)
    if is_undone:
        made = merge_leads(survivor_id=kept.pk, merged_id=gone.pk, actor=mira, now=NOW)
        merge = partial(undo_merge, merge_id=made.pk, actor=mira, now=LATER)
    scores = LeadScore.objects.select_for_update()
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            scores.get(lead=gone)
            merging = in_thread(pool, merge)
            wait_until_blocked(merging)
            scores.get(lead=kept)
        merging.result(20)


def test_what_people_write_during_a_merge_is_the_survivors(
    kept: Lead, gone: Lead, mira: User, merge: Callable[[], object]
) -> None:
    """Red when they do not wait: it is hidden with the merged lead until that is taken back."""
    note = partial(add_note, lead_id=gone.pk, author=mira, text="Met at the fair", now=NOW)
    consent = partial(
        withdraw_consent, lead_id=gone.pk, purpose=ConsentPurpose.CONTACT, text="No calls",
        channel=ConsentChannel.PHONE, withdrawn_at=NOW, actor=mira, now=NOW,
    )  # fmt: skip
    with ThreadPoolExecutor(2) as pool:
        with transaction.atomic():
            merge()
            noting = in_thread(pool, note)
            wait_until_blocked(noting)
            withdrawing = in_thread(pool, consent)
            wait_until_blocked(withdrawing, beside=1)
        noting.result(20)
        withdrawing.result(20)

    assert Note.objects.get().lead == kept
    assert Consent.objects.get().lead == kept


def test_who_says_that_a_machine_did_it_waits_before_the_act_is_held(
    mira: User, merge: Callable[[], object]
) -> None:
    """Red when they come to the act at once: a merge holds its lead and waits for it."""
    record_event(lead_id=make_lead().pk, kind=EventKind.DOWNLOAD, occurred_at=NOW, now=NOW)
    event = Event.objects.get()
    decide = partial(decide_actor, event_id=event.id, actor=Actor.MACHINE, decided_by=mira, now=NOW)
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            merge()
            deciding = in_thread(pool, decide)
            wait_until_blocked(deciding)
            assert not deciding.done()
            Event.objects.select_for_update(nowait=True).get()
        deciding.result(20)
