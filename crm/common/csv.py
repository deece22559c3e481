"""The one CSV writer: constant memory, whole or not at all, harmless in a spreadsheet."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import IO, Any

from django.http import FileResponse
from django.utils import timezone

from crm.common.whole_files import whole_file

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


def csv_file(filename: str, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> FileResponse:
    """Answer with a CSV file that is whole: a row that cannot be read fails the request."""

    def write(file: IO[bytes]) -> None:
        for line in csv_lines(header, rows):
            file.write(line.encode())  # one by one: only write() looks whether it became large

    return whole_file(filename, "text/csv; charset=utf-8", write)
