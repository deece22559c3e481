"""Workbooks: typed cells as a CSV would write them, formulas, and what is none."""

from __future__ import annotations

import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from leads.enums import ImportState
from leads.importing.reading import FileRefused, open_table
from leads.models import Lead
from tests.leads.importing import HEADER, MAPPING, import_file, said
from tests.leads.workbooks import EMPTY, formula, number, text, write_workbook, yes

#: 2026-05-01 and a quarter to three in the afternoon, as days since 1899-12-30.
FIRST_OF_MAY = 46143
AFTERNOON = 46143.614583333336


def read(path: Path) -> list[list[str]]:
    """Return the lines below the header."""
    return [line.cells for line in open_table(path).lines]


def test_cells_become_the_texts_that_a_csv_would_hold(tmp_path: Path) -> None:
    path = write_workbook(
        tmp_path / "a.xlsx",
        [text("a"), text("b"), text("c"), text("d"), text("e"), text("f")],
        [number(7), number(7.5), number(FIRST_OF_MAY, 1), number(AFTERNOON, 2), yes(True), EMPTY],
    )
    assert read(path) == [["7", "7.5", "2026-05-01", "2026-05-01 14:45:00", "true", ""]]


def test_a_formula_is_what_its_program_computed(tmp_path: Path) -> None:
    path = write_workbook(tmp_path / "a.xlsx", [text("a")], [formula("UPPER(B1)", "ADA")])
    assert read(path) == [["ADA"]]


@pytest.mark.django_db
def test_a_workbook_of_leads_is_imported(tmp_path: Path) -> None:
    header = [text(name) for name in HEADER.split(",")]
    path = write_workbook(
        tmp_path / "a.xlsx",
        header,
        [number(1), text("a@x.example"), text("A"), text("Fair"), number(FIRST_OF_MAY, 1)],
        [number(2), text("b@x.example"), text("=cmd|' /c'!A1"), EMPTY, number(FIRST_OF_MAY, 1)],
        [number(3), text("c@x.example"), text("C"), text("Select"), number(AFTERNOON, 2)],
    )
    job = import_file(path)
    assert said(job) == [
        (2, "NEW", ""),
        (3, "REFUSED", "name: \"=cmd|' /c'!A1\" begins like a formula"),
        (4, "REFUSED", "seen: '2026-05-01 14:45:00' is no date of the form %Y-%m-%d"),
    ]
    lead = Lead.objects.get()
    assert (lead.email, lead.created_at) == ("a@x.example", datetime(2026, 5, 1, tzinfo=UTC))


@pytest.mark.django_db
def test_a_workbook_without_rows_says_so(tmp_path: Path) -> None:
    job = import_file(write_workbook(tmp_path / "a.xlsx"))
    assert (job.state, job.error.split(":")[0]) == (ImportState.FAILED, "The file is empty")


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", b"PK\x03\x04 broken"])
def test_a_file_that_is_no_workbook_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(content)
    with pytest.raises(FileRefused, match="not a workbook"):
        open_table(path)


def test_a_workbook_without_a_sheet_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("hello.txt", "no sheet")
    with pytest.raises(FileRefused, match="not a workbook"):
        open_table(path)


@pytest.mark.django_db
def test_a_row_that_ends_early_is_filled_up(tmp_path: Path) -> None:
    path = write_workbook(
        tmp_path / "a.xlsx",
        [text(name) for name in HEADER.split(",")],
        [number(1), text("a@x.example"), text("A")],
    )
    mapping = {**MAPPING, "created_at": {"otherwise": "import"}}
    assert said(import_file(path, mapping)) == [(2, "NEW", "")]
