"""Forms and submissions for tests, through the services."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import count
from typing import Any

from engagement.models import CaptureForm, FormVersion, Submission
from engagement.questions import Question
from engagement.services.forms import create_form, publish_form, save_form
from engagement.services.submissions import Arrival, submit_form
from leads.enums import AttributeType
from leads.models import LeadAttribute
from tests.factories import NOW

QUESTIONS = (
    Question("email", "Work e-mail", is_required=True),
    Question("first_name", "First name"),
    Question("last_name", "Last name"),
    Question("company_name", "Company"),
    Question("country", "Country"),
)
CONSENT = "Yes, send me mail about downtime. I can stop it at any time."
_numbers = count(1)


def make_form(*questions: Question, is_published: bool = True, **fields: Any) -> CaptureForm:
    """Make a form, published unless said otherwise."""
    number = next(_numbers)
    said = {"name": f"Form {number}", "slug": f"form-{number}", **fields}
    form = create_form(now=NOW, **said)
    form = save_form(form_id=form.pk, questions=questions or QUESTIONS)
    return publish_form(form_id=form.pk, actor=None, now=NOW) if is_published else form


def make_newsletter(**fields: Any) -> CaptureForm:
    """Make a form whose address has to be confirmed."""
    return make_form(
        Question("email", "E-mail"),
        double_opt_in=True,
        event_kind="NEWSLETTER_SIGNUP",
        consent_text=CONSENT,
        needs_consent=True,
        **fields,
    )


def version_of(form: CaptureForm) -> FormVersion:
    """Return what strangers see."""
    assert form.version is not None
    return form.version


def send(
    form: CaptureForm,
    *,
    now: datetime = NOW,
    email: str = "ines@kesterwald.example",
    has_consent: bool = False,
    arrival: dict[str, Any] | None = None,
    **answers: Any,
) -> Submission:
    """Send ``form`` as a believable person does; ``arrival`` says what is different."""
    kept = submit_form(
        version=version_of(form),
        answers={"email": email, **answers},
        has_consent=has_consent,
        arrival=some_arrival(**arrival or {}),
        now=now,
    )
    assert kept is not None
    return kept


def some_arrival(**fields: Any) -> Arrival:
    """Return how a believable submission comes."""
    number = next(_numbers)
    believable: dict[str, Any] = {
        "nonce": f"{number:032x}",
        "took": timedelta(seconds=20),
        "address": f"192.0.2.{number % 250}",
    }
    return Arrival(**{**believable, **fields})


def declare(name: str, kind: AttributeType = AttributeType.TEXT, **fields: Any) -> LeadAttribute:
    """Declare a custom attribute of leads."""
    return LeadAttribute.objects.create(
        name=name, label=name.capitalize(), type=kind, **{"choices": [], **fields}
    )
