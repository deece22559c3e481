"""Turning what a form brought into a lead: who it is, what they agreed to, what they did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from engagement.blanks import compare
from engagement.enums import FORM_SOURCE, EventKind, LinkReason
from engagement.models import Submission
from engagement.questions import fixed_values, read_questions
from engagement.services.acceptance import record_acceptance
from engagement.services.event_log import record_event
from engagement.services.first_touch import take_first_touch
from engagement.services.links import link_visitor, see_visitors
from engagement.signals import lead_captured
from leads.enums import AttributeType, ConsentPurpose
from leads.models import Lead, LeadAttribute
from leads.services import (
    DuplicateEmail,
    LeadInvalid,
    create_lead,
    record_consent,
    share_merges,
    update_lead,
)

#: What names nobody and may stand in the log for good; free text may say anything.
_LOGGED_TYPES = frozenset(
    {AttributeType.CHOICE, AttributeType.BOOLEAN, AttributeType.NUMBER, AttributeType.DATE}
)


@dataclass(frozen=True, slots=True)
class _Captured:
    """The lead of a submission, and where its answers contradict what was known."""

    lead_id: int
    differences: Mapping[str, list[Any]]
    is_new: bool = False


def capture(
    submission: Submission, *, happened_at: datetime, is_confirmed: bool, now: datetime
) -> None:
    """Make or complete the lead of ``submission`` and log the act; sets ``lead``, unsaved.

    Called inside the transaction that decides on the submission. What is known of a lead stays:
    answers fill blanks only, the others are kept as ``differences``.

    Args:
        submission: with ``form`` and ``version`` loaded.
        happened_at: when the act counts: its receipt, or the confirmation.
        is_confirmed: whether whoever reads the mail of the address said that it was them.
        now: when it is written down.
    """
    share_merges()
    if submission.anonymous_id:  # first, as whoever absorbs events does: visitors, then leads
        see_visitors({("", submission.anonymous_id): (happened_at, now)})
    captured = _lead_of(submission, now)
    submission.lead_id = captured.lead_id
    submission.differences = dict(captured.differences)
    _keep_consent(submission, happened_at, now)
    visitor_id = _introduce(submission, now, is_proven=captured.is_new or is_confirmed)
    _log(submission, happened_at, now, visitor_id)
    if captured.is_new:
        take_first_touch(lead_ids=[captured.lead_id], now=now)
    lead_captured.send(sender=Submission, lead_ids=[captured.lead_id], now=now)


def _lead_of(submission: Submission, now: datetime) -> _Captured:
    said = _values(submission)
    known = Lead.objects.filter(email=submission.email).first()
    if known is None:
        try:
            return _Captured(_create(submission, said, now), {}, is_new=True)
        except DuplicateEmail as duplicate:
            return _complete(duplicate.lead_id, said, now)
    return _complete(known.standing_id, said, now)


def _values(submission: Submission) -> dict[str, Any]:
    """Return what the form knows of the person: answers, fixed values, and what brought them."""
    touch = submission.touch
    came = {name: touch[name] for name in ("source", "medium", "campaign") if touch.get(name)}
    fixed = fixed_values(read_questions(submission.version.questions))
    attributes = {**fixed.get("attributes", {}), **submission.answers.get("attributes", {})}
    said = {**came, **fixed, **submission.answers}
    return {**said, "attributes": attributes} if attributes else said


def _create(submission: Submission, said: Mapping[str, Any], now: datetime) -> int:
    rule = f"Form {submission.form.name}"
    try:
        return create_lead(now=now, created_at=submission.received_at, rule=rule, **said).pk
    except LeadInvalid as invalid:
        return _create(submission, _without(said, invalid.problems), now)


def _complete(lead_id: int, said: Mapping[str, Any], now: datetime) -> _Captured:
    lead = Lead.objects.select_for_update(no_key=True).get(pk=lead_id)
    known = {name: getattr(lead, name) for name in said}
    told = compare(known, said)
    try:
        if told.new:
            update_lead(lead_id=lead_id, now=now, **told.new)
    except LeadInvalid as invalid:
        return _complete(lead_id, _without(said, invalid.problems), now)
    where_from = {"source", "medium", "campaign"}  # what brought them back is told by the act
    differences = {name: both for name, both in told.differences.items() if name not in where_from}
    return _Captured(lead_id, differences)


def _without(said: Mapping[str, Any], problems: Mapping[str, str]) -> dict[str, Any]:
    """Leave out what no longer fits, such as an attribute that is no longer declared."""
    kept = {name: value for name, value in said.items() if name not in problems}
    attributes = kept.get("attributes", {})
    fitting = {name: value for name, value in attributes.items() if name not in problems}
    return {**kept, "attributes": fitting} if attributes else kept


def _keep_consent(submission: Submission, happened_at: datetime, now: datetime) -> None:
    version = submission.version
    if submission.has_consent and submission.lead_id:
        record_consent(
            lead_id=submission.lead_id,
            purpose=ConsentPurpose(version.consent_purpose),
            text=version.consent_text,
            source=f"Form {version}",
            asked_at=submission.received_at,
            given_at=happened_at,
            now=now,
        )


def _introduce(submission: Submission, now: datetime, *, is_proven: bool) -> int | None:
    """Say whose browser sent it; return the visitor, None where the browser is not known.

    Anybody can type the address of somebody who is known: that is a claim of the browser, unless it
    was proven before. What was sent is the lead's all the same.
    """
    if not submission.anonymous_id or submission.lead_id is None:
        return None
    link = link_visitor(
        anonymous_id=submission.anonymous_id,
        lead_id=submission.lead_id,
        reason=LinkReason.FORM,
        evidence=f"Form {submission.version}",
        now=now,
        proven=is_proven,
    )
    return link.visitor_id


def _log(
    submission: Submission, happened_at: datetime, now: datetime, visitor_id: int | None
) -> None:
    """Log the act: the offer of the form is accepted if it stands, else it is a form sent."""
    form = submission.form
    act: dict[str, Any] = {
        "lead_id": submission.lead_id,
        "occurred_at": happened_at,
        "now": now,
        "asset": form.asset or (form.offer.asset if form.offer else None),
        "visitor_id": visitor_id,
        "source": FORM_SOURCE,
        "message_id": submission.nonce,
        "name": form.name,
        "url": submission.page_url,
        "properties": _properties(submission),
        "touch": submission.touch,
    }
    if form.offer and form.offer.stands(happened_at):
        record_acceptance(offer=form.offer, **act)
    else:
        record_event(kind=EventKind(form.event_kind), **act)


def _properties(submission: Submission) -> dict[str, Any]:
    answers = _for_the_log(submission.answers.get("attributes", {}))
    return {**answers, "form": submission.form.slug}


def _for_the_log(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the answers that name nobody: they prefill the BANT form, and the log is for ever."""
    declared = LeadAttribute.objects.filter(name__in=attributes, type__in=_LOGGED_TYPES)
    return {name: attributes[name] for name in declared.values_list("name", flat=True)}
