"""The demo company's forms: before a guide, for a demo, for the newsletter, with what was sent."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import F

from crm.common.enums import OutboxState
from crm.common.models import OutboxMessage
from crm.demo.library import SITE
from engagement.enums import EventKind
from engagement.form_mail import ASSET_LINK, OPT_IN
from engagement.models import Asset, CaptureForm, Offer
from engagement.questions import Question
from engagement.services.forms import create_form, publish_form, save_form
from engagement.services.submissions import Arrival, confirm_submission, submit_form

_MAIL = Question("email", "Work e-mail", is_required=True)
_NAMES = (Question("first_name", "First name"), Question("last_name", "Last name"))
_COMPANY = Question("company_name", "Company")
_COUNTRY = Question("country", "Country", is_required=True)
_PHONE = Question("phone", "Phone", "We call within a working day.")
_MARKETING = (
    "Yes, Halvorn may send me mail about maintenance. I can stop it at any time, with one click."
)
_MINUTE = timedelta(minutes=1)
_HOUR = timedelta(hours=1)
_LINKEDIN = {"touch": {"source": "linkedin", "medium": "paid_social", "campaign": "Guide DACH"}}
_ROBOT = {"trap": "https://cheap-links.example"}
_QUICK = {"took": timedelta(milliseconds=300)}

#: Asked for the newsletter and never pressed the button.
_SILENT = "office@nowhere-mills.example"

#: How long ago, which form, what was said, what was unusual about it.
_SENT: tuple[tuple[timedelta, str, dict[str, Any], dict[str, Any]], ...] = (
    (70 * _HOUR, "planned-downtime-guide", {
        "email": "annika.brandt@eisenhut-antriebe.example", "first_name": "Annika",
        "last_name": "Brandt", "company_name": "Eisenhut Antriebe", "country": "DE"}, _LINKEDIN),
    (52 * _HOUR, "newsletter", {"email": "j.lindqvist@norrverk.example"}, {}),
    (47 * _HOUR, "planned-downtime-guide", {
        "email": "pavel@molnar-presses.example", "first_name": "Pavel", "last_name": "Molnar",
        "company_name": "Molnar Presses", "country": "CZ"}, {}),
    (31 * _HOUR, "planned-downtime-guide", {
        "email": "seo@cheap-links.example", "first_name": "SEO", "last_name": "Offer",
        "company_name": "https://cheap-links.example", "country": "US"}, _ROBOT),
    (30 * _HOUR, "planned-downtime-guide", {
        "email": "seo2@cheap-links.example", "first_name": "SEO", "last_name": "Offer",
        "company_name": "https://cheap-links.example", "country": "US"}, _ROBOT),
    (26 * _HOUR, "newsletter", {"email": "ops@saltmarsh-dairy.example"}, {}),
    (22 * _HOUR, "newsletter", {"email": _SILENT}, {}),
    (9 * _HOUR, "request-demo", {
        "email": "b.okafor@tidewater-cans.example", "first_name": "Blessing",
        "last_name": "Okafor", "phone": "+442079460123", "title": "Maintenance manager",
        "company_name": "Tidewater Cans", "country": "GB"}, _QUICK),
    (4 * _HOUR, "newsletter", {"email": "bot@cheap-links.example"}, _ROBOT),
    (6 * _MINUTE, "request-demo", {
        "email": "claudia.reiter@voestwerk.example", "first_name": "Claudia",
        "last_name": "Reiter", "phone": "+431234567890", "title": "Head of maintenance",
        "company_name": "Voestwerk", "country": "AT"}, {}),
)  # fmt: skip

#: Leads that the forms make: of all who send one but robots, and who never confirms.
CAPTURED = sum(
    not {"trap", "took"} & ways.keys() and said["email"] != _SILENT for _, _, said, ways in _SENT
)


def found_forms(*, now: datetime) -> None:
    """Publish the forms, as of ``now``; library and offers are there."""
    _publish(
        now,
        slug="planned-downtime-guide",
        name="Planned downtime guide",
        questions=[_MAIL, *_NAMES, _COMPANY, _COUNTRY],
        intro="24 pages on stopping machines before they stop you.",
        button="Send me the guide",
        thank_you="Thank you. The guide is yours.",
        asset=Asset.objects.get(slug="guide-downtime"),
        mails_link=True,
        consent_text=_MARKETING,
    )
    _publish(
        now,
        slug="request-demo",
        name="Request a demo",
        questions=[_MAIL, *_NAMES, _PHONE, Question("title", "Role"), _COMPANY, _COUNTRY],
        intro="Half an hour with an engineer, on your own numbers.",
        button="Request a demo",
        thank_you="Thank you. An engineer will call you.",
        offer=Offer.objects.get(slug="request-demo"),
    )
    _publish(
        now,
        slug="newsletter",
        name="Newsletter",
        questions=[_MAIL],
        intro="Once a month: one plant, one problem, one fix.",
        button="Sign up",
        thank_you="You are on the list. The next letter comes on the first Tuesday of the month.",
        asset=Asset.objects.get(slug="newsletter"),
        event_kind=EventKind.NEWSLETTER_SIGNUP,
        double_opt_in=True,
        consent_text=_MARKETING,
        needs_consent=True,
    )


def send_forms(*, now: datetime) -> None:
    """Send the forms as people and robots did in the last days, through the services."""
    versions = {form.slug: form.version for form in CaptureForm.objects.select_related("version")}
    for place, (ago, slug, answers, ways) in enumerate(_SENT):
        version, at = versions[slug], now - ago
        if version is None:
            continue
        sent = submit_form(
            version=version,
            answers=answers,
            has_consent=slug == "newsletter" or place % 2 == 0,
            arrival=_arrival(place, slug, **ways),
            now=at,
        )
        if sent and sent.mailed_at and sent.email != _SILENT:
            confirm_submission(submission_id=sent.pk, now=at + _MINUTE)
    mails = OutboxMessage.objects.filter(channel__in=(OPT_IN, ASSET_LINK))
    mails.update(state=OutboxState.SENT, delivered_at=F("created_at"))  # they arrived back then


def _publish(
    now: datetime, *, slug: str, name: str, questions: list[Question], **fields: Any
) -> None:
    form = create_form(name=name, slug=slug, now=now, embed_origins=[settings.PUBLIC_URL], **fields)
    save_form(form_id=form.pk, questions=questions)
    publish_form(form_id=form.pk, actor=None, now=now)


def _arrival(place: int, slug: str, **ways: Any) -> Arrival:
    believable: dict[str, Any] = {
        "nonce": f"{place:032x}",
        "took": timedelta(seconds=40 + place),
        "address": f"192.0.2.{place}",
        "page_url": f"{SITE}/{slug}",
    }
    return Arrival(**{**believable, **ways})
