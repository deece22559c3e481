"""Lists of attendance from other programs: checked line by line, then recorded in steps."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import islice
from pathlib import Path
from zoneinfo import ZoneInfo

from django.db import OperationalError, transaction

from crm.accounts.models import User
from crm.common.health import beat
from crm.common.singly import do_singly
from engagement.attendance_reading import (
    FIELDS,
    NEEDED,
    Entry,
    LineRefused,
    read_entry,
    suggest_columns,
)
from engagement.enums import (
    AttendanceResult,
    AttendanceStatus,
    UploadState,
)
from engagement.messages import EARLIEST
from engagement.models import AttendanceRow, AttendanceUpload, Webinar
from engagement.services.attendance import Attendance, record_attendance, recorded_before
from leads.importing.reading import FileRefused, Line, Table, open_table
from leads.importing.uploads import encoding_of
from leads.models import Lead
from leads.services import DuplicateEmail, create_lead, share_merges

logger = logging.getLogger(__name__)

#: Our choice: more than any webinar had; a larger list is split.
MOST_LINES = 20_000
#: Our choice: making so many leads takes a minute or two; more are an import.
MOST_NEW_LEADS = 2_000
_CHUNK = 500
#: Lines that one transaction records. Our choice: even as new leads they take few seconds, well
#: within the time that others wait for the leads and companies it holds.
_STEP = 100
_GAVE_UP = (
    "An unforeseen error; the log of the worker has it. Lines recorded before it stay recorded."
)
_TOO_MANY_NEW = f"The list names more than {MOST_NEW_LEADS:,} people that we do not know."


@transaction.atomic
def check_list(
    *,
    webinar: Webinar,
    path: Path,
    filename: str,
    columns: Mapping[str, str],
    captures_unknown: bool,
    now: datetime,
    by: User | None,
) -> AttendanceUpload:
    """Read a list and say of each line what recording it would do; nothing else is written.

    Args:
        webinar: whom the list is about.
        path: a CSV or XLSX file.
        filename: what it was called.
        columns: its columns by field, as far as somebody said; the others are found by their names.
        captures_unknown: whether people we do not know are to become leads.
        now: when.
        by: who uploads it.

    Raises:
        FileRefused: the file cannot be read, is too long, lacks a column, or would make too many
            leads at once.
    """
    table = open_table(path, encoding=encoding_of(path))
    found = _columns(table, columns)
    upload = AttendanceUpload.objects.create(
        webinar=webinar,
        filename=filename[:255],
        columns=found,
        captures_unknown=captures_unknown,
        uploaded_at=now,
        uploaded_by=by,
    )
    first_lines: dict[tuple[str, str], int] = {}
    rows = (_row(upload, line, table.header, first_lines, now) for line in table.lines)
    count = 0
    while chunk := list(islice(rows, _CHUNK)):
        count += len(chunk)
        if count > MOST_LINES:
            raise FileRefused(f"The list has more than {MOST_LINES:,} lines: split it.")
        _judge(upload, chunk)
        AttendanceRow.objects.bulk_create(chunk)
    if upload.rows.filter(result=AttendanceResult.NEW_LEAD).count() > MOST_NEW_LEADS:
        raise FileRefused(f"{_TOO_MANY_NEW} Import them as leads first, then upload this again.")
    return upload


def queue_upload(*, upload_id: int) -> bool:
    """Have a checked list recorded; say whether it was still to be."""
    checked = AttendanceUpload.objects.filter(pk=upload_id, state=UploadState.CHECKED)
    return checked.update(state=UploadState.QUEUED) == 1


def record_queued_uploads(*, now: datetime) -> int:
    """Record the lists that are queued, and return how many were taken.

    What the database did not finish goes on with the next call, from where it stopped.
    """
    queued = AttendanceUpload.objects.queued()
    ids = list(queued.values_list("pk", flat=True)[:20])

    def give_up(pk: int, error: Exception) -> None:
        logger.exception("Could not record the attendance list %s", pk)
        if not isinstance(error, OperationalError):
            AttendanceUpload.objects.filter(pk=pk, state=UploadState.QUEUED).update(
                state=UploadState.FAILED, error=_GAVE_UP
            )

    do_singly(ids, lambda pk: _record(pk, now), give_up=give_up)
    beat("record_attendance", now, queued.count(), None)
    return len(ids)


def _record(upload_id: int, now: datetime) -> None:
    """Record all lines of a list that are good, in steps that hold nobody up for long."""
    while _record_step(upload_id, now):
        pass


@transaction.atomic
def _record_step(upload_id: int, now: datetime) -> bool:
    """Record the next lines of a list; say whether to go on.

    A list that another worker holds is left to it.
    """
    locked = AttendanceUpload.objects.queued().select_for_update(skip_locked=True, of=("self",))
    upload = locked.select_related("webinar__asset").filter(pk=upload_id).first()
    if upload is None:
        return False
    wanted = (AttendanceResult.READY, AttendanceResult.NEW_LEAD)
    rows = list(upload.rows.filter(result__in=wanted).order_by("lead_id", "line")[:_STEP])
    if rows:
        share_merges()
        _record_rows(upload, rows, now)
        AttendanceRow.objects.bulk_update(rows, ["lead", "result"])
        return True
    upload.state, upload.recorded_at = UploadState.RECORDED, now
    upload.save(update_fields=["state", "recorded_at"])
    return False


def _record_rows(upload: AttendanceUpload, rows: list[AttendanceRow], now: datetime) -> None:
    known = _leads_of(rows)
    captured = set()
    for row in sorted(rows, key=_by_company):
        if row.email not in known:
            known[row.email] = _capture(upload.webinar, row, now)
            captured.add(row.line)
        row.lead_id = known[row.email]
    fresh = record_attendance(
        webinar=upload.webinar, people=(_attendance(upload.webinar, row) for row in rows), now=now
    )
    for row in rows:
        if (row.lead_id, AttendanceStatus(row.status).event_kind) not in fresh:
            row.result = AttendanceResult.KNOWN
        else:
            is_new = row.line in captured
            row.result = AttendanceResult.CAPTURED if is_new else AttendanceResult.DONE


def _by_company(row: AttendanceRow) -> tuple[str, str]:
    """Return by what new leads are made in one order: those of one company lock it in turn."""
    name, _, domain = row.email.rpartition("@")
    return domain, name


def _attendance(webinar: Webinar, row: AttendanceRow) -> Attendance:
    known = {} if row.minutes is None else {"minutes": row.minutes}
    kind = AttendanceStatus(row.status).event_kind
    return row.lead_id or 0, kind, row.happened_at or webinar.starts_at, known


def _capture(webinar: Webinar, row: AttendanceRow, now: datetime) -> int:
    first, _, last = row.name.partition(" ")
    try:
        lead = create_lead(
            now=now,
            rule=f"Webinar {webinar.name}"[:200],
            email=row.email,
            first_name=first[:100],
            last_name=last.strip()[:100],
            source="webinar",
        )
    except DuplicateEmail as duplicate:
        return duplicate.lead_id
    return lead.pk


def _columns(table: Table, chosen: Mapping[str, str]) -> dict[str, str]:
    """Return the column of each field: the chosen one, else the one that is named like it."""
    columns = {**suggest_columns(table.header), **{k: v for k, v in chosen.items() if v}}
    names = ", ".join(name for name in table.header if name)[:200]
    for column in columns.values():
        if column not in table.header:
            raise FileRefused(f"There is no column {column[:60]!r}: the file has {names}.")
    for field in NEEDED:
        if field not in columns:
            raise FileRefused(
                f"No column looks like the {field}. Name it below; there are {names}."
            )
    return {field: columns[field] for field in FIELDS if field in columns}


def _row(
    upload: AttendanceUpload,
    line: Line,
    header: list[str],
    first_lines: dict[tuple[str, str], int],
    now: datetime,
) -> AttendanceRow:
    row = AttendanceRow(upload=upload, line=line.number, result=AttendanceResult.READY)
    try:
        entry = _entry(upload, line, header)
        _check_time(upload.webinar, entry, now)
    except LineRefused as refused:
        row.result, row.reason = AttendanceResult.REFUSED, str(refused)[:300]
        return row
    row.email, row.status, row.name = entry.email, entry.status, entry.name
    row.happened_at, row.minutes = entry.joined_at, entry.minutes
    first = first_lines.setdefault((entry.email, entry.status), line.number)
    if first != line.number:
        row.result, row.reason = AttendanceResult.KNOWN, f"Line {first} says the same"
    return row


def _entry(upload: AttendanceUpload, line: Line, header: list[str]) -> Entry:
    if line.problem:
        raise LineRefused(line.problem)
    cells = dict(zip(header, line.cells, strict=True))
    said = {field: cells[column] for field, column in upload.columns.items()}
    return read_entry(said, zone=ZoneInfo(upload.webinar.time_zone))


def _check_time(webinar: Webinar, entry: Entry, now: datetime) -> None:
    if entry.status is not AttendanceStatus.REGISTERED and webinar.starts_at > now:
        raise LineRefused("status: the webinar has not begun yet")
    if entry.joined_at and entry.joined_at < EARLIEST:
        raise LineRefused(f"joined_at: lies before the year {EARLIEST.year}")
    if entry.joined_at and entry.joined_at > now:
        raise LineRefused("joined_at: lies in the future")


def _judge(upload: AttendanceUpload, rows: list[AttendanceRow]) -> None:
    """Say which lines are about nobody we know, and which were recorded before."""
    ready = [row for row in rows if row.result == AttendanceResult.READY]
    leads = _leads_of(ready)
    before = recorded_before(upload.webinar, set(leads.values()))
    for row in ready:
        row.lead_id = leads.get(row.email)
        if row.lead_id is None:
            is_taken = upload.captures_unknown
            row.result = AttendanceResult.NEW_LEAD if is_taken else AttendanceResult.UNKNOWN
        elif (row.lead_id, AttendanceStatus(row.status).event_kind) in before:
            row.result = AttendanceResult.KNOWN


def _leads_of(rows: Iterable[AttendanceRow]) -> dict[str, int]:
    addresses = {row.email for row in rows}
    found = Lead.objects.filter(email__in=addresses).only("email", "merged_into")
    return {lead.email: lead.standing_id for lead in found if lead.email}


def line_results(upload: AttendanceUpload) -> Iterator[tuple[int, str, str, str, str]]:
    """Yield line, address, status, result and reason of each line, in order."""
    for row in upload.rows.order_by("line").iterator(chunk_size=_CHUNK):
        result = AttendanceResult(row.result).label
        yield row.line, row.email, row.status, result, row.reason
