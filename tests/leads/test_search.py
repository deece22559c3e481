from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crm.accounts.enums import Role
from leads.search import matching, search_words
from tests.factories import client_of, make_lead, make_team, make_user

pytestmark = pytest.mark.django_db


def found(text: str, *, viewer: object = None) -> set[str]:
    leads = matching(search_words(text), viewer=viewer or make_user(Role.MARKETER))  # type: ignore[arg-type]
    return {lead.last_name for lead in leads}


@pytest.fixture
def leads() -> None:
    make_lead(first_name="Ines", last_name="Kallweit", email="ik@kesterwald.example")
    make_lead(first_name="Oskar", last_name="Wendlund", company_name="Trygve Cold Chain")
    make_lead(first_name="Bo", last_name="100%_sure", company_name="A_B Partners")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("kallweit", {"Kallweit"}),
        ("KALLW", {"Kallweit"}),
        ("allwei", {"Kallweit"}),
        ("kesterwald.ex", {"Kallweit"}),
        ("cold chain", {"Wendlund"}),
        ("chain oskar", {"Wendlund"}),
        ("ines wendlund", set()),
        ("bo", {"100%_sure"}),
        ("we", {"Wendlund"}),
        ("al", set()),
        ("0%_", {"100%_sure"}),
        ("%%%", set()),
        ("___", set()),
        ("a_b", {"100%_sure"}),
        ("zzz", set()),
    ],
)
def test_a_part_of_name_address_or_company_is_enough(
    leads: None, text: str, names: set[str]
) -> None:
    assert found(text) == names


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("+49 30 231254", {"Stored"}),
        ("030 2312", {"Stored", "Typed"}),
        ("0049 (30) 23125-418", {"Stored"}),
        ("+49 (0)30 / 23125 418", {"Stored"}),
        ("125418", {"Stored", "Typed"}),
        ("ext 23125", set()),
        ("418", set()),
        ("99999", set()),
        ("4711", {"Named"}),
    ],
)
def test_a_part_of_a_number_is_enough_however_it_is_written(text: str, names: set[str]) -> None:
    make_lead(last_name="Stored", phone="+493023125418")
    make_lead(last_name="Typed", phone="030 / 23125-418 Mo-Fr")
    make_lead(last_name="Named", company_name="4711 Parfum")

    assert found(text) == names


def test_a_list_is_searched_too() -> None:
    make_lead(last_name="Kallweit", phone="+493023125418")
    make_lead(last_name="Wendlund")
    client = client_of(make_user(Role.MARKETER))

    page = client.get("/leads/?view=all&f=words.contains.030 23125").content.decode()

    assert "Kallweit" in page
    assert "Wendlund" not in page
    short = client.get("/leads/?view=all&f=words.contains.a")
    assert short.status_code == 400
    assert "needs at least 2 characters" in short.content.decode()


@pytest.mark.parametrize("text", ["", " ", "a", " a ", "\x00", "\x00a\x1b"])
def test_less_than_two_characters_are_not_searched(text: str) -> None:
    assert search_words(text) == []


def test_words_and_their_number_are_bounded() -> None:
    assert search_words("a b c d e f g") == ["a", "b", "c", "d", "e"]
    assert search_words("x" * 5000) == ["x" * 100]


def test_a_rep_finds_their_own_and_their_pools_leads_only() -> None:
    team = make_team()
    rep = make_user(Role.REP, sales_team=team)
    make_lead(last_name="Mine", company_name="Shared Pumps", owner=rep, team=team)
    make_lead(last_name="Pool", company_name="Shared Pumps", team=team)
    make_lead(last_name="Foreign", company_name="Shared Pumps", owner=make_user(), team=team)
    make_lead(last_name="Elsewhere", company_name="Shared Pumps", team=make_team())

    assert found("shared pumps", viewer=rep) == {"Mine", "Pool"}


def test_the_page_lists_and_the_dropdown_offers_what_was_found(leads: None) -> None:
    client = client_of(make_user(Role.MARKETER))

    page = client.get("/search/", {"q": "ines"}).content.decode()
    dropdown = client.get(
        "/search/", {"q": "ines"}, headers={"HX-Request": "true"}
    ).content.decode()

    assert ("Ines Kallweit" in page, "<html" in page) == (True, True)
    assert ("Ines Kallweit" in dropdown, "<html" in dropdown) == (True, False)
    assert "Oskar" not in page + dropdown


@pytest.mark.parametrize("query", ["", "q=", "q=%00", "q=%ff%fe", "q=ines&cursor=nonsense"])
def test_odd_questions_get_a_page_too(leads: None, query: str) -> None:
    assert client_of(make_user()).get(f"/search/?{query}").status_code == 200


def test_what_was_typed_comes_back_as_text() -> None:
    page = client_of(make_user()).get("/search/", {"q": "<script>alert(1)</script>"})

    assert b"<script>alert" not in page.content


def test_finding_more_costs_no_more_queries() -> None:
    client = client_of(make_user(Role.MARKETER))

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            client.get("/search/", {"q": "kesterwald"})
        return len(captured)

    make_lead(owner=make_user())
    queries()
    one = queries()
    for _ in range(2):
        make_lead(owner=make_user())

    assert queries() == one
