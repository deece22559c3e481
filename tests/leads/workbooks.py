"""Workbooks made by hand: the few parts of the format that a reader needs."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_PARTS = {
    "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
    '<Default Extension="rels"'
    ' ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
    f'<Override PartName="/xl/styles.xml" ContentType="{_TYPE}.styles+xml"/>'
    f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_TYPE}.worksheet+xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="r1"'
    f' Type="{_RELATIONS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="r1" Type="{_RELATIONS}/worksheet" Target="worksheets/sheet1.xml"/>'
    f'<Relationship Id="r2" Type="{_RELATIONS}/styles" Target="styles.xml"/></Relationships>',
    "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_RELATIONS}">'
    '<sheets><sheet name="Fair" sheetId="1" r:id="r1"/></sheets></workbook>',
    # Style 1 is a date, style 2 a date with time, as the built-in formats 14 and 22.
    "xl/styles.xml": f'<styleSheet xmlns="{_MAIN}"><cellXfs count="3"><xf numFmtId="0"/>'
    '<xf numFmtId="14"/><xf numFmtId="22"/></cellXfs></styleSheet>',
}


def text(value: str) -> str:
    """Return a cell of text."""
    return f'<c t="inlineStr"><is><t>{escape(value)}</t></is></c>'


def number(value: float, style: int = 0) -> str:
    """Return a number; with style 1 or 2 it is the date so many days after 1899-12-30."""
    return f'<c s="{style}"><v>{value}</v></c>'


def yes(value: bool) -> str:
    """Return a cell of yes or no."""
    return f'<c t="b"><v>{int(value)}</v></c>'


def formula(code: str, result: str) -> str:
    """Return a formula with the text that its program computed last."""
    return f'<c t="str"><f>{escape(code)}</f><v>{escape(result)}</v></c>'


EMPTY = "<c/>"


def write_workbook(path: Path, *rows: Sequence[str]) -> Path:
    """Write a workbook whose first sheet holds ``rows`` of cells."""
    return write_sheet(path, "".join(f"<row>{''.join(cells)}</row>" for cells in rows))


def write_sheet(path: Path, content: str, *, before: str = "", declares: str = "") -> Path:
    """Write a workbook whose first sheet holds ``content`` as it is, ``before`` ahead of it."""
    sheet = (
        f'{declares}<worksheet xmlns="{_MAIN}" xmlns:x="{_MAIN}">{before}'
        f"<sheetData>{content}</sheetData></worksheet>"
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text_of_part in {**_PARTS, "xl/worksheets/sheet1.xml": sheet}.items():
            archive.writestr(name, text_of_part)
    return path
