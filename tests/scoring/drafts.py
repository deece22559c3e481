"""Drafts of the scoring model, and the people behind them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from crm.accounts.enums import Role
from scoring.enums import BackTestState
from scoring.models import BackTest, ScoringModel
from scoring.services import approve, published_model, request_approval, start_draft
from scoring.services.drafting import change_draft
from tests.factories import NOW, make_user
from tests.scoring.logs import document


def make_draft(definition: dict[str, Any] | None = None, *, now: datetime = NOW) -> ScoringModel:
    """Make a draft that a marketer wrote."""
    author = make_user(Role.MARKETER)
    draft = start_draft(actor=author, now=now)
    return change_draft(
        model_id=draft.pk,
        revision=draft.revision,
        definition=definition or document(),
        actor=author,
        now=now,
    ).model


def request(draft: ScoringModel, *, now: datetime = NOW) -> ScoringModel:
    """Have the author of a draft ask for its approval."""
    author = draft.changed_by
    assert author is not None
    return request_approval(model_id=draft.pk, revision=draft.revision, actor=author, now=now)


def back_tested(draft: ScoringModel, *, now: datetime = NOW) -> BackTest:
    """Write down that the present revision of a draft was tested beside the model in force."""
    return BackTest.objects.create(
        model=draft,
        revision=draft.revision,
        former=published_model(),
        state=BackTestState.DONE,
        starts_at=now - timedelta(days=90),
        ends_at=now,
        requested_at=now,
        finished_at=now,
    )


def ready_draft(definition: dict[str, Any] | None = None, *, now: datetime = NOW) -> ScoringModel:
    """Make a draft that may be published: back-tested, and approved by a second person."""
    draft = request(make_draft(definition, now=now), now=now)
    back_tested(draft, now=now)
    return approved(draft, now=now)


def approved(draft: ScoringModel, *, now: datetime = NOW) -> ScoringModel:
    """Have another manager approve the present revision of a draft."""
    return approve(
        model_id=draft.pk, revision=draft.revision, actor=make_user(Role.MANAGER), now=now
    )
