"""The page of the funnel: its switches, and lists that hold exactly what a figure says."""

from __future__ import annotations

import re
from html import unescape

import pytest
from django.test import Client

from crm.accounts.access import LOGIN_BACKEND
from crm.accounts.enums import Role
from engagement.models import Visitor
from leads.models import Lead
from tests.factories import make_user
from tests.reports.test_funnel import APRIL, DAY, MARCH, make_history

pytestmark = pytest.mark.django_db

PATH = "/reports/funnel/"
IN_MARCH = {"from": "2026-03-01", "to": "2026-03-31"}
_FIGURE = re.compile(r'href="([^"]*funnel[^"]*)"[^>]*>([\d,]+)</a>')
_SHOWN = re.compile(r'href="/leads/(\d+)/')


@pytest.fixture
def web() -> Client:
    marketer = make_user(Role.MARKETER)
    client = Client()
    client.force_login(marketer, LOGIN_BACKEND)
    return client


@pytest.fixture(autouse=True)
def told() -> None:
    """Tell of three leads: one twice an MQL, one that skipped a step, one captured only."""
    make_history(("LEAD", MARCH, 1), ("MQL", MARCH + DAY, 1), ("RECYCLED", MARCH + 2 * DAY, 2),
                 ("MQL", MARCH + 3 * DAY, 2), ("SAL", MARCH + 4 * DAY, 2))  # fmt: skip
    make_history(("LEAD", MARCH, 1), ("SQL", APRIL - DAY, 1), overrides=("SQL",))
    make_history(("LEAD", MARCH, 1))


#: Each cohort and the flow, by people and by cycles, and each split among them.
ASKED = (
    ("LEAD", "people", "source"), ("LEAD", "cycles", "rep"), ("MQL", "people", "nurture"),
    ("MQL", "cycles", "persona"), ("FLOW", "people", "campaign"), ("FLOW", "cycles", "nurture"),
    ("FLOW", "people", "rep"), ("MQL", "people", "month"),
)  # fmt: skip


@pytest.mark.parametrize(("basis", "unit", "split"), ASKED)
def test_each_figure_of_the_page_opens_as_many_rows(
    web: Client, basis: str, unit: str, split: str
) -> None:
    asked = {**IN_MARCH, "basis": basis, "unit": unit, "split": split}
    figures = _FIGURE.findall(web.get(PATH, asked).content.decode())
    assert len(figures) > 10

    for url, count in figures:
        page = web.get(unescape(url)).content.decode()
        rows = page.count("<tr") - 1 if unit == "cycles" else len(set(_SHOWN.findall(page)))
        assert max(rows, 0) == int(count), url


def test_the_page_says_what_it_counts(web: Client) -> None:
    flow = web.get(PATH, {**IN_MARCH, "basis": "FLOW", "split": "nurture"}).content.decode()
    cohort = web.get(PATH, {**IN_MARCH, "basis": "LEAD"}).content.decode()

    assert "whenever they began" in flow
    assert "In nurture was who was ever recycled." in flow
    assert "wherever they stand today" in cohort
    assert "no verdict yet" in cohort
    assert "no verdict yet" not in flow


def see(name: str, *, day: int, lead: Lead | None = None, source: str = "") -> None:
    at = MARCH + day * DAY
    Visitor.objects.create(name=name, source=source, lead=lead, first_seen_at=at, last_seen_at=at)


def test_visitors_stand_before_leads_and_open_those_that_came_of_them(web: Client) -> None:
    both, other = Lead.objects.order_by("id")[:2]
    see("laptop", day=0, lead=both)
    see("phone", day=30, lead=both)
    see("stranger", day=5)
    see("user-7", day=5, lead=other, source="app")  # known from the start
    see("too late", day=31, lead=other)
    see("too early", day=-1)

    for basis in ("LEAD", "FLOW"):
        page = web.get(PATH, {**IN_MARCH, "basis": basis}).content.decode()
        assert "<b>3</b> visitors first seen" in page
        [(url, count)] = [each for each in _FIGURE.findall(page) if "SEEN" in each[0]]
        assert count == "1"
        listed = web.get(unescape(url)).content.decode()
        assert set(_SHOWN.findall(listed)) == {str(both.pk)}
        assert "Came of a visitor first seen" in listed


@pytest.mark.parametrize("asked", [{"basis": "MQL"}, {"basis": "FLOW", "unit": "cycles"}])
def test_visitors_stand_before_no_other_first_step(web: Client, asked: dict[str, str]) -> None:
    see("stranger", day=5)

    assert "first seen" not in web.get(PATH, {**IN_MARCH, **asked}).content.decode()


def test_where_nobody_is_tracked_there_is_no_word_of_visitors(web: Client) -> None:
    page = web.get(PATH, {**IN_MARCH, "basis": "LEAD"}).content.decode()

    assert "visitor" not in page


@pytest.mark.parametrize(
    "figure",
    [
        "",
        "LEAD:2026-03-01:2026-03-31:SEEN:people",
        "FLOW:2026-03-01:2026-03-31:OPEN:cycles",
        "MQL:2026-03-01:2026-03-31:WON:cycles:rep:x",
    ],
)
def test_a_list_of_no_figure_is_refused(web: Client, figure: str) -> None:
    assert web.get(f"{PATH}cycles/", {"figure": figure}).status_code == 400
