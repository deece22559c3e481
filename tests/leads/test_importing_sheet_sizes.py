"""Workbooks that would take more memory than there is are refused before anybody makes room."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from leads.importing.reading import FileRefused, open_table
from leads.importing.sheet_sizes import WorkbookRefused, check_sizes
from tests.leads.workbooks import number, text, write_sheet, write_workbook

LAST = "XFD1048576"


def cell(place: str, more: str = "", value: str = "x") -> str:
    """Return a cell of text that says where it stands."""
    return f'<c r="{place}"{more} t="str"><v>{value}</v></c>'


def row(*cells: str, more: str = "") -> str:
    """Return a row."""
    return f"<row{more}>{''.join(cells)}</row>"


def rows_of(path: Path) -> list[list[str]]:
    """Return the header and all cells below it."""
    table = open_table(path)
    return [table.header, *(line.cells for line in table.lines)]


@pytest.mark.parametrize(
    "sheet",
    [
        row(cell("A1")) + row(cell(LAST)),
        row(cell(LAST), cell("A1")),
        row(cell("XFD1")) + row(cell("A1048576")),
        row(cell("A1048576")) + row(cell("XFD2")),
        row(cell("A1")) + row(cell("xfd1048576")),
        row(cell("A1")) + row(cell(LAST, more=' s="3"')),
        row(cell("A1")) + row(cell(LAST, more=' cm="3"')),
        row(cell("A1")) + row(cell(LAST, more="\n")),
        row(cell("A1")) + row(cell(LAST).replace('"', "'")),
        row(cell("A1")) + row(cell(LAST).replace("r=", "r = ")),
        row(cell("A1")) + row(cell(LAST).replace("<c ", "<c\n")),
        row(cell("A1")) + row(cell(LAST).replace("<c", "<x:c").replace("/c>", "/x:c>")),
        row(cell("A1")) + row(f'<c t="str" r="{LAST}"><v>x</v></c>'),
        row(cell("A1"), cell("XFD1")) + row(text("x"), more=' r="1048576"'),
    ],
)
def test_two_cells_in_opposite_corners_are_refused(tmp_path: Path, sheet: str) -> None:
    path = write_sheet(tmp_path / "a.xlsx", sheet)

    with pytest.raises(WorkbookRefused) as refused:
        check_sizes(path)  # alone: where it fails, the reader would end the whole process

    assert str(refused.value) == (
        f"A sheet of the workbook reaches to cell {LAST}; 10,500,000 cells are the most. Delete "
        "what stands far from the table, or save the table as CSV, which is streamed."
    )


@pytest.mark.parametrize(
    "place",
    ["A4294967295", "A4294967297", "ZZZZZZ99999999999", "A00000000001", "1A", "A"],
)
def test_a_cell_where_no_sheet_has_one_is_named(tmp_path: Path, place: str) -> None:
    path = write_sheet(tmp_path / "a.xlsx", row(cell("A1")) + row(cell(place)))

    with pytest.raises(FileRefused, match="names a cell"):
        open_table(path)


def test_cells_that_do_not_say_where_they_stand_are_counted(tmp_path: Path) -> None:
    rows = row(*[text("x")] * 2000) + row(text("x")) * 5999

    with pytest.raises(WorkbookRefused, match="reaches to cell BXX5251;"):
        check_sizes(write_sheet(tmp_path / "a.xlsx", rows))


@pytest.mark.parametrize("place", ["Z399999", "DZ79999", "J1048576", "XFD600"])
def test_a_table_of_a_bearable_size_is_read(tmp_path: Path, place: str) -> None:
    check_sizes(write_sheet(tmp_path / "a.xlsx", row(cell("A1"), cell(place))))


def test_formats_of_cells_far_away_make_no_table_larger(tmp_path: Path) -> None:
    far = '<c r="XFD1" s="3"/><c r="XFC1048576" cm="3"></c>'

    assert rows_of(write_sheet(tmp_path / "a.xlsx", row(cell("A1"), far))) == [["x"]]


def test_a_row_far_below_is_read_with_its_number(tmp_path: Path) -> None:
    path = write_sheet(tmp_path / "a.xlsx", row(cell("A1")) + row(cell("A9")))

    assert [(line.number, line.cells) for line in open_table(path).lines] == [(9, ["x"])]


def test_a_workbook_that_is_mostly_padding_is_refused(tmp_path: Path) -> None:
    path = write_sheet(tmp_path / "a.xlsx", row(cell("A1")), before=" " * (12 * 2**20))

    with pytest.raises(FileRefused, match="unpacks to more than 10 MB: save the table as CSV"):
        open_table(path)


def test_the_size_that_a_part_states_is_not_believed(tmp_path: Path) -> None:
    """The reader stops at no stated size either, and asks for no checksum before the end."""
    path = write_sheet(tmp_path / "a.xlsx", row(cell("A1")) + row(cell(LAST)))
    with zipfile.ZipFile(path) as archive:
        stated = archive.getinfo("xl/worksheets/sheet1.xml").file_size
    content = path.read_bytes()
    at = content.rindex(stated.to_bytes(4, "little"))
    path.write_bytes(content[:at] + (10).to_bytes(4, "little") + content[at + 4 :])

    with pytest.raises(WorkbookRefused, match=LAST):
        check_sizes(path)


def test_a_workbook_with_definitions_of_its_own_is_refused(tmp_path: Path) -> None:
    path = write_sheet(
        tmp_path / "a.xlsx", row("<c><v>1</v></c>"), declares='<!DOCTYPE a [<!ENTITY b "c">]>'
    )

    with pytest.raises(FileRefused, match="definitions of its own"):
        open_table(path)


@pytest.mark.parametrize("suffix", [".xls", ".xlsb", ".ods"])
def test_other_kinds_of_workbooks_are_refused(tmp_path: Path, suffix: str) -> None:
    path = write_workbook(tmp_path / f"a{suffix}", [number(1)])

    with pytest.raises(FileRefused, match="save it as XLSX or CSV"):
        open_table(path)
