"""Capturing a lead and changing what is known of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db import IntegrityError, transaction

from crm.accounts.models import User
from leads.enums import LifecycleStage
from leads.models import Lead, LeadFact, StageInterval
from leads.services.companies import match_companies, match_company
from leads.services.facts import FACT_FIELDS, facts_of, record_facts, record_first_names
from leads.services.values import clean_values, respelled
from leads.signals import leads_changed


class DuplicateEmail(Exception):
    """Another lead has this address; ``lead_id`` says which."""

    def __init__(self, email: str, lead_id: int) -> None:
        """Compose the sentence a person reads."""
        super().__init__(f"{email} belongs to another lead")
        self.email = email
        self.lead_id = lead_id


class Capture(NamedTuple):
    """Somebody to be captured: when they were, by what rule, and what is known of them.

    ``values`` are columns of Lead that people fill in, and ``attributes``, the declared custom
    ones.
    """

    captured_at: datetime
    rule: str
    values: Mapping[str, Any]


def create_lead(
    *,
    now: datetime,
    actor: User | None = None,
    created_at: datetime | None = None,
    rule: str = "",
    **values: Any,
) -> Lead:
    """Capture a lead, open its first stage and announce it.

    ``values`` are columns of Lead that people fill in, and ``attributes``, the declared custom
    ones. ``created_at`` is when the person was captured, if that was before ``now``.

    Raises:
        LeadInvalid: naming each value that does not fit.
        DuplicateEmail: when another lead has the address.
    """
    capture = Capture(created_at or now, rule, values)
    (lead,) = create_leads(captures=[capture], now=now, actor=actor)
    return lead


@transaction.atomic
def create_leads(
    *, captures: Sequence[Capture], now: datetime, actor: User | None = None
) -> list[Lead]:
    """Capture people, in as many statements for many as for one.

    Raises:
        LeadInvalid: naming each value of one of them that does not fit; nobody is captured.
        DuplicateEmail: another lead has the address of one of them; nobody is captured.
    """
    leads = [_lead_of(each) for each in captures]
    wanted = [(lead.email, lead.company_name) for lead in leads]
    for lead, company_id in zip(leads, match_companies(wanted=wanted, now=now), strict=True):
        lead.company_id = company_id
    _insert(leads)
    StageInterval.objects.bulk_create(
        StageInterval(
            lead=lead,
            sequence=1,
            stage=LifecycleStage.LEAD,
            cycle=1,
            started_at=lead.created_at,
            actor=actor,
            rule=capture.rule,
        )
        for lead, capture in zip(leads, captures, strict=True)
    )
    LeadFact.objects.bulk_create(
        fact
        for lead in leads
        for fact in facts_of(lead, _known_of(lead), at=lead.created_at, actor=actor)
    )
    leads_changed.send(sender=Lead, lead_ids=[lead.pk for lead in leads], now=now)
    return leads


def _lead_of(capture: Capture) -> Lead:
    cleaned = clean_values(capture.values)
    cleaned["attributes"] = _merged({}, cleaned.get("attributes", {}))
    at = capture.captured_at
    return Lead(**cleaned, stage_since=at, created_at=at, last_activity_at=at)


def _known_of(lead: Lead) -> list[str]:
    return [name for name in FACT_FIELDS if getattr(lead, name)]


def _insert(leads: Sequence[Lead]) -> None:
    """Write new leads; the unique index finds a second owner of an address, even in a race."""
    try:
        with transaction.atomic():
            Lead.objects.bulk_create(leads)
    except IntegrityError as error:
        addresses = [lead.email for lead in leads]
        other = Lead.objects.filter(email__in=addresses).first()
        if other is None or other.email is None:
            raise
        raise DuplicateEmail(other.email, other.standing_id) from error


class ChangedMeanwhile(Exception):
    """What was to be changed is not any more what it was when somebody read it.

    ``values`` are the present ones by field, with ``attributes`` as a mapping of their own.
    """

    def __init__(self, values: Mapping[str, Any]) -> None:
        """Compose the sentence a person reads."""
        super().__init__("Somebody else changed this lead meanwhile")
        self.values = dict(values)


@transaction.atomic
def update_lead(
    *,
    lead_id: int,
    now: datetime,
    actor: User | None = None,
    seen: Mapping[str, Any] | None = None,
    **changes: Any,
) -> Lead:
    """Change what is known of a lead; log and announce what is different.

    ``attributes`` changes the keys it names and leaves the others; a blank value removes its key.
    ``seen`` is what whoever changes them had before their eyes, by field like ``changes``: a value
    that somebody else changed since is not overwritten.

    Raises:
        ChangedMeanwhile: with all values that are neither as seen nor as they are to be.
        LeadInvalid: naming each value that does not fit.
        DuplicateEmail: when another lead has the address.
    """
    lead = Lead.objects.select_for_update(no_key=True).get(pk=lead_id)
    cleaned = clean_values(changes, country=lead.country)
    _check_seen(lead, respelled(seen or {}, country=lead.country), cleaned)
    if "attributes" in cleaned:
        cleaned["attributes"] = _merged(lead.attributes, cleaned["attributes"])
    changed = [name for name, value in cleaned.items() if getattr(lead, name) != value]
    if not changed:
        return lead
    before = {name: getattr(lead, name) for name in changed}
    for name in changed:
        setattr(lead, name, cleaned[name])
    written = list(changed)
    if {"email", "company_name"} & set(changed):
        lead.company = match_company(email=lead.email, company_name=lead.company_name, now=now)
        written.append("company")
    _save(lead, update_fields=written)
    record_first_names(lead=lead, before=before)
    record_facts(lead=lead, fields=changed, at=now, actor=actor)
    leads_changed.send(sender=Lead, lead_ids=[lead.pk], now=now)
    return lead


def _check_seen(lead: Lead, seen: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    """See that what is to be overwritten is what was read. ``lead`` is locked."""
    columns = {name: getattr(lead, name) for name in wanted if name != "attributes"}
    theirs = _differing(columns, seen, wanted)
    customs = wanted.get("attributes", {})
    present = {name: lead.attributes.get(name) for name in customs}
    if other := _differing(present, seen.get("attributes", {}), customs):
        theirs["attributes"] = other
    if theirs:
        raise ChangedMeanwhile(theirs)


def _differing(
    present: Mapping[str, Any], seen: Mapping[str, Any], wanted: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the present values of what was seen that are neither so nor as wanted."""
    return {
        name: value
        for name, value in present.items()
        if name in seen and _answer(value) not in (_answer(seen[name]), _answer(wanted[name]))
    }


def _answer(value: Any) -> Any:
    """Return a value with the two ways of having none as one."""
    return None if value == "" else value


def _merged(known: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the attributes after ``changes``; one without an answer is not kept."""
    return {name: value for name, value in {**known, **changes}.items() if value is not None}


def _save(lead: Lead, update_fields: list[str] | None = None) -> None:
    """Write the lead; the unique index finds a second owner of the address, even in a race."""
    try:
        with transaction.atomic():
            lead.save(update_fields=update_fields)
    except IntegrityError as error:
        other = Lead.objects.filter(email=lead.email).exclude(pk=lead.pk).first()
        if lead.email is None or other is None:
            raise
        raise DuplicateEmail(lead.email, other.standing_id) from error
