"""Workbooks, read back by a reader of their own."""

import io
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone
from python_calamine import CalamineWorkbook

from crm.common.xlsx import LONGEST_CELL, write_xlsx


def sheets(rows: list[list[Any]], **options: Any) -> list[list[list[Any]]]:
    file = io.BytesIO()
    write_xlsx(file, ["Name", "Value"], rows, **options)
    file.seek(0)
    book = CalamineWorkbook.from_filelike(file)
    return [book.get_sheet_by_index(n).to_python() for n in range(len(book.sheet_names))]


def test_each_kind_of_value_is_read_back() -> None:
    instant = datetime(2026, 5, 12, 9, 30, tzinfo=UTC)

    with timezone.override("Europe/Berlin"):
        [sheet] = sheets(
            [["Ines", 7], ["Oskar", Decimal("1.5")], ["Yara", None], ["Ida", True],
             ["At", instant], ["=1+1", "  <&> \u202bאבגד "]]
        )  # fmt: skip

    assert sheet == [
        ["Name", "Value"],
        ["Ines", 7.0],
        ["Oskar", 1.5],
        ["Yara", ""],
        ["Ida", "yes"],
        ["At", datetime(2026, 5, 12, 11, 30)],  # noqa: DTZ001 -- a spreadsheet knows no zones
        ["=1+1", "  <&> \u202bאבגד "],
    ]


def test_what_xml_cannot_hold_is_replaced_and_a_cell_has_its_greatest_length() -> None:
    [sheet] = sheets([["a\x00\x1b\ud800b", "x" * (LONGEST_CELL + 5)]])

    assert sheet[1][0] == "a\ufffd\ufffd\ufffdb"
    assert len(sheet[1][1]) == LONGEST_CELL


def test_a_table_without_rows_has_its_header() -> None:
    assert sheets([]) == [[["Name", "Value"]]]


@pytest.mark.parametrize(("rows", "expected"), [(2, [2]), (3, [2, 1]), (5, [2, 2, 1])])
def test_what_a_sheet_cannot_hold_goes_on_in_the_next(rows: int, expected: list[int]) -> None:
    found = sheets([[str(n), n] for n in range(rows)], most_rows=3)

    assert [len(sheet) - 1 for sheet in found] == expected
    assert [row[0] for sheet in found for row in sheet[1:]] == [str(n) for n in range(rows)]


def test_memory_does_not_grow_with_the_rows() -> None:
    class Sink(io.BytesIO):
        """Forgets what is written: only the writer's own memory counts."""

        def write(self, text: Any) -> int:
            return len(text)

    def peak(rows: int) -> int:
        lines: Iterator[list[Any]] = (["Ines Kallweit", n] for n in range(rows))
        tracemalloc.start()
        write_xlsx(Sink(), ["Name", "Value"], lines)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    assert peak(20_000) < 1.2 * peak(2_000)
