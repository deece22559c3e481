"""People at one draft at the same time, each on a connection of their own: one wins, all know."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import transaction

from crm.accounts.enums import Role
from scoring.models import ScoringModel
from scoring.services import (
    DraftChanged,
    approve,
    change_draft,
    publish_due_models,
    published_model,
    schedule,
)
from tests.concurrency import in_thread, wait_until_blocked
from tests.factories import NOW, make_user
from tests.scoring.drafts import make_draft, ready_draft, request
from tests.scoring.logs import document

pytestmark = pytest.mark.django_db(transaction=True)

HOUR = timedelta(hours=1)


def one_after_the_other(first: Callable[[], object], second: Callable[[], object]) -> object:
    """Begin ``second`` while the transaction of ``first`` is open; return what it came to."""
    with ThreadPoolExecutor() as pool:
        with transaction.atomic():
            first()
            later = in_thread(pool, second)
            wait_until_blocked(later)
        return later.exception(timeout=20) or later.result()


def change(draft: ScoringModel, *cells: str) -> Callable[[], object]:
    editor = make_user(Role.MARKETER)
    return lambda: change_draft(
        model_id=draft.pk,
        revision=draft.revision,
        definition=document(mql={"cells": list(cells)}),
        actor=editor,
        now=NOW,
    )


def test_of_two_editors_the_later_is_told_and_the_earlier_is_kept() -> None:
    draft = make_draft()
    answer = one_after_the_other(change(draft, "A1"), change(draft, "D4"))
    assert isinstance(answer, DraftChanged)
    draft.refresh_from_db()
    assert draft.definition["mql"]["cells"] == ["A1"]


def test_an_approval_that_meets_a_change_is_of_what_was_read_or_none() -> None:
    draft, manager = request(make_draft()), make_user(Role.MANAGER)
    answer = one_after_the_other(
        change(draft, "A1"),
        lambda: approve(model_id=draft.pk, revision=draft.revision, actor=manager, now=NOW),
    )
    assert isinstance(answer, DraftChanged)
    draft.refresh_from_db()
    assert draft.approved_by is None


def test_a_time_that_meets_a_change_is_not_set() -> None:
    draft, person = ready_draft(), make_user(Role.MARKETER)
    answer = one_after_the_other(
        change(draft, "A1"),
        lambda: schedule(
            model_id=draft.pk, revision=draft.revision, publish_at=NOW + HOUR, actor=person, now=NOW
        ),
    )
    assert isinstance(answer, DraftChanged)
    draft.refresh_from_db()
    assert draft.publish_at is None


def test_a_draft_that_is_changed_as_its_time_comes_is_not_published() -> None:
    draft = ready_draft()
    schedule(
        model_id=draft.pk,
        revision=draft.revision,
        publish_at=NOW + HOUR,
        actor=make_user(),
        now=NOW,
    )
    one_after_the_other(change(draft, "A1"), lambda: publish_due_models(now=NOW + HOUR))
    assert published_model() is None
    draft.refresh_from_db()
    assert (draft.is_draft, draft.held_up) == (True, "")


def test_two_sweeps_publish_a_model_once() -> None:
    draft = ready_draft()
    schedule(
        model_id=draft.pk,
        revision=draft.revision,
        publish_at=NOW + HOUR,
        actor=make_user(),
        now=NOW,
    )

    def sweep() -> object:
        return publish_due_models(now=NOW + HOUR)

    one_after_the_other(sweep, sweep)

    model = published_model()
    assert model == draft
    assert ScoringModel.objects.count() == 1
