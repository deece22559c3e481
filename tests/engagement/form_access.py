"""Who may open the pages of forms, and what is public of them."""

from __future__ import annotations

from django.utils import timezone

from crm.accounts.models import User
from engagement import tokens
from tests.access import ADMIN, MANAGER, MARKETER, Arguments, Row, public, row
from tests.engagement.content import make_asset, make_file
from tests.engagement.form_making import make_form, make_newsletter, send


def some_form(_viewer: User) -> Arguments:
    return {"slug": make_form().slug}


def some_thanks(_viewer: User) -> Arguments:
    submission = send(make_form())
    token = tokens.sign("form sent", submission.pk, now=timezone.now())
    return {"slug": submission.form.slug, "token": token}


def some_gate(_viewer: User) -> Arguments:
    submission = send(make_form(asset=make_file(make_asset()).asset))
    token = tokens.sign("form sent", submission.pk, now=timezone.now())
    return {"slug": submission.form.slug, "token": token}


def some_mailed_link(_viewer: User) -> Arguments:
    submission = send(make_newsletter(), has_consent=True)
    token = tokens.sign("opt_in", submission.pk, now=timezone.now())
    return {"slug": submission.form.slug, "token": token}


def some_form_id(_viewer: User) -> Arguments:
    return {"form_id": make_form().pk}


def something_refused(_viewer: User) -> Arguments:
    return {"submission_id": send(make_form(), arrival={"trap": "x"}).pk}


BUILDERS = (MARKETER, MANAGER, ADMIN)
FORM_ROWS: list[Row] = [
    row("engagement:forms", *BUILDERS),
    row("engagement:form_create", *BUILDERS),
    row("engagement:form_edit", *BUILDERS, own=some_form_id),
    row("engagement:form_preview", *BUILDERS, own=some_form_id, method="post"),
    row("engagement:submissions", *BUILDERS, own=some_form_id),
    row("engagement:submissions_export", *BUILDERS, own=some_form_id),
    row("engagement:submission_accept", *BUILDERS, own=something_refused, method="post"),
    public("engagement:hosted_form", own=some_form),
    public("engagement:form_thanks", own=some_thanks),
    public("engagement:confirm_opt_in", own=some_mailed_link),
    public("engagement:form_file", own=some_gate),
]
