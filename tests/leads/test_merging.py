"""Merging two leads: what is known is put together, and taken apart again exactly."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from crm.accounts.enums import Role
from crm.accounts.models import User
from engagement.enums import EventKind, LinkReason
from engagement.models import Event, Visitor, VisitorLink
from engagement.services import link_visitor, record_event
from leads import services
from leads.enums import AttributeType, ConsentPurpose, LifecycleStage
from leads.merging import differences, fingerprint
from leads.models import Consent, ExternalId, Lead, LeadAttribute, LeadFact, LeadMerge, Note
from leads.services import MergeRefused, merge_leads, undo_merge
from tests.concurrency import side_by_side
from tests.factories import NOW, make_lead, make_user

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
LATER = NOW + HOUR


@pytest.fixture
def mira() -> User:
    return make_user(Role.MARKETER, full_name="Mira")


def merge(survivor: Lead, merged: Lead, by: User, **said: Any) -> LeadMerge:
    return merge_leads(
        survivor_id=survivor.pk, merged_id=merged.pk, actor=by, now=said.pop("now", NOW), **said
    )


def lived_in(lead: Lead, by: User) -> None:
    """Let a lead have some of everything that follows a merge."""
    browser = f"browser of {lead.pk}"
    record_event(lead_id=lead.pk, kind=EventKind.DOWNLOAD, occurred_at=NOW - HOUR, now=NOW - HOUR)
    link_visitor(anonymous_id=browser, lead_id=lead.pk, reason=LinkReason.FORM, now=NOW - HOUR)
    services.add_note(lead_id=lead.pk, author=by, text="Met at the fair", now=NOW - HOUR)
    services.record_consent(
        lead_id=lead.pk, purpose=ConsentPurpose.CONTACT, text="Yes", source="Fair",
        asked_at=NOW - HOUR, given_at=NOW - HOUR, now=NOW - HOUR,
    )  # fmt: skip
    ExternalId.objects.create(lead=lead, system="crm", external_id=str(lead.pk))


def rows() -> dict[str, list[dict[str, Any]]]:
    """Return all that a merge changes, row by row, without the history of facts."""
    tables: Any = (Lead, Event, Visitor, VisitorLink, Note, Consent, ExternalId)
    order = {Event: ("occurred_at", "id")}
    return {
        table.__name__: list(table.objects.order_by(*order.get(table, ("pk",))).values())
        for table in tables
    }


def test_taking_a_merge_back_restores_every_row(mira: User) -> None:
    LeadAttribute.objects.create(name="staff", label="Staff", type=AttributeType.NUMBER)
    kept = make_lead(phone="", title="CTO", attributes={}, tags=["fair"])
    gone = make_lead(
        phone="+4930123456", title="Chief", attributes={"staff": 75}, tags=["vip"],
        last_name="Kallweit",
    )  # fmt: skip
    for lead in (kept, gone):
        lived_in(lead, mira)
    before = rows()

    made = merge(kept, gone, mira, take=["email", "title"])

    kept.refresh_from_db()
    assert (kept.phone, kept.title, kept.email) == ("+4930123456", "Chief", gone.email)
    assert (kept.attributes, kept.tags) == ({"staff": 75}, ["fair", "vip"])
    assert set(Event.objects.values_list("lead", "merged_from")) == {
        (kept.pk, None), (kept.pk, gone.pk),
    }  # fmt: skip
    for table in (Note, Consent, ExternalId, VisitorLink):
        assert table.objects.filter(lead=kept).count() == 2

    undo_merge(merge_id=made.pk, actor=mira, now=LATER)

    assert rows() == before
    written = LeadFact.objects.filter(lead=kept, field="title", actor=mira).order_by("pk")
    assert [fact.value for fact in written] == ["Chief", "CTO"]


def test_undoing_leaves_what_somebody_changed_since(mira: User) -> None:
    kept, gone = make_lead(phone="", city=""), make_lead(phone="+4930123456", city="Kiel")
    made = merge(kept, gone, mira)
    services.update_lead(lead_id=kept.pk, now=NOW, actor=mira, city="Bremen")

    undo_merge(merge_id=made.pk, actor=mira, now=LATER)

    kept.refresh_from_db()
    assert (kept.phone, kept.city) == ("", "Bremen")


def test_a_merged_lead_is_nowhere_to_be_seen_and_cannot_be_moved(mira: User) -> None:
    kept, gone = make_lead(), make_lead(stage=LifecycleStage.RECYCLED, wake_at=NOW)

    merge(kept, gone, mira)

    assert list(Lead.objects.visible_to(mira)) == [kept]
    assert services.wake_leads(now=LATER) == 0
    with pytest.raises(services.IllegalTransition, match=f"It was merged into {kept}"):
        services.change_stage(lead_id=gone.pk, to_stage=LifecycleStage.MQL, now=LATER, actor=mira)
    with pytest.raises(services.DuplicateEmail) as refusal:
        services.create_lead(now=NOW, email=gone.email)
    assert refusal.value.lead_id == kept.pk


def test_a_chain_of_merges_leads_to_its_end_and_is_taken_back_from_there(mira: User) -> None:
    first, second, third = make_lead(), make_lead(), make_lead()
    for lead in (first, second, third):
        lived_in(lead, mira)
    before = rows()

    inner = merge(second, first, mira)
    outer = merge(third, second, mira)

    assert set(Lead.objects.values_list("merged_into", flat=True)) == {third.pk, None}
    assert Event.objects.filter(lead=third).count() == 3
    with pytest.raises(MergeRefused, match=f"Take back first that {second} was merged"):
        undo_merge(merge_id=inner.pk, actor=mira, now=LATER)
    undo_merge(merge_id=outer.pk, actor=mira, now=LATER)
    first.refresh_from_db()
    assert first.merged_into == second
    assert Event.objects.filter(lead=second).count() == 2
    undo_merge(merge_id=inner.pk, actor=mira, now=LATER)
    assert rows() == before


def test_merges_that_make_no_sense_are_refused(mira: User) -> None:
    kept, gone, won = make_lead(), make_lead(), make_lead(stage=LifecycleStage.WON)
    made = merge(kept, gone, mira)

    with pytest.raises(MergeRefused, match="into itself"):
        merge(kept, kept, mira)
    with pytest.raises(MergeRefused, match=f"{gone} was merged into {kept} already"):
        merge(won, gone, mira)
    with pytest.raises(MergeRefused, match=f"{gone} was merged into {kept} already"):
        merge(gone, won, mira)
    with pytest.raises(MergeRefused, match=f"{won} is Won already: keep that lead"):
        merge(kept, won, mira)
    undo_merge(merge_id=made.pk, actor=mira, now=LATER)
    with pytest.raises(MergeRefused, match="taken back already"):
        undo_merge(merge_id=made.pk, actor=mira, now=LATER)


def test_facts_that_changed_since_they_were_compared_stop_a_merge(mira: User) -> None:
    kept, gone = make_lead(title="CTO"), make_lead(title="Chief")
    seen = fingerprint(differences(kept, gone))
    services.update_lead(lead_id=gone.pk, now=NOW, actor=mira, title="Boss")

    with pytest.raises(services.MergeChanged):
        merge(kept, gone, mira, seen=seen, take=["title"])

    assert not LeadMerge.objects.exists()


def test_an_address_that_somebody_else_has_by_now_stops_the_undoing(mira: User) -> None:
    kept, gone = make_lead(email=None), make_lead()
    made = merge(kept, gone, mira)
    services.update_lead(lead_id=kept.pk, now=NOW, actor=mira, email="new@example.com")
    other = make_lead(email=gone.email)

    with pytest.raises(MergeRefused, match=f"{gone.email} belongs to {other} by now"):
        undo_merge(merge_id=made.pk, actor=mira, now=LATER)

    assert Lead.objects.get(pk=gone.pk).merged_into == kept


@pytest.mark.django_db(transaction=True)
def test_of_two_merges_of_the_same_leads_at_once_one_holds() -> None:
    mira, one, two = make_user(Role.MARKETER), make_lead(), make_lead()

    outcomes = side_by_side(lambda: merge(one, two, mira), lambda: merge(two, one, mira))

    assert {type(outcome) for outcome in outcomes} == {LeadMerge, MergeRefused}
    assert Lead.objects.filter(merged_into__isnull=True).count() == 1


def test_the_database_refuses_merges_that_cannot_be(mira: User) -> None:
    kept, gone = make_lead(), make_lead()
    made = {"survivor": kept, "merged": gone, "merged_at": NOW, "merged_by": mira}
    LeadMerge.objects.create(**made)

    for name, impossible in (
        ("merge_once_at_a_time", {}),
        ("merge_of_two_different_leads", {"survivor": gone, "merged": gone}),
        ("merge_undone_later_by_somebody", {"undone_at": NOW}),
        ("merge_undone_later_by_somebody", {"undone_at": NOW - HOUR, "undone_by": mira}),
    ):
        with pytest.raises(IntegrityError, match=name), transaction.atomic():
            LeadMerge.objects.create(**{**made, **impossible})
    with pytest.raises(IntegrityError, match="lead_merged_into_another"), transaction.atomic():
        Lead.objects.filter(pk=kept.pk).update(merged_into=kept)
