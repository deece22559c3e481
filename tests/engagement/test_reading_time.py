"""How long pages were read, told with their views."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engagement.enums import EventKind
from engagement.history import act_entries
from engagement.models import Visitor
from engagement.reading_time import reading_words
from engagement.services import record_event
from leads.models import Lead
from tests.engagement.inbox import NOW
from tests.factories import make_lead, make_user

PRICES, BLOG = "https://halvorn.example/prices", "https://halvorn.example/blog"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(48, "48 s"), (60, "1 min"), (160, "2 min 40 s"), (0.6, "1 s"), (7200, "120 min")],
)
def test_a_reading_time_is_told_in_words(seconds: float, words: str) -> None:
    assert reading_words(timedelta(seconds=seconds)) == f"Read for {words}"


@pytest.fixture
def lead(db: None) -> Lead:
    return make_lead()


@pytest.fixture
def visitor(db: None) -> Visitor:
    return Visitor.objects.create(name="laptop", first_seen_at=NOW, last_seen_at=NOW)


def happened(
    lead: Lead, visitor: Visitor, kind: EventKind, minutes_ago: int, url: str, **told: Any
) -> None:
    record_event(
        lead_id=lead.pk, kind=kind, occurred_at=NOW - timedelta(minutes=minutes_ago), now=NOW,
        visitor_id=visitor.pk, url=url, properties=told,
    )  # fmt: skip


def details(lead: Lead) -> list[tuple[str, str]]:
    return [(each.title, each.detail) for each in act_entries(lead.pk, make_user(), None, 9)]


def test_seconds_add_up_with_the_view_before_them(lead: Lead, visitor: Visitor) -> None:
    happened(lead, visitor, EventKind.PAGE_VIEW, 30, PRICES)
    happened(lead, visitor, EventKind.PAGE_READ, 29, PRICES, seconds=40)
    happened(lead, visitor, EventKind.PAGE_VIEW, 28, BLOG)
    happened(lead, visitor, EventKind.PAGE_READ, 27, PRICES, seconds=20)
    happened(lead, visitor, EventKind.PAGE_VIEW, 10, PRICES)
    happened(lead, visitor, EventKind.PAGE_READ, 9, PRICES, seconds=5)

    assert details(lead) == [
        ("Viewed /prices", "Read for 5 s"),
        ("Viewed /blog", ""),
        ("Viewed /prices", "Read for 1 min"),
    ]


@pytest.mark.parametrize("seconds", [True, "60", -5, 0, 1e300, None, [60], 86_401])
def test_seconds_that_are_none_are_not_told(lead: Lead, visitor: Visitor, seconds: object) -> None:
    happened(lead, visitor, EventKind.PAGE_VIEW, 30, PRICES)
    happened(lead, visitor, EventKind.PAGE_READ, 29, PRICES, seconds=seconds)

    assert details(lead) == [("Viewed /prices", "")]


@given(st.timedeltas(min_value=timedelta(seconds=1), max_value=timedelta(days=2)))
def test_every_reading_time_has_words(time: timedelta) -> None:
    assert reading_words(time) != "Read for "
