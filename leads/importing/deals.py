"""Applying lines of deals: each kept with its true date, moving history without side effects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from crm.accounts.models import User
from leads.enums import LifecycleStage, RowResult
from leads.importing.bulk import update_rows
from leads.importing.mapping import DealMapping
from leads.importing.people import people_named
from leads.importing.results import Result
from leads.importing.rows import SKIPPED, DealRow, Ending, is_date_only
from leads.importing.sql.deals import check_deals, good_deals
from leads.importing.sql.lines import Lines
from leads.importing.sql.tables import refusals
from leads.lifecycle import TRANSITIONS
from leads.models import Deal, ExternalId, Lead, StageInterval
from leads.services.deals import announce_customers

RULE = "Import"
_ENDED = (LifecycleStage.WON, LifecycleStage.LOST)


@dataclass
class _Chunk:
    """One chunk on its way; leads and their open intervals are changed in memory, then written."""

    mapping: DealMapping
    now: datetime
    results: list[Result] = field(default_factory=list)
    deals: list[Deal] = field(default_factory=list)
    current: dict[int, StageInterval] = field(default_factory=dict)
    opened: list[StageInterval] = field(default_factory=list)


def apply_deals(lines: Lines, mapping: DealMapping, *, now: datetime) -> list[Result]:
    """Write the deals of ``lines`` in the caller's transaction; a deal is counted once for ever.

    A deal that contradicts its lead's history keeps its true date and is flagged; the move is then
    recorded at the earliest lawful instant, as an override whose reason names that date.
    """
    check_deals(lines, mapping, now=now)
    chunk, taken = _Chunk(mapping, now, results=refusals("import_deal")), good_deals()
    leads = _leads(mapping, [read for _, read in taken])
    open_now = StageInterval.objects.current().filter(lead__in=leads.values())
    chunk.current = {interval.lead_id: interval for interval in open_now}
    system = mapping.system
    owners = people_named(
        (read.owner for _, read in taken), system=system, creates=mapping.creates_reps
    )
    recorded = set(
        Deal.objects.filter(
            system=system, external_id__in=[read.external_id for _, read in taken]
        ).values_list("external_id", flat=True)
    )
    for row_id, read in taken:
        _apply(chunk, row_id, read, leads, owners, recorded)
    _write(chunk, list(leads.values()))
    return chunk.results


def _leads(mapping: DealMapping, read: Sequence[DealRow]) -> dict[str, Lead]:
    """Return the leads of the deals by their number, locked against other writers."""
    numbers = [each.lead_external_id for each in read]
    found = ExternalId.objects.filter(system=mapping.system, external_id__in=numbers)
    pairs = dict(found.values_list("external_id", "lead"))
    locked = (
        Lead.objects.select_for_update(no_key=True)
        .order_by("id")
        .in_bulk(sorted(set(pairs.values())))
    )
    return {number: locked[pk] for number, pk in pairs.items()}


def _apply(
    chunk: _Chunk,
    row_id: int,
    read: DealRow,
    leads: dict[str, Lead],
    owners: dict[str, User],
    recorded: set[str],
) -> None:
    """Decide one line."""
    lead = leads.get(read.lead_external_id)
    if lead is None:
        problem = f"{chunk.mapping.lead}: there is no lead {read.lead_external_id!r}"
        chunk.results.append(Result(row_id, RowResult.REFUSED, problem))
    elif read.ending is None:
        chunk.results.append(Result(row_id, RowResult.UNCHANGED, "The deal is still open", lead.pk))
    elif read.external_id in recorded:
        chunk.results.append(Result(row_id, RowResult.UNCHANGED, "", lead.pk))
    else:
        flag = _move(chunk, lead, read.ending)
        chunk.deals.append(_deal(chunk, lead, read, read.ending, owners.get(read.owner), flag))
        chunk.results.append(Result(row_id, RowResult.NEW, flag, lead.pk))


def _deal(
    chunk: _Chunk, lead: Lead, read: DealRow, ended: Ending, owner: User | None, flag: str
) -> Deal:
    attributes = dict(read.attributes)
    if is_date_only(ended.at, chunk.mapping.closed_at):
        attributes["closed_at_is_a_date"] = "yes"
    return Deal(
        lead=lead,
        cycle=lead.cycle,
        outcome=ended.outcome,
        closed_at=ended.at,
        value=read.value,
        currency=chunk.mapping.currency,
        owner=owner,
        owner_name=read.owner,
        product=read.product,
        system=chunk.mapping.system,
        external_id=read.external_id,
        flag=flag,
        attributes=attributes,
        company_id=lead.company_id,
        created_at=chunk.now,
    )


def _move(chunk: _Chunk, lead: Lead, ended: Ending) -> str:
    """Move the lead's history to the ending; return why the deal is flagged, if it is."""
    stage = LifecycleStage(lead.stage)
    to_stage, closed_at = LifecycleStage(ended.outcome), ended.at
    if stage in _ENDED:
        return f"The lead was {stage.label} already"
    flag = ""
    if closed_at < lead.stage_since:
        flag = f"Closed on {closed_at:%Y-%m-%d}, before the lead became {stage.label}"
    is_lawful = to_stage in TRANSITIONS[stage]
    reason = "; ".join(part for part in (flag, "" if is_lawful else SKIPPED) if part)
    at = max(closed_at, lead.stage_since)
    current = chunk.current[lead.pk]
    current.ended_at = at
    chunk.opened.append(
        StageInterval(
            lead=lead,
            sequence=current.sequence + 1,
            stage=to_stage,
            cycle=lead.cycle,
            started_at=at,
            rule=RULE,
            reason=reason,
            is_override=bool(reason),
            is_imported=True,
        )
    )
    lead.stage, lead.stage_since = to_stage, at
    lead.last_activity_at = max(lead.last_activity_at, at)
    return flag


def _write(chunk: _Chunk, leads: Sequence[Lead]) -> None:
    moved = {interval.lead_id for interval in chunk.opened}
    ended = [interval for pk, interval in chunk.current.items() if pk in moved]
    update_rows(ended, ["ended_at"])
    StageInterval.objects.bulk_create(chunk.opened)
    update_rows(
        [lead for lead in leads if lead.pk in moved], ["stage", "stage_since", "last_activity_at"]
    )
    Deal.objects.bulk_create(chunk.deals)
    announce_customers(chunk.deals, now=chunk.now)
