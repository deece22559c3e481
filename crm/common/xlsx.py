"""The one writer of workbooks: row by row, so that memory does not grow with the rows.

Office Open XML (ECMA-376), as little of it as a table needs. Texts are typed as texts, so that no
cell is taken for a formula.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from itertools import chain, islice
from typing import IO, Any
from xml.sax.saxutils import escape
from zipfile import ZIP_DEFLATED, ZipFile

from django.http import FileResponse
from django.utils import timezone

from crm.common.whole_files import whole_file

#: Rows of a sheet and characters of a cell; a spreadsheet holds no more.
MOST_ROWS = 1_048_576
LONGEST_CELL = 32_767
CONTENT_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_DAY_ZERO = date(1899, 12, 30)
_SECONDS_A_DAY = 86_400
_HEAD, _INSTANT = 1, 2  # of the formats below
_STYLES = (
    f"<styleSheet {_MAIN}>"
    '<numFmts count="1"><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd\\ hh:mm"/></numFmts>'
    '<fonts count="2"><font/><font><b/></font></fonts><fills count="1"><fill/></fills>'
    '<borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs>'
    '<cellXfs count="3"><xf/><xf fontId="1" applyFont="1"/>'
    '<xf numFmtId="164" applyNumberFormat="1"/></cellXfs></styleSheet>'
)


def xlsx_file(filename: str, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> FileResponse:
    """Answer with a workbook that is whole: a row that cannot be read fails the request."""
    return whole_file(filename, CONTENT_TYPE, lambda file: write_xlsx(file, header, rows))


def write_xlsx(
    file: IO[bytes],
    header: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    most_rows: int = MOST_ROWS,
) -> None:
    """Write a table; what one sheet cannot hold goes on in the next, each with the header."""
    with ZipFile(file, "w", ZIP_DEFLATED) as book:
        number = 0
        for number, part in enumerate(_parts(rows, most_rows - 1), 1):
            with book.open(f"xl/worksheets/sheet{number}.xml", "w", force_zip64=True) as sheet:
                for text in _sheet(header, part):
                    sheet.write(text.encode())
        for name, text in _frame(number):
            book.writestr(name, f'<?xml version="1.0" encoding="UTF-8"?>{text}')


def _parts(rows: Iterable[Sequence[Any]], size: int) -> Iterator[Iterable[Sequence[Any]]]:
    """Yield the rows of one sheet after the other, each to be read to its end; at least one."""
    remaining = iter(rows)
    yield islice(remaining, size)
    for row in remaining:
        yield chain([row], islice(remaining, size - 1))


def _sheet(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    yield (
        f'<?xml version="1.0" encoding="UTF-8"?><worksheet {_MAIN}><sheetViews>'
        '<sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" state="frozen"/>'
        "</sheetView></sheetViews><sheetData>"
    )
    yield _row(_text(name, f' s="{_HEAD}"') for name in header)
    for row in rows:
        yield _row(map(_cell, row))
    yield "</sheetData></worksheet>"


def _row(cells: Iterable[str]) -> str:
    return f"<row>{''.join(cells)}</row>"


def _cell(value: Any) -> str:
    """Return one cell: instants in the active zone, numbers as numbers, all else as text."""
    if value is None or value == "":
        return "<c/>"
    if isinstance(value, bool):
        return _text("yes" if value else "no")
    if isinstance(value, datetime):
        return f'<c s="{_INSTANT}"><v>{_serial(timezone.localtime(value))}</v></c>'
    if isinstance(value, int | float | Decimal):
        return f"<c><v>{value}</v></c>"
    return _text(str(value))


def _text(text: str, style: str = "") -> str:
    clean = escape(_NO_XML.sub("\ufffd", text[:LONGEST_CELL]))
    return f'<c t="inlineStr"{style}><is><t xml:space="preserve">{clean}</t></is></c>'


def _serial(local: datetime) -> str:
    """Return days since the last day of 1899, as spreadsheets count; minutes are kept exactly."""
    midnight = datetime.combine(local.date(), time.min, local.tzinfo)
    seconds = (local.replace(tzinfo=None) - midnight.replace(tzinfo=None)).total_seconds()
    return f"{(local.date() - _DAY_ZERO).days + seconds / _SECONDS_A_DAY:.9f}"


def _frame(sheets: int) -> Iterator[tuple[str, str]]:
    """Yield the parts around the sheets."""
    numbers = range(1, sheets + 1)
    yield "xl/styles.xml", _STYLES
    listed = "".join(f'<sheet name="Sheet {n}" sheetId="{n}" r:id="rId{n}"/>' for n in numbers)
    yield (
        "xl/workbook.xml",
        f'<workbook {_MAIN} xmlns:r="{_OFFICE}"><sheets>{listed}</sheets></workbook>',
    )
    targets = [("worksheet", f"worksheets/sheet{n}.xml") for n in numbers]
    yield "xl/_rels/workbook.xml.rels", _relations([*targets, ("styles", "styles.xml")])
    yield "_rels/.rels", _relations([("officeDocument", "xl/workbook.xml")])
    parts = [("/xl/workbook.xml", "sheet.main"), ("/xl/styles.xml", "styles")]
    parts += [(f"/xl/worksheets/sheet{n}.xml", "worksheet") for n in numbers]
    overrides = "".join(
        f'<Override PartName="{name}" ContentType="{_TYPE}.{kind}+xml"/>' for name, kind in parts
    )
    yield (
        "[Content_Types].xml",
        (
            f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels" '
            'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            f"{overrides}</Types>"
        ),
    )


def _relations(targets: Sequence[tuple[str, str]]) -> str:
    listed = "".join(
        f'<Relationship Id="rId{number}" Type="{_OFFICE}/{kind}" Target="{target}"/>'
        for number, (kind, target) in enumerate(targets, 1)
    )
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{listed}</Relationships>'
