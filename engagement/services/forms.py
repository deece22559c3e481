"""Writing forms: drafts, and the versions that strangers see."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from crm.accounts.models import User
from engagement.enums import FormStatus
from engagement.models import CaptureForm, FormVersion
from engagement.questions import EMAIL, Question, as_document, read_questions
from engagement.services.assets import SlugTaken

#: What a new form asks.
_USUAL = (
    Question(EMAIL, "Work e-mail"),
    Question("first_name", "First name"),
    Question("last_name", "Last name"),
    Question("company_name", "Company"),
)


class NotPublishable(Exception):
    """A form that strangers could not use; ``problems`` are sentences."""

    def __init__(self, problems: Sequence[str]) -> None:
        """Compose one message from all problems."""
        super().__init__(" ".join(problems))
        self.problems = list(problems)


def create_form(
    *, name: str, slug: str, now: datetime, actor: User | None = None, **values: Any
) -> CaptureForm:
    """Begin a draft that asks the usual; ``values`` are further columns of CaptureForm.

    Raises:
        SlugTaken: another form has the slug.
    """
    said = {"title": name, "questions": as_document(_USUAL), **values}
    form = CaptureForm(name=name, slug=slug, created_at=now, created_by=actor, **said)
    _save(form)
    return form


@transaction.atomic
def save_form(
    *, form_id: int, questions: Sequence[Question] | None = None, **values: Any
) -> CaptureForm:
    """Change the draft of a form, and what holds at once; strangers see the rest when published.

    Raises:
        SlugTaken: another form has the slug.
    """
    form = CaptureForm.objects.select_for_update(no_key=True).get(pk=form_id)
    if questions is not None:
        values["questions"] = as_document(questions)
    for name, value in values.items():
        setattr(form, name, value)
    _save(form, update_fields=list(values))
    return form


@transaction.atomic
def publish_form(*, form_id: int, actor: User | None, now: datetime) -> CaptureForm:
    """Let strangers see and send the form as it is drafted; what they see becomes a version.

    Raises:
        NotPublishable: naming everything that is missing.
    """
    form = CaptureForm.objects.select_for_update(no_key=True).get(pk=form_id)
    if problems := publishing_problems(form):
        raise NotPublishable(problems)
    if form.has_changes:
        form.version = FormVersion.objects.create(
            form=form,
            number=form.versions.count() + 1,
            published_at=now,
            published_by=actor,
            **form.face,
        )
    form.status = FormStatus.PUBLISHED
    form.save(update_fields=["version", "status"])
    return form


def archive_form(*, form_id: int) -> None:
    """Close a form to strangers; what was sent stays, and publishing opens it again."""
    CaptureForm.objects.filter(pk=form_id).update(status=FormStatus.ARCHIVED)


def publishing_problems(form: CaptureForm) -> list[str]:
    """Return what keeps a form from being published, as sentences."""
    questions = read_questions(form.questions)
    problems = []
    if not any(each.name == EMAIL and not each.fixed for each in questions):
        problems.append("Ask for the e-mail address: without it nobody can be told apart.")
    if len({each.name for each in questions}) < len(questions):
        problems.append("Ask for each field once.")
    if form.double_opt_in and not form.consent_text:
        problems.append("Say what people agree to when they confirm: the consent text is empty.")
    if form.needs_consent and not form.consent_text:
        problems.append("Consent is required, but its text is empty.")
    return problems


def _save(form: CaptureForm, update_fields: list[str] | None = None) -> None:
    try:
        with transaction.atomic():
            form.save(update_fields=update_fields)
    except IntegrityError as error:
        if CaptureForm.objects.filter(slug=form.slug).exclude(pk=form.pk).exists():
            raise SlugTaken from error
        raise
