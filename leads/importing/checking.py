"""Looking at lines by themselves: what each says, or why it is refused. Asks the database nothing.

A chunk that only needs looking at is looked at in a thread, while the database is busy with the
chunk before: reading a line costs about half as much as writing it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType

from leads.enums import RowResult
from leads.importing.mapping import DealMapping, LeadMapping
from leads.importing.results import Result, Row
from leads.importing.rows import Cells, DealRow, LeadRow, RowRefused, read_deal, read_lead
from leads.models import ImportJob, LeadAttribute
from leads.services.values import LeadInvalid, clean_values

CHUNK = 5000


@dataclass(frozen=True)
class Chunk:
    """The next lines of a job, and all that reading them takes.

    ``lines`` holds those that wait for a result; ``last_line`` may be one that has its own already.
    """

    first_id: int
    last_line: int
    header: Sequence[str]
    lines: Sequence[Row]
    mapping: LeadMapping | DealMapping
    declared: Mapping[str, LeadAttribute]
    now: datetime


@dataclass(frozen=True)
class Checked:
    """A chunk that was read: leads or deals by line, and the results of lines that are neither."""

    chunk: Chunk
    leads: list[tuple[Row, LeadRow]] = field(default_factory=list)
    deals: list[tuple[Row, DealRow]] = field(default_factory=list)
    refused: list[Result] = field(default_factory=list)


def check_lines(chunk: Chunk) -> Checked:
    """Read every line of ``chunk``."""
    checked = Checked(chunk)
    for row in chunk.lines:
        cells = Cells(chunk.header, row.cells, chunk.mapping)
        try:
            if isinstance(chunk.mapping, DealMapping):
                checked.deals.append((row, read_deal(cells, chunk.mapping, now=chunk.now)))
            else:
                checked.leads.append((row, _lead(cells, chunk.mapping, chunk)))
        except RowRefused as problem:
            checked.refused.append(Result(row.pk, RowResult.REFUSED, str(problem)))
    return checked


def _lead(cells: Cells, mapping: LeadMapping, chunk: Chunk) -> LeadRow:
    read = read_lead(cells, mapping, now=chunk.now)
    try:
        values = clean_values(read.values, declared=chunk.declared)
    except LeadInvalid as error:
        columns = {**mapping.fields}
        columns |= {name.removeprefix("attributes."): col for name, col in columns.items()}
        said = [f"{columns.get(name, name)}: {why}" for name, why in error.problems.items()]
        raise RowRefused("; ".join(said)) from error
    return LeadRow(read.external_id, values, read.history)


def next_chunk(
    job: ImportJob, mapping: LeadMapping | DealMapping, *, after: int, now: datetime
) -> Chunk | None:
    """Return the lines behind line ``after``; None at the end of the file."""
    left = job.rows.filter(line__gt=after).order_by("line")
    rows = list(left.values_list("id", "line", "cells", "result")[:CHUNK])
    if not rows:
        return None
    return Chunk(
        first_id=rows[0][0],
        last_line=rows[-1][1],
        header=job.header,
        lines=[Row(pk, line, cells) for pk, line, cells, result in rows if not result],
        mapping=mapping,
        declared=_declared(mapping),
        now=now,
    )


def _declared(mapping: LeadMapping | DealMapping) -> dict[str, LeadAttribute]:
    """Return the attributes by name; those that the mapping brings are made when it is applied."""
    brought = mapping.attributes if isinstance(mapping, LeadMapping) else ()
    new = {each.name: LeadAttribute(name=each.name, type=each.type) for each in brought}
    return new | {each.name: each for each in LeadAttribute.objects.all()}


Take = Callable[[ImportJob, LeadMapping | DealMapping, datetime], Checked | None]


def take_chunk(job: ImportJob, mapping: LeadMapping | DealMapping, now: datetime) -> Checked | None:
    """Return the lines that ``job`` applies next, read now; None at the end of the file."""
    chunk = next_chunk(job, mapping, after=job.applied_line, now=now)
    return check_lines(chunk) if chunk else None


class ReadAhead:
    """Takes chunks like ``take_chunk``, each time with the next one on its way in a thread.

    A chunk read ahead counts only where the job stands before its very first line: another process
    may have applied lines, or staged them anew, since it was read.
    """

    def __init__(self) -> None:
        """Begin with nothing read."""
        self._thread = ThreadPoolExecutor(max_workers=1)
        self._ahead: Future[Checked] | None = None

    def __enter__(self) -> ReadAhead:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the thread."""
        self._thread.shutdown(cancel_futures=True)

    def take(
        self, job: ImportJob, mapping: LeadMapping | DealMapping, now: datetime
    ) -> Checked | None:
        """Return the lines that ``job`` applies next; None at the end of the file."""
        ahead = self._ahead.result() if self._ahead else None
        self._ahead = None
        checked = ahead if ahead and _is_next(job, ahead) else take_chunk(job, mapping, now)
        if checked:
            following = next_chunk(job, mapping, after=checked.chunk.last_line, now=now)
            if following:
                self._ahead = self._thread.submit(check_lines, following)
        return checked


def _is_next(job: ImportJob, checked: Checked) -> bool:
    waiting = job.rows.filter(line__gt=job.applied_line).order_by("line")
    return waiting.values_list("id", flat=True).first() == checked.chunk.first_id
