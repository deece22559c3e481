"""What the database itself refuses to believe of a model version."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.db.models import F

from scoring.models import ScoringModel
from tests.factories import NOW, make_user
from tests.scoring.drafts import make_draft, ready_draft, request
from tests.scoring.logs import force_model

pytestmark = pytest.mark.django_db


def refuses(constraint: str, model: ScoringModel, **values: Any) -> None:
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        ScoringModel.objects.filter(pk=model.pk).update(**values)


def test_one_model_is_in_force() -> None:
    force_model(now=NOW)
    refuses("scoring_model_one_published", make_draft(), state="PUBLISHED", published_at=NOW)


def test_each_state_has_its_date() -> None:
    draft = make_draft()
    refuses("scoring_model_in_force_has_a_date", draft, state="PUBLISHED")
    refuses("scoring_model_in_force_has_a_date", draft, state="RETIRED")
    refuses("scoring_model_in_force_has_a_date", draft, published_at=NOW)
    refuses("scoring_model_state_is_known", draft, state="LIVE")


def test_who_wrote_a_draft_or_asked_does_not_approve_it() -> None:
    draft = ready_draft()
    refuses("scoring_model_not_by_its_author", draft, created_by=F("approved_by"))
    refuses("scoring_model_not_by_its_editor", draft, changed_by=F("approved_by"))
    refuses("scoring_model_not_by_who_asked", draft, approval_requested_by=F("approved_by"))


def test_an_approval_is_of_the_revision_there_is() -> None:
    draft = ready_draft()
    refuses("scoring_model_approval_of_revision", draft, revision=F("revision") + 1)
    refuses("scoring_model_approval_is_whole", draft, approved_at=None)
    refuses("scoring_model_approval_is_whole", draft, approved_by=None)


def test_a_request_has_a_person_and_a_time() -> None:
    refuses("scoring_model_request_is_whole", request(make_draft()), approval_requested_at=None)


def test_only_an_approved_draft_has_a_time_to_come_into_force() -> None:
    later, person = NOW + timedelta(days=1), make_user()
    name = "scoring_model_scheduled_if_approved"
    refuses(name, make_draft(), publish_at=later, scheduled_by=person)
    refuses(name, ready_draft(), publish_at=later)
    refuses(name, force_model(now=NOW), publish_at=later, scheduled_by=person)
