"""The one CSV writer: streamed, constant memory, harmless when a spreadsheet opens it."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, tzinfo
from decimal import Decimal
from typing import Any

from django.http import StreamingHttpResponse
from django.utils import timezone

# A spreadsheet runs a cell that starts with one of these as a formula (OWASP, CSV injection), the
# full-width four included. Apostrophes before it count, so that one more can be taken away again.
_FORMULA_START = re.compile("'*[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")


class _Echo:
    """A file that hands each written line back instead of keeping it."""

    def write(self, line: str) -> str:
        """Return ``line``."""
        return line


def cell(value: Any) -> str:
    """Return a value as CSV text: instants in the active zone with their offset, no formulas."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return timezone.localtime(value).isoformat(timespec="seconds")
    text = str(value)
    is_number = isinstance(value, int | float | Decimal)
    return f"'{text}" if _FORMULA_START.match(text) and not is_number else text


def as_typed(text: str) -> str:
    """Return the text that ``cell`` made harmless, as it was before."""
    is_disarmed = text.startswith("'") and _FORMULA_START.match(text)
    return text[1:] if is_disarmed else text


def csv_lines(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """Yield the lines of a CSV file, the header first."""
    writer = csv.writer(_Echo())
    yield writer.writerow([cell(name) for name in header])
    for row in rows:
        yield writer.writerow([cell(value) for value in row])


def stream_csv(
    filename: str, header: Sequence[str], rows: Iterable[Sequence[Any]]
) -> StreamingHttpResponse:
    """Answer with a CSV file that is written while it is sent.

    By then the reader's zone is no longer active: it is taken along from here, for the rows too,
    which may ask when a day or a week begins.
    """
    lines = _in_zone(timezone.get_current_timezone(), csv_lines(header, rows))
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{filename}"'
    return response


def _in_zone(zone: tzinfo, lines: Iterator[str]) -> Iterator[str]:
    """Yield ``lines``, each made while ``zone`` is active; between them it is not."""
    while True:
        with timezone.override(zone):
            line = next(lines, None)
        if line is None:
            return
        yield line
