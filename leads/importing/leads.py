"""Applying lines of leads: a chunk in a constant number of statements, silently for the past."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise

from leads.enums import RowResult
from leads.importing.mapping import LeadMapping
from leads.importing.results import Result, duplicate_of, first_lines
from leads.importing.rows import Cells, LeadRow, RowRefused, read_lead
from leads.models import (
    ExternalId,
    ImportJob,
    ImportRow,
    Lead,
    LeadAttribute,
    LeadFact,
    StageInterval,
)
from leads.services.companies import match_companies
from leads.services.facts import FACT_FIELDS
from leads.services.values import LeadInvalid, clean_values
from leads.signals import leads_changed

RULE = "Import"


@dataclass
class _Chunk:
    """One chunk on its way: what is known before, and what each line leads to."""

    job: ImportJob
    mapping: LeadMapping
    now: datetime
    results: list[Result] = field(default_factory=list)
    new: list[tuple[ImportRow, LeadRow]] = field(default_factory=list)
    known: list[tuple[ImportRow, LeadRow, Lead]] = field(default_factory=list)


def apply_leads(
    job: ImportJob, rows: Sequence[ImportRow], mapping: LeadMapping, *, now: datetime
) -> list[Result]:
    """Create and change the leads of ``rows`` in the caller's transaction.

    History is written as it happened and announced to nobody: no handoff, no clock, no mail. A lead
    that exists keeps its history; only fields that the file gives are changed.
    """
    chunk = _Chunk(job, mapping, now)
    _sort(chunk, _read(chunk, rows))
    made = _create(chunk)
    changed = _update(chunk)
    if made or changed:
        leads_changed.send(sender=Lead, lead_ids=[*made, *changed], now=now)
    return chunk.results


def _read(chunk: _Chunk, rows: Sequence[ImportRow]) -> list[tuple[ImportRow, LeadRow]]:
    """Return the lines that can be taken; the others get their result."""
    declared = {each.name: each for each in LeadAttribute.objects.all()}
    first = first_lines(chunk.job, rows)
    taken = []
    for row in rows:
        duplicate = duplicate_of(row, first)
        if duplicate:
            chunk.results.append(duplicate)
            continue
        try:
            taken.append((row, _clean(chunk, row, declared)))
        except RowRefused as problem:
            chunk.results.append(Result(row.pk, RowResult.REFUSED, str(problem)))
    return taken


def _clean(chunk: _Chunk, row: ImportRow, declared: Mapping[str, LeadAttribute]) -> LeadRow:
    cells = Cells(chunk.job.header, row.cells, chunk.mapping)
    read = read_lead(cells, chunk.mapping, now=chunk.now)
    try:
        return LeadRow(read.external_id, clean_values(read.values, declared=declared), read.history)
    except LeadInvalid as error:
        columns = {**chunk.mapping.fields}
        columns |= {name.removeprefix("attributes."): col for name, col in columns.items()}
        said = [f"{columns.get(name, name)}: {why}" for name, why in error.problems.items()]
        raise RowRefused("; ".join(said)) from error


def _sort(chunk: _Chunk, taken: Sequence[tuple[ImportRow, LeadRow]]) -> None:
    """Tell new leads from known ones, by the number in the source system, then by e-mail."""
    system = chunk.mapping.system
    numbers = [read.external_id for _, read in taken if read.external_id]
    by_number = {
        each.external_id: each.lead
        for each in ExternalId.objects.filter(
            system=system, external_id__in=numbers
        ).select_related("lead")
    }
    addresses = [read.values["email"] for _, read in taken if read.values.get("email")]
    by_email = {lead.email: lead for lead in Lead.objects.filter(email__in=addresses)}
    numbered = set(
        ExternalId.objects.filter(system=system, lead__in=by_email.values()).values_list(
            "lead", flat=True
        )
    )
    claimed: dict[str, int] = {}
    for row, read in taken:
        email = read.values.get("email") or ""
        lead, other = by_number.get(read.external_id), by_email.get(email)
        if email in claimed:
            problem = f"{email}: is on line {claimed[email]} already, for another lead"
            chunk.results.append(Result(row.pk, RowResult.REFUSED, problem))
            continue
        if other and (other != lead if lead else read.external_id and other.pk in numbered):
            problem = f"{email}: belongs to another lead, {other.display_name}"
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
    if not chunk.new:
        return []
    wanted = [(read.values.get("email"), read.values.get("company_name", ""))
              for _, read in chunk.new]  # fmt: skip
    companies = match_companies(wanted=wanted, now=chunk.now)
    leads = Lead.objects.bulk_create(
        Lead(
            **{**read.values, "attributes": _answers(read.values.get("attributes", {}))},
            company=company,
            stage=read.history[-1].stage,
            stage_since=read.history[-1].at,
            cycle=read.history[-1].cycle,
            created_at=read.created_at,
            last_activity_at=read.history[-1].at,
            imported_at=chunk.now,
        )
        for (_, read), company in zip(chunk.new, companies, strict=True)
    )
    written = [(lead, read) for lead, (_, read) in zip(leads, chunk.new, strict=True)]
    _number(chunk, written)
    StageInterval.objects.bulk_create(
        interval for lead, read in written for interval in _intervals(lead, read)
    )
    LeadFact.objects.bulk_create(
        LeadFact(lead=lead, field=name, value=getattr(lead, name), recorded_at=read.created_at)
        for lead, read in written
        for name in FACT_FIELDS
        if read.values.get(name)
    )
    chunk.results += [
        Result(row.pk, RowResult.NEW, lead_id=lead.pk)
        for lead, (row, _) in zip(leads, chunk.new, strict=True)
    ]
    return [lead.pk for lead in leads]


def _answers(attributes: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in attributes.items() if value is not None}


def _number(chunk: _Chunk, written: Sequence[tuple[Lead, LeadRow]]) -> None:
    ExternalId.objects.bulk_create(
        (
            ExternalId(lead=lead, system=chunk.mapping.system, external_id=read.external_id)
            for lead, read in written
            if read.external_id
        ),
        ignore_conflicts=True,
    )


def _intervals(lead: Lead, read: LeadRow) -> list[StageInterval]:
    ends: list[datetime | None] = [after.at for _, after in pairwise(read.history)]
    return [
        StageInterval(
            lead=lead,
            sequence=sequence,
            stage=past.stage,
            cycle=past.cycle,
            started_at=past.at,
            ended_at=end,
            rule=RULE,
            reason=past.reason,
            is_override=past.is_override,
            is_imported=True,
        )
        for sequence, (past, end) in enumerate(
            zip(read.history, [*ends, None], strict=True), start=1
        )
    ]


def _update(chunk: _Chunk) -> list[int]:
    """Write what the file says differently of known leads; return the ids of those changed."""
    changed: list[tuple[Lead, list[str]]] = []
    for row, read, lead in chunk.known:
        names = _change(lead, read)
        if names:
            changed.append((lead, names))
        result = RowResult.UPDATED if names else RowResult.UNCHANGED
        chunk.results.append(Result(row.pk, result, lead_id=lead.pk))
    _number(chunk, [(lead, read) for _, read, lead in chunk.known])
    _rematch([lead for lead, names in changed if {"email", "company_name"} & set(names)], chunk.now)
    written = sorted({name for _, names in changed for name in names} | {"company"})
    if changed:
        Lead.objects.bulk_update([lead for lead, _ in changed], written)
    LeadFact.objects.bulk_create(
        LeadFact(lead=lead, field=name, value=getattr(lead, name), recorded_at=chunk.now)
        for lead, names in changed
        for name in names
        if name in FACT_FIELDS
    )
    return [lead.pk for lead, _ in changed]


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
    for lead, company in zip(leads, match_companies(wanted=wanted, now=now), strict=True):
        lead.company = company
