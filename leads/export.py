"""A list of leads as CSV: what is known of each, then the columns that upper apps contribute."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

from crm.accounts.models import User
from crm.common.paging import ordered
from crm.common.slots import Column
from leads.columns import OWN_COLUMNS
from leads.list_address import ListAddress
from leads.listing import Row, for_rows, stream_rows
from leads.models import Lead

_FIELDS: Sequence[tuple[str, Callable[[Lead], Any]]] = (
    ("Lead", lambda lead: lead.pk),
    ("First name", lambda lead: lead.first_name),
    ("Last name", lambda lead: lead.last_name),
    ("E-mail", lambda lead: lead.email),
    ("Phone", lambda lead: lead.phone),
    ("Title", lambda lead: lead.title),
    ("Company", lambda lead: lead.company_name),
    ("Country", lambda lead: lead.country),
    ("Region", lambda lead: lead.region),
    ("City", lambda lead: lead.city),
    ("Website", lambda lead: lead.website),
    ("Source", lambda lead: lead.source),
    ("Medium", lambda lead: lead.medium),
    ("Campaign", lambda lead: lead.campaign),
    ("Stage", lambda lead: lead.stage),
    ("In stage since", lambda lead: lead.stage_since),
    ("Cycle", lambda lead: lead.cycle),
    ("Owner", lambda lead: lead.owner or ""),
    ("Team", lambda lead: lead.team or ""),
    ("Next step", lambda lead: lead.next_step),
    ("Next step at", lambda lead: lead.next_step_at),
    ("Created", lambda lead: lead.created_at),
    ("Last activity", lambda lead: lead.last_activity_at),
)


def contributed(address: ListAddress) -> list[Column]:
    """Return the shown columns that the fields of a lead do not hold already."""
    return [column for column in address.columns if column.name not in OWN_COLUMNS]


def export_header(address: ListAddress) -> list[str]:
    """Return the first line of the file."""
    return [label for label, _ in _FIELDS] + [column.label for column in contributed(address)]


def export_lines(
    address: ListAddress, *, viewer: User, now: datetime, only: Sequence[int] | None = None
) -> Iterator[list[Any]]:
    """Yield the rows that the list counts, in its order.

    ``only`` keeps the leads of that list with these ids. Memory does not grow with the list.
    """
    leads = address.leads(viewer=viewer, now=now)
    if only is not None:
        leads = leads.filter(pk__in=only)
    found = ordered(for_rows(leads), address.sort.ordering)
    columns = contributed(address)
    for row in stream_rows(found, columns, viewer=viewer, now=now):
        yield _line(row)


def _line(row: Row) -> list[Any]:
    own = [read(row.lead) for _, read in _FIELDS]
    return own + [
        "" if cell.value is None else cell.column.export(cell.value) for cell in row.cells
    ]
