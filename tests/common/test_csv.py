import tracemalloc
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.http import FileResponse
from django.utils import timezone
from hypothesis import example, given
from hypothesis import strategies as st

from crm.common.csv import as_typed, cell, csv_file, csv_lines

NOON = datetime(2026, 5, 12, 12, 0, tzinfo=UTC)


class Person:
    def __str__(self) -> str:
        return "=cmd()"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("Ines", "Ines"),
        (None, ""),
        (True, "yes"),
        (False, "no"),
        (-3, "-3"),
        (Decimal("-3.5"), "-3.5"),
        ("=1+1", "'=1+1"),
        ("+49 30", "'+49 30"),
        ("-", "'-"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\n=1", "'\n=1"),
        ("\uff1d1", "'\uff1d1"),
        ("\uff0b1", "'\uff0b1"),
        ("\uff0d1", "'\uff0d1"),
        ("\uff20SUM(A1)", "'\uff20SUM(A1)"),
        ("'=1", "''=1"),
        ("'s-Gravenhage", "'s-Gravenhage"),
        (Person(), "'=cmd()"),
    ],
)
def test_a_value_is_harmless_text(value: object, text: str) -> None:
    assert cell(value) == text


@given(st.text(st.sampled_from("'=+-@\t\r\n\uff1da1 ")))
@example("'=1")
@example("''")
@example("'s-Gravenhage")
def test_text_that_was_made_harmless_is_read_as_it_was_typed(text: str) -> None:
    assert as_typed(cell(text)) == text


def test_an_instant_has_the_offset_of_the_zone() -> None:
    with timezone.override(ZoneInfo("Europe/Berlin")):
        assert cell(NOON) == "2026-05-12T14:00:00+02:00"


def test_quotes_commas_and_line_ends_stay_inside_their_cell() -> None:
    lines = list(csv_lines(["Name"], [['Kallweit, "Ines"\nMrs']]))

    assert lines == ["Name\r\n", '"Kallweit, ""Ines""\nMrs"\r\n']


def _parts(response: FileResponse) -> Iterator[bytes]:
    assert response.file_to_stream
    with closing(response.file_to_stream):
        yield from response


def _sent(response: FileResponse) -> bytes:
    return b"".join(_parts(response))


def test_a_row_that_cannot_be_read_fails_the_request_instead_of_ending_the_file() -> None:
    def rows() -> Iterator[list[int]]:
        yield [1]
        raise ValueError("year 10000 is out of range")

    with pytest.raises(ValueError, match="out of range"):
        csv_file("numbers.csv", ["Number"], rows())


def test_a_file_says_how_long_it_is_and_what_it_is_called() -> None:
    response = csv_file("numbers.csv", ["Number"], [[1], [2]])

    assert _sent(response) == b"Number\r\n1\r\n2\r\n"
    assert response["Content-Length"] == "14"
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"] == 'attachment; filename="numbers.csv"'


def test_a_long_file_does_not_stay_in_memory() -> None:
    tracemalloc.start()
    response = csv_file("long.csv", ["Text"], (["x" * 1000] for _ in range(5000)))
    sent = sum(len(part) for part in _parts(response))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert sent == int(response["Content-Length"]) > 5_000_000
    assert peak < 3_000_000


def test_a_file_has_the_zone_of_its_reader() -> None:
    with timezone.override(ZoneInfo("Europe/Berlin")):
        response = csv_file("leads.csv", ["At"], [[NOON]])

    assert _sent(response) == b"At\r\n2026-05-12T14:00:00+02:00\r\n"
