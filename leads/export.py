"""A list of leads as a file: what the list shows, its columns in their order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from crm.accounts.models import User
from crm.common.paging import ordered
from leads.list_address import ListAddress
from leads.listing import Cell, Row, for_rows, stream_rows
from leads.models import Lead


def export_header(address: ListAddress) -> list[str]:
    """Return the first line of the file."""
    return ["Name", *(column.label for column in address.columns)]


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
    for row in stream_rows(found, address.columns, viewer=viewer, now=now):
        yield _line(row)


def _line(row: Row) -> list[Any]:
    return [str(row.lead), *(_value(row.lead, cell) for cell in row.cells)]


def _value(lead: Lead, cell: Cell) -> Any:
    if cell.column.read:
        return cell.column.read(lead)
    return "" if cell.value is None else cell.column.export(cell.value)
