"""The one CSV writer: constant memory, whole or not at all, harmless in a spreadsheet."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from datetime import datetime
from decimal import Decimal
from tempfile import SpooledTemporaryFile
from typing import Any

from django.http import FileResponse
from django.utils import timezone

# A spreadsheet runs a cell that starts with one of these as a formula (OWASP, CSV injection), the
# full-width four included. Apostrophes before it count, so that one more can be taken away again.
_FORMULA_START = re.compile("'*[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")

#: Bytes of a file that are kept in memory; the rest of a larger one waits on the disk.
_IN_MEMORY = 1_000_000


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
    """Answer with a CSV file that is whole: a row that cannot be read fails the request.

    The file is written before the answer begins, since an answer that has begun can only stop
    short, and a short file looks like a whole one.
    """
    with ExitStack() as until_sent:
        file = until_sent.enter_context(SpooledTemporaryFile(max_size=_IN_MEMORY))
        for line in csv_lines(header, rows):
            file.write(line.encode())
        file.seek(0)
        until_sent.pop_all()
    kind = "text/csv; charset=utf-8"
    return FileResponse(file, as_attachment=True, filename=filename, content_type=kind)
