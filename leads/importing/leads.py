"""Applying lines of leads: a chunk in a constant number of statements, silently for the past."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import Any

from django.db import connection

from leads.enums import RowResult
from leads.expressions import is_any_of
from leads.importing.bulk import copy_rows, reserve_ids, update_rows
from leads.importing.checking import Checked
from leads.importing.mapping import LeadMapping
from leads.importing.results import Result, Row
from leads.importing.rows import LeadRow
from leads.models import (
    ExternalId,
    ImportJob,
    Lead,
    LeadFact,
    StageInterval,
)
from leads.services.companies import match_companies
from leads.services.facts import FACT_FIELDS
from leads.services.values import TEXT_FIELDS
from leads.signals import leads_changed

RULE = "Import"
_LEAD_COLUMNS = (
    "id", "email", *TEXT_FIELDS, "attributes", "company_id", "stage", "stage_since", "cycle",
    "created_at", "imported_at", "last_activity_at", "next_step",
)  # fmt: skip
_INTERVAL_COLUMNS = (
    "lead_id", "sequence", "stage", "cycle", "started_at", "ended_at", "rule", "reason",
    "is_override", "is_imported", "cell",
)  # fmt: skip
#: All that the file says of new leads, dated by their capture; empty is no answer.
_RECORD_FACTS = f"""
    INSERT INTO leads_leadfact (lead_id, field, value, recorded_at)
    SELECT lead.id, said.field, said.value, lead.created_at
    FROM leads_lead AS lead
    CROSS JOIN LATERAL (
        VALUES {", ".join(f"('{name}', to_jsonb(lead.{name}))" for name in FACT_FIELDS)}
    ) AS said (field, value)
    WHERE lead.id = ANY(%s) AND said.value NOT IN ('""', '{{}}')"""  # noqa: S608 -- our own names


@dataclass
class _Chunk:
    """One chunk on its way: what is known before, and what each line leads to."""

    job: ImportJob
    mapping: LeadMapping
    now: datetime
    results: list[Result] = field(default_factory=list)
    new: list[tuple[Row, LeadRow]] = field(default_factory=list)
    known: list[tuple[Row, LeadRow, Lead]] = field(default_factory=list)


def apply_leads(
    job: ImportJob, checked: Checked, mapping: LeadMapping, *, now: datetime
) -> list[Result]:
    """Create and change the leads of the lines in ``checked``, in the caller's transaction.

    History is written as it happened and announced to nobody: no handoff, no clock, no mail. A lead
    that exists keeps its history; only fields that the file gives are changed.
    """
    chunk = _Chunk(job, mapping, now, results=list(checked.refused))
    _sort(chunk, checked.leads)
    made = _create(chunk) if chunk.new else []
    changed = _update(chunk) if chunk.known else []
    if made or changed:
        leads_changed.send(sender=Lead, lead_ids=[*made, *changed], now=now)
    return chunk.results


def _sort(chunk: _Chunk, taken: Sequence[tuple[Row, LeadRow]]) -> None:
    """Tell new leads from known ones, by the number in the source system, then by e-mail."""
    system = chunk.mapping.system
    numbers = [read.external_id for _, read in taken if read.external_id]
    by_number = {
        each.external_id: each.lead
        for each in ExternalId.objects.filter(
            is_any_of("external_id", numbers), system=system
        ).select_related("lead")
    }
    addresses = [read.values["email"] for _, read in taken if read.values.get("email")]
    by_email = {lead.email: lead for lead in Lead.objects.filter(is_any_of("email", addresses))}
    numbered = set(
        ExternalId.objects.filter(system=system, lead__in=by_email.values()).values_list(
            "lead", flat=True
        )
    )
    claimed: dict[str, int] = {}
    column = chunk.mapping.fields.get("email", "email")
    for row, read in taken:
        email = read.values.get("email") or ""
        lead, other = by_number.get(read.external_id), by_email.get(email)
        if email in claimed:
            problem = f"{column}: {email!r} is on line {claimed[email]} already, for another lead"
            chunk.results.append(Result(row.pk, RowResult.REFUSED, problem))
            continue
        if other and (other != lead if lead else read.external_id and other.pk in numbered):
            problem = f"{column}: {email!r} belongs to another lead, {other.display_name}"
            chunk.results.append(Result(row.pk, RowResult.REFUSED, problem))
            continue
        if email:
            claimed[email] = row.line
        match = lead or other
        if match:
            chunk.known.append((row, read, match))
        else:
            chunk.new.append((row, read))


def _create(chunk: _Chunk) -> list[int]:
    """Write the new leads with numbers, history and facts; return their ids."""
    wanted = [(read.values.get("email"), read.values.get("company_name", ""))
              for _, read in chunk.new]  # fmt: skip
    companies = match_companies(wanted=wanted, now=chunk.now)
    ids = reserve_ids(Lead, len(chunk.new))
    written = [(pk, read) for pk, (_, read) in zip(ids, chunk.new, strict=True)]
    copy_rows(
        Lead,
        _LEAD_COLUMNS,
        (
            _lead_row(pk, read, company, chunk.now)
            for (pk, read), company in zip(written, companies, strict=True)
        ),
    )
    copy_rows(
        ExternalId,
        ("lead_id", "system", "external_id"),
        ((pk, chunk.mapping.system, read.external_id) for pk, read in written if read.external_id),
    )
    intervals = (row for pk, read in written for row in _interval_rows(pk, read))
    copy_rows(StageInterval, _INTERVAL_COLUMNS, intervals)
    with connection.cursor() as cursor:
        cursor.execute(_RECORD_FACTS, [ids])
    chunk.results += [
        Result(row.pk, RowResult.NEW, lead_id=pk)
        for pk, (row, _) in zip(ids, chunk.new, strict=True)
    ]
    return ids


def _lead_row(pk: int, read: LeadRow, company_id: int | None, now: datetime) -> tuple[Any, ...]:
    """Return the values of ``_LEAD_COLUMNS``."""
    last, given = read.history[-1], read.values.get
    texts = [given(name, "") for name in TEXT_FIELDS]
    attributes = json.dumps(_answers(given("attributes", {})))
    return (
        pk, given("email"), *texts, attributes, company_id, last.stage.value, last.at, last.cycle,
        read.created_at, now, last.at, "",
    )  # fmt: skip


def _answers(attributes: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in attributes.items() if value is not None}


def _interval_rows(pk: int, read: LeadRow) -> Iterator[tuple[Any, ...]]:
    """Yield the values of ``_INTERVAL_COLUMNS``; the last stage stays open."""
    ends: list[datetime | None] = [after.at for _, after in pairwise(read.history)]
    for number, (past, end) in enumerate(zip(read.history, [*ends, None], strict=True), start=1):
        yield (
            pk, number, past.stage.value, past.cycle, past.at, end, RULE, past.reason,
            past.is_override, True, "",
        )  # fmt: skip


def _update(chunk: _Chunk) -> list[int]:
    """Write what the file says differently of known leads; return the ids of those changed."""
    changed: list[tuple[Lead, list[str]]] = []
    for row, read, lead in chunk.known:
        names = _change(lead, read)
        if names:
            changed.append((lead, names))
        result = RowResult.UPDATED if names else RowResult.UNCHANGED
        chunk.results.append(Result(row.pk, result, lead_id=lead.pk))
    _number(chunk)
    _rematch([lead for lead, names in changed if {"email", "company_name"} & set(names)], chunk.now)
    written = sorted({name for _, names in changed for name in names} | {"company"})
    update_rows([lead for lead, _ in changed], written)
    LeadFact.objects.bulk_create(
        LeadFact(lead=lead, field=name, value=getattr(lead, name), recorded_at=chunk.now)
        for lead, names in changed
        for name in names
        if name in FACT_FIELDS
    )
    return [lead.pk for lead, _ in changed]


def _number(chunk: _Chunk) -> None:
    """Note the numbers that this source gives to known leads."""
    ExternalId.objects.bulk_create(
        (
            ExternalId(lead=lead, system=chunk.mapping.system, external_id=read.external_id)
            for _, read, lead in chunk.known
            if read.external_id
        ),
        ignore_conflicts=True,
    )


def _change(lead: Lead, read: LeadRow) -> list[str]:
    """Set what differs and return the names; attributes that the file leaves out stay."""
    values = dict(read.values)
    if "attributes" in values:
        values["attributes"] = _answers({**lead.attributes, **values["attributes"]})
    names = [name for name, value in values.items() if value and getattr(lead, name) != value]
    for name in names:
        setattr(lead, name, values[name])
    return names


def _rematch(leads: Sequence[Lead], now: datetime) -> None:
    wanted = [(lead.email, lead.company_name) for lead in leads]
    for lead, company_id in zip(leads, match_companies(wanted=wanted, now=now), strict=True):
        lead.company_id = company_id
