from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from hypothesis import example, given
from hypothesis import strategies as st

from crm.common.csv import as_typed, cell, csv_lines, stream_csv

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


def test_rows_are_read_while_they_are_sent() -> None:
    read = []

    def rows() -> Iterator[list[int]]:
        for number in range(3):
            read.append(number)
            yield [number]

    stream = iter(stream_csv("numbers.csv", ["Number"], rows()))
    next(stream)
    next(stream)

    assert read == [0]


def test_rows_are_made_in_the_zone_of_the_reader_and_no_zone_stays_behind() -> None:
    seen = []

    def rows() -> Iterator[list[str]]:
        for _ in range(2):
            zone = timezone.get_current_timezone_name()
            seen.append(zone)
            yield [zone]

    with timezone.override(ZoneInfo("Pacific/Auckland")):
        response = stream_csv("zones.csv", ["Zone"], rows())
    between = [timezone.get_current_timezone_name() for _ in response]

    assert (seen, between) == (["Pacific/Auckland"] * 2, ["UTC"] * 3)


def test_a_file_sent_later_keeps_the_zone_of_its_reader() -> None:
    with timezone.override(ZoneInfo("Europe/Berlin")):
        response = stream_csv("leads.csv", ["At"], [[NOON]])

    assert b"".join(response) == b"At\r\n2026-05-12T14:00:00+02:00\r\n"
    assert response["Content-Disposition"] == 'attachment; filename="leads.csv"'
