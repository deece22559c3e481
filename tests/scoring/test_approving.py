"""A draft is approved by a second person, for one revision."""

from __future__ import annotations

from datetime import timedelta

import pytest

from crm.accounts.enums import Role
from crm.common.models import Notification
from scoring.definition import DefinitionInvalid
from scoring.services import (
    ApprovalRefused,
    DraftChanged,
    GateClosed,
    NotADraft,
    approve,
    change_draft,
    may_approve,
    publish,
    request_approval,
    schedule,
    withdraw_approval,
)
from tests.factories import NOW, make_user
from tests.scoring.drafts import approved, back_tested, make_draft, ready_draft, request
from tests.scoring.logs import document, force_model

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


def test_a_second_person_approves_and_the_author_is_told() -> None:
    draft, manager = request(make_draft()), make_user(Role.MANAGER)

    approved = approve(model_id=draft.pk, revision=draft.revision, actor=manager, now=NOW)

    assert (approved.approved_by, approved.approved_at) == (manager, NOW)
    assert approved.approved_revision == draft.revision
    told = Notification.objects.get(recipient=draft.changed_by)
    assert "approved scoring model v1" in told.title


def test_everybody_who_could_approve_is_told_once_and_the_author_is_not() -> None:
    manager = make_user(Role.MANAGER)
    make_user(Role.REP)
    draft = request(make_draft())
    request(draft)
    assert [told.recipient for told in Notification.objects.all()] == [manager]


def test_a_request_that_another_model_overtook_is_made_again() -> None:
    manager = make_user(Role.MANAGER)
    draft = approved(request(make_draft()))
    force_model(now=NOW + HOUR)
    Notification.objects.all().delete()

    again = request(draft, now=NOW + 2 * HOUR)
    request(draft, now=NOW + 2 * HOUR)

    assert again.approval_requested_at == NOW + 2 * HOUR
    told = Notification.objects.values_list("recipient", flat=True)
    assert set(told) == {manager.pk, again.approved_by_id}
    assert may_approve(again, manager)


def test_who_approved_beside_the_model_before_approves_again_and_does_not_ask() -> None:
    marketer = make_user(Role.MARKETER)
    draft = request(make_draft())
    approve(model_id=draft.pk, revision=draft.revision, actor=marketer, now=NOW)
    force_model(now=NOW + HOUR)
    with pytest.raises(ApprovalRefused, match="You approved Model v1 before: approve it again"):
        request_approval(
            model_id=draft.pk, revision=draft.revision, actor=marketer, now=NOW + 2 * HOUR
        )
    again = approve(model_id=draft.pk, revision=draft.revision, actor=marketer, now=NOW + 2 * HOUR)
    assert again.approved_at == NOW + 2 * HOUR


def test_nobody_who_wrote_it_or_asked_approves_it() -> None:
    author, editor, asker = (make_user(Role.MARKETER) for _ in range(3))
    draft = make_draft()
    draft.created_by = author
    draft.save(update_fields=["created_by"])
    changed = change_draft(
        model_id=draft.pk,
        revision=draft.revision,
        definition=document(mql={"cells": ["A1"]}),
        actor=editor,
        now=NOW,
    ).model
    draft = request_approval(model_id=changed.pk, revision=changed.revision, actor=asker, now=NOW)
    for person in (author, editor, asker):
        assert not may_approve(draft, person)
        with pytest.raises(ApprovalRefused, match="somebody else has to approve"):
            approve(model_id=draft.pk, revision=draft.revision, actor=person, now=NOW)
    back_tested(draft)
    with pytest.raises(GateClosed):
        publish(model_id=draft.pk, now=NOW)


def test_a_rep_does_not_approve() -> None:
    draft = request(make_draft())
    with pytest.raises(ApprovalRefused, match="A marketer, a manager or an admin"):
        approve(model_id=draft.pk, revision=draft.revision, actor=make_user(Role.REP), now=NOW)


def test_what_nobody_asked_for_is_not_approved() -> None:
    draft = make_draft()
    with pytest.raises(ApprovalRefused, match="ask for it first"):
        approve(model_id=draft.pk, revision=draft.revision, actor=make_user(Role.MANAGER), now=NOW)


def test_approval_is_of_the_revision_that_was_read() -> None:
    draft = request(make_draft())
    changed = change_draft(
        model_id=draft.pk,
        revision=draft.revision,
        definition=document(mql={"cells": ["A1"]}),
        actor=make_user(),
        now=NOW,
    ).model
    request(changed)
    with pytest.raises(DraftChanged):
        approve(model_id=draft.pk, revision=draft.revision, actor=make_user(Role.MANAGER), now=NOW)


def test_no_approval_is_asked_for_a_faulty_draft() -> None:
    draft = make_draft(document(mql={"cells": []}))
    with pytest.raises(DefinitionInvalid, match="no lead would be one"):
        request(draft)


def test_an_approval_taken_back_takes_the_time_to_publish_along() -> None:
    draft = ready_draft()
    schedule(
        model_id=draft.pk,
        revision=draft.revision,
        publish_at=NOW + HOUR,
        actor=make_user(),
        now=NOW,
    )

    again = withdraw_approval(
        model_id=draft.pk, revision=draft.revision, actor=make_user(Role.ADMIN), now=NOW
    )

    assert (again.approved_by, again.publish_at) == (None, None)
    with pytest.raises(GateClosed, match="asked for approval"):
        publish(model_id=draft.pk, now=NOW)
    approver = draft.approved_by
    assert Notification.objects.filter(recipient=approver, title__contains="took back").exists()


def test_what_is_in_force_is_not_approved() -> None:
    model = force_model(now=NOW)
    with pytest.raises(NotADraft):
        approve(model_id=model.pk, revision=1, actor=make_user(Role.MANAGER), now=NOW)
