"""Words of the design language: spans, moments, percentages, numbers."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.template import Context, Template
from django.utils import timezone

from crm.common.ui import words

NOW = datetime(2026, 5, 12, 10, 42, tzinfo=UTC)


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def render(source: str, **context: object) -> str:
    return Template("{% load ui %}" + source).render(Context(context))


def text_of(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html)).strip()


@pytest.mark.parametrize(
    ("span", "said"),
    [
        (timedelta(seconds=40), "40 s"),
        (minutes(19), "19 min"),
        (minutes(119.9), "1 h 59"),
        (minutes(120), "2 h"),
        (minutes(62), "1 h 02"),
        (-minutes(19), "19 min"),
        (timedelta(days=6, hours=4), "6 d 4 h"),
        (timedelta(days=2), "2 d"),
        (timedelta(days=31, hours=5), "31 d"),
    ],
)
def test_a_span_is_said_in_its_two_largest_units(span: timedelta, said: str) -> None:
    assert words.duration(span) == said


def test_working_time_is_never_said_in_days() -> None:
    assert words.working_time(timedelta(hours=40)) == "40 h"


@pytest.mark.parametrize(
    ("elapsed", "said"),
    [
        (-minutes(3), "now"),
        (timedelta(seconds=59), "now"),
        (minutes(8), "8 min"),
        (minutes(119), "1 h"),
        (timedelta(hours=22), "22 h"),
        (timedelta(hours=25), "Mon"),
        (timedelta(days=6), "Wed"),
        (timedelta(days=7), "5 May"),
        (timedelta(days=365), "12 May 2025"),
    ],
)
def test_a_moment_is_said_by_its_distance(elapsed: timedelta, said: str) -> None:
    assert words.ago(NOW - elapsed, NOW) == said


def test_the_day_is_the_readers_and_not_that_of_utc() -> None:
    late = datetime(2026, 5, 11, 22, 30, tzinfo=UTC)  # 00:30 on the 12th in Berlin

    with timezone.override("Europe/Berlin"):
        in_berlin = render("{{ late|day:now }}", late=late, now=NOW)

    assert in_berlin == "Today"


@pytest.mark.parametrize(
    ("part", "whole", "said"),
    [(185, 198, "93.4 %"), (3, 4, "3 of 4"), (9, 9, "9 of 9"), (0, 10, "0.0 %"), (0, 0, "–")],
)
def test_a_percentage_needs_a_sample_of_ten(part: int, whole: int, said: str) -> None:
    assert words.percent(part, whole) == said


def test_a_share_shows_its_sample() -> None:
    assert text_of(render("{% share 185 198 %}")) == "93.4 % n = 198"
    assert text_of(render("{% share 3 4 %}")) == "3 of 4"


def test_minus_is_the_real_sign() -> None:
    assert words.signed(-8) == "\N{MINUS SIGN}8"
    assert words.signed_tenths(-8) == "\N{MINUS SIGN}8.0"
    assert words.signed(0) == "0"
    assert words.signed(14.7) == "+14.7"


def test_a_value_that_rounds_to_nothing_has_no_minus_sign() -> None:
    assert words.signed_tenths(-0.04) == "+0.0"


def test_tenths_round_half_away_from_zero() -> None:
    assert words.tenths(0.25) == "0.3"
    assert words.tenths(Decimal("1234.05")) == "1,234.1"


@pytest.mark.parametrize(
    ("number", "said"),
    [
        ("+493023125418", "+49 30 23125418"),
        ("+33199004127", "+33 1 99 00 41 27"),
        ("ask for extension 12", "ask for extension 12"),
        ("", ""),
    ],
)
def test_a_phone_number_is_said_in_the_groups_of_its_country(number: str, said: str) -> None:
    assert render("{{ number|phone }}", number=number) == said


def test_what_is_dialled_has_digits_and_a_plus_only() -> None:
    assert render("{{ number|dialled }}", number="+49 (30) 231-25418") == "+493023125418"


def test_a_code_breaks_after_underscores_and_stays_escaped_and_a_number_is_as_ever() -> None:
    said = render("{{ code|breakable_code }}", code="<planned_downtime>")

    assert said == "&lt;planned_<wbr>downtime&gt;"
    assert render("{{ number|breakable_code }}", number=7.5) == render("{{ number }}", number=7.5)


def test_a_name_to_the_left_is_set_apart_in_a_sentence() -> None:
    assert words.isolated("Schnell 1") == "Schnell 1"
    assert words.isolated("חברה") == "\u2068חברה\u2069"


def test_an_address_breaks_at_its_at_sign_and_dots_and_stays_escaped() -> None:
    said = render("{{ address|breakable }}", address="o'neill@kesterwald.example")

    assert said == "o&#x27;neill@<wbr>kesterwald<wbr>.example"
