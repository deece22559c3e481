"""The lead list as a board: one column a stage."""

from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.http import QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext

from crm.accounts.enums import Role
from crm.accounts.models import User
from crm.common.paging import Count
from leads.board import CARDS, BoardColumn, load_board, load_column
from leads.enums import LifecycleStage as Stage
from leads.list_address import ListAddress, read_address
from leads.models import Lead
from tests.factories import NOW, client_of, make_lead, make_team, make_user

pytestmark = pytest.mark.django_db
HTMX: Any = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture
def marketer() -> User:
    return make_user(Role.MARKETER)


@pytest.fixture
def client(marketer: User) -> Client:
    return client_of(marketer)


def address(query: str, user: User) -> ListAddress:
    return read_address(QueryDict(f"view=all&layout=board&{query}"), user=user)


def board(query: str, user: User) -> dict[Stage, BoardColumn]:
    found = load_board(address(query, user), viewer=user, now=NOW)
    return {column.stage: column for column in found}


def text(response: Any) -> str:
    return " ".join(unescape(response.content.decode()).split())


def test_every_lead_stands_in_the_column_of_its_stage(marketer: User) -> None:
    ines, oskar = make_lead(), make_lead(stage=Stage.MQL)

    columns = board("", marketer)

    assert list(columns) == list(Stage)
    assert [row.lead for row in columns[Stage.LEAD].rows] == [ines]
    assert [row.lead for row in columns[Stage.MQL].rows] == [oskar]
    assert columns[Stage.WON].count == Count(0, is_estimate=False)


@pytest.mark.parametrize(
    ("filters", "stages"),
    [
        ("f=stage.in.MQL,SAL", [Stage.MQL, Stage.SAL]),
        ("f=stage.not_in.WON,LOST,RECYCLED,DISQUALIFIED,SQL", [Stage.LEAD, Stage.MQL, Stage.SAL]),
        ("f=stage.in.MQL,SAL&f=stage.not_in.SAL", [Stage.MQL]),
    ],
)
def test_a_filter_of_stages_leaves_their_columns(
    marketer: User, filters: str, stages: list[Stage]
) -> None:
    assert list(board(filters, marketer)) == stages


def test_a_column_goes_on_where_it_stopped_in_the_order_of_the_list(marketer: User) -> None:
    leads = [make_lead(last_activity_at=NOW - timedelta(minutes=n)) for n in range(CARDS + 2)]

    first = board("", marketer)[Stage.LEAD]
    more = load_column(
        address("", marketer), Stage.LEAD, viewer=marketer, now=NOW, cursor=first.next_cursor
    )

    assert [row.lead for row in first.rows + more.rows] == leads
    assert first.count == Count(CARDS + 2, is_estimate=False)
    assert more.next_cursor is None


def test_a_board_costs_the_same_number_of_queries_whatever_its_cards(marketer: User) -> None:
    asked = address("", marketer)
    for stage in Stage:
        make_lead(stage=stage, owner=make_user(), team=make_team())
    with CaptureQueriesContext(connection) as with_one:
        load_board(asked, viewer=marketer, now=NOW)
    for stage in Stage:
        make_lead(stage=stage, owner=make_user(), team=make_team())
    with CaptureQueriesContext(connection) as with_two:
        load_board(asked, viewer=marketer, now=NOW)

    assert len(with_one) == len(with_two)


def test_a_card_offers_the_moves_of_its_stage_and_comes_back_to_the_board(client: Client) -> None:
    lead = make_lead(stage=Stage.DISQUALIFIED)

    page = text(client.get("/leads/?view=all&layout=board"))
    way = f"/leads/{lead.pk}/stage/?to_stage=LEAD&from=view%3Dall%26layout%3Dboard"
    assert f'href="{way}" data-to="LEAD"' in page

    form = text(client.get(way))
    assert 'value="LEAD" selected' in form
    answer = client.post(
        f"/leads/{lead.pk}/stage/",
        {"to_stage": "LEAD", "reason": "By mistake", "from": "view=all&layout=board"},
    )
    assert answer["Location"] == "/leads/?view=all&layout=board"
    assert Lead.objects.get().stage == Stage.LEAD


def test_a_card_says_each_move_in_words(client: Client) -> None:
    for stage in Stage:
        make_lead(stage=stage)

    page = text(client.get("/leads/?view=all&layout=board"))

    for move in ("Hand off", "Recycle", "Disqualify", "Reinstate"):
        assert f">{move}</a>" in page


def test_a_rep_sees_their_own_on_the_board_and_moves_none() -> None:
    rep = make_user(Role.REP)
    make_lead(first_name="Mine", owner=rep)
    make_lead(first_name="Theirs")

    page = text(client_of(rep).get("/leads/?view=all&layout=board"))

    assert "Mine" in page
    assert "Theirs" not in page
    assert "data-to" not in page


def test_further_cards_come_alone_and_without_scripts_as_the_table_of_the_stage(
    client: Client,
) -> None:
    make_lead(first_name="Ines")

    part = text(client.get("/leads/board/LEAD/?view=all&layout=board", **HTMX))
    page = client.get("/leads/board/LEAD/?view=all&layout=board&f=country.in.DE")

    assert "<html" not in part
    assert "Ines" in part
    assert page["Location"] == "/leads/?view=all&f=country.in.DE&f=stage.in.LEAD"


@pytest.mark.parametrize("way", ["SOLD/?view=all", "LEAD/?view=nope", "LEAD/?f=shoe.is.44"])
def test_a_column_that_is_none_is_not_found(client: Client, way: str) -> None:
    assert client.get(f"/leads/board/{way}", **HTMX).status_code == 404


def test_a_mark_of_a_page_that_was_altered_is_said(client: Client) -> None:
    make_lead(first_name="Ines")

    page = client.get("/leads/?view=all&cursor=altered")

    assert page.status_code == 200
    assert "does not belong to this list" in text(page)
    assert "does not belong to this list" not in text(client.get("/leads/?view=all"))
