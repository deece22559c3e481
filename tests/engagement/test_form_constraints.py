from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError
from django.db.models import Model

from engagement.models import CaptureForm, FormVersion, Submission
from tests.engagement.form_making import make_form, send, version_of

pytestmark = pytest.mark.django_db


def a_form() -> CaptureForm:
    return make_form(is_published=False)


def a_submission() -> Submission:
    return send(make_form())


@pytest.mark.parametrize(
    ("make", "change", "name"),
    [
        (a_form, {"status": "OPEN"}, "form_status_is_known"),
        (a_form, {"event_kind": "WISH"}, "form_kind_is_known"),
        (a_form, {"status": "PUBLISHED"}, "form_published_has_a_version"),
        (a_form, {"redirect_url": "javascript:alert(1)"}, "form_leads_to_the_web_only"),
        (a_submission, {"state": "LOST"}, "submission_state_is_known"),
        (a_submission, {"reason": "UGLY"}, "submission_reason_is_known"),
        (a_submission, {"state": "REFUSED"}, "submission_refused_for_a_reason"),
        (a_submission, {"decided_at": None}, "submission_accepted_at_a_time"),
    ],
)
def test_the_database_refuses_what_cannot_be(
    make: Callable[[], Model], change: dict[str, Any], name: str
) -> None:
    row = make()
    with pytest.raises(IntegrityError, match=name):
        type(row)._default_manager.filter(pk=row.pk).update(**change)


def test_a_version_number_is_given_once() -> None:
    version = version_of(make_form())
    version.pk = None
    with pytest.raises(IntegrityError, match="form_version_number_once"):
        version.save(force_insert=True)


def test_a_page_is_sent_once() -> None:
    submission = a_submission()
    submission.pk = None
    with pytest.raises(IntegrityError, match="nonce"):
        submission.save(force_insert=True)


@pytest.mark.parametrize("change", [{"title": "Other"}, {"consent_text": "Anything"}])
def test_a_version_stays_as_people_saw_it(change: dict[str, Any]) -> None:
    version = version_of(make_form())
    with pytest.raises(IntegrityError, match="as people saw it"):
        FormVersion.objects.filter(pk=version.pk).update(**change)


def test_a_version_is_not_deleted() -> None:
    versions = FormVersion.objects.filter(form=make_form())
    with pytest.raises(IntegrityError, match="as people saw it"):
        versions._raw_delete("default")
