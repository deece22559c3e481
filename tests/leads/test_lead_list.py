"""The pages of the lead list."""

import io
from datetime import UTC, datetime
from html import unescape
from typing import Any

import pytest
from django.db import DataError, connection
from django.http import StreamingHttpResponse
from django.test import Client
from django.utils import timezone
from python_calamine import CalamineWorkbook

from crm.accounts.enums import Role
from crm.common import paging
from crm.common.slots import Column, lead_columns
from leads.enums import LifecycleStage as Stage
from leads.services import create_lead
from tests.factories import NOW, client_of, make_lead, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> Client:
    return client_of(make_user(Role.MARKETER, time_zone="Europe/Berlin"))


def text(response: Any) -> str:
    return " ".join(unescape(response.content.decode()).split())


def exported(client: Client, query: str) -> list[str]:
    response = client.get(f"/leads/export/?{query}")
    assert isinstance(response, StreamingHttpResponse)
    return b"".join(response).decode().splitlines()


def test_the_list_shows_its_leads_and_how_many_match(client: Client) -> None:
    lead = make_lead(first_name="Ines", last_name="Kallweit", source="organic_search")

    page = text(client.get("/leads/?view=all"))

    assert f'href="/leads/{lead.pk}/?from=view%3Dall"' in page
    assert "Ines Kallweit" in page
    assert "Organic search" in page
    assert "<b>1 lead</b> matches" in page
    assert "Times in Berlin (CE" in page


def test_htmx_gets_the_list_without_the_frame(client: Client) -> None:
    make_lead()

    response = client.get("/leads/?view=all", HTTP_HX_REQUEST="true")

    assert "<html" not in response.content.decode()
    assert 'id="lead-list"' in response.content.decode()
    assert "HX-Request" in response["Vary"]


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("view=nope", "There is no view 'nope'."),
        ("f=shoe.is.44", "there is no field 'shoe'"),
        ("f=title.is.%00", "Title holds a character that cannot be stored"),
        ("f=title.is.%ED%A0%80", None),
        ("f=title.is." + "x" * 10_000, "Title is longer than 200 characters"),
        ("sort=password", "The list cannot be sorted by 'password'"),
        ("columns=shoe", "There is no column 'shoe'."),
    ],
)
def test_what_cannot_be_used_is_said_and_no_lead_is_shown(
    client: Client, query: str, sentence: str | None
) -> None:
    make_lead(first_name="Ines")

    response = client.get(f"/leads/?{query}")

    assert response.status_code == (404 if "view=" in query else 400 if sentence else 200)
    assert (sentence or "No lead matches this filter") in text(response)
    assert "Ines" not in text(response)


@pytest.mark.parametrize("cursor", ["x", "%00", "9" * 5000, "WzEsMl0:1abc:def"])
def test_an_odd_page_mark_is_the_first_page(client: Client, cursor: str) -> None:
    make_lead(first_name="Ines")

    response = client.get(f"/leads/?view=all&cursor={cursor}")

    assert response.status_code == 200
    assert "Ines" in text(response)


def test_a_name_of_the_greatest_length_and_markup_in_it_are_text(client: Client) -> None:
    make_lead(first_name="<script>", last_name="x" * 100, company_name="=1+1")

    page = client.get("/leads/?view=all").content.decode()

    assert "&lt;script&gt;" in page
    assert "<script>" not in page.replace("<script src", "")


def test_an_empty_installation_offers_to_import(client: Client) -> None:
    assert "No leads yet" in text(client.get("/leads/?view=all"))


def test_a_rep_of_an_empty_installation_is_not_offered_what_is_for_others() -> None:
    page = text(client_of(make_user(Role.REP)).get("/leads/"))

    assert "No leads for you yet" in page
    assert "/leads/import/" not in page


def test_filters_that_match_none_name_the_one_to_leave_out(client: Client) -> None:
    make_lead(country="DE", city="Munich")

    page = text(client.get("/leads/?f=country.in.DE&f=city.is.Oslo"))

    assert "No lead matches all 2 filters" in page
    assert "City is Oslo removed the most, 1 lead." in page
    assert "Clear City" in page
    assert "No leads yet" not in page


def test_filters_of_which_none_alone_is_to_blame_say_so(client: Client) -> None:
    make_lead(country="DE", city="Munich")

    page = text(client.get("/leads/?f=country.in.NO&f=city.is.Oslo"))

    assert "Leaving out any one of them finds none either." in page


def test_a_rep_without_leads_reads_where_they_will_come_from() -> None:
    make_lead()

    assert "No leads for you yet" in text(client_of(make_user(Role.REP)).get("/leads/"))


def test_the_counts_of_the_views_come_after_the_page(client: Client) -> None:
    create_lead(now=datetime.now(UTC), first_name="Ines")

    assert 'class="count"' not in client.get("/leads/").content.decode()
    assert '<span class="count">1</span>' in client.get("/leads/counts/").content.decode()


def test_a_count_that_takes_long_comes_after_the_page(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(26):
        make_lead()
    monkeypatch.setattr(paging, "QUICK_COST", 0)

    page = text(client.get("/leads/?view=all&size=25"))

    assert "leads</b> match" not in page
    assert 'hx-get="/leads/count/?view=all&size=25"' in page
    assert "Select all that match" in page
    counted = client.get("/leads/count/?view=all", HTTP_HX_REQUEST="true")
    assert "<b>26 leads</b> match" in text(counted)


def test_a_page_that_holds_the_whole_list_counts_it(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_lead()
    monkeypatch.setattr(paging, "QUICK_COST", 0)

    assert "<b>1 lead</b> matches" in text(client.get("/leads/?view=all"))


def test_without_scripts_the_count_is_a_message(client: Client) -> None:
    make_lead()

    assert "Leads that match: 1." in text(client.get("/leads/count/?view=all", follow=True))


def test_a_filter_that_is_applied_leads_to_its_list(client: Client) -> None:
    response = client.get(
        "/leads/filter/?view=new&f=created.since.week&field=country&op=in&value=DE&apply=1"
    )

    assert response.status_code == 302
    assert response["Location"] == ("/leads/?view=new&f=created.since.week&f=country.in.DE")


def test_a_filter_that_cannot_be_used_says_why_to_htmx(client: Client) -> None:
    response = client.get(
        "/leads/filter/?view=all&field=cycle&op=is&value=two&apply=1", HTTP_HX_REQUEST="true"
    )

    assert response.status_code == 422
    assert response["HX-Retarget"] == "#list-panel"
    assert "Cycle needs a number" in text(response)


def test_without_scripts_the_page_holds_the_editor_and_its_problem(client: Client) -> None:
    response = client.get(
        "/leads/filter/?view=all&field=cycle&op=is&value=two&apply=1", follow=True
    )

    assert response.status_code == 200
    assert "Cycle needs a number" in text(response)
    assert 'id="lead-list"' in text(response)


def test_the_menu_of_filters_and_the_columns_open_with_and_without_scripts(client: Client) -> None:
    for address, sign in (("/leads/filter/", "filter-menu"), ("/leads/columns/", "Show these")):
        part = client.get(f"{address}?view=new", HTTP_HX_REQUEST="true")
        page = client.get(f"{address}?view=new", follow=True)

        assert sign in text(part)
        assert "<html" not in text(part)
        assert sign in text(page)
        assert 'id="lead-list"' in text(page)


def test_the_export_has_the_rows_that_the_list_counts(client: Client) -> None:
    make_lead(first_name="Ines", last_name="Kallweit", country="DE", city="Ulm")
    make_lead(first_name="Oskar", country="AT")

    lines = exported(client, "view=all&f=country.in.DE&columns=city,country,cycle,owner")

    assert lines == ["Name,City,Country,Cycle,Owner", "Ines Kallweit,Ulm,Germany,1,"]


def test_the_export_is_a_workbook_too(client: Client) -> None:
    make_lead(first_name="=1+1", last_name="& Söhne <>", created_at=NOW)
    make_lead(first_name="Oskar", last_name="Wendlund", stage=Stage.MQL, created_at=NOW)
    asked = "view=all&sort=name&columns=stage,created,cycle&format=xlsx"

    response: Any = client.get(f"/leads/export/?{asked}")

    book = CalamineWorkbook.from_filelike(io.BytesIO(b"".join(response)))
    at = datetime(2026, 5, 12, 11, 0)  # noqa: DTZ001 -- a spreadsheet knows no zones; of the reader
    assert book.get_sheet_by_index(0).to_python() == [
        ["Name", "Stage", "Created", "Cycle"],
        ["=1+1 & Söhne <>", "Lead", at, 1.0],
        ["Oskar Wendlund", "MQL", at, 1.0],
    ]


def test_the_export_of_ticked_rows_has_these_alone(client: Client) -> None:
    leads = [make_lead() for _ in range(3)]
    asked = f"view=all&scope=chosen&ids={leads[0].pk}&ids={leads[2].pk}&ids=x&ids=%00"

    assert len(exported(client, asked)) == 3
    assert len(exported(client, f"{asked}&scope=all")) == 4


def test_the_export_keeps_the_zone_of_its_reader_and_disarms_formulas(client: Client) -> None:
    make_lead(first_name="=cmd()", created_at=NOW)

    line = exported(client, "view=all")[1]

    assert "'=cmd()" in line
    assert "2026-05-12T11:00:00+02:00" in line


def test_the_export_counts_the_weeks_of_its_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    monday_in_auckland = datetime(2026, 5, 10, 18, 0, tzinfo=UTC)
    monkeypatch.setattr(timezone, "now", lambda: NOW)
    make_lead(first_name="Ines", created_at=monday_in_auckland)
    client = client_of(make_user(Role.MARKETER, time_zone="Pacific/Auckland"))
    asked = "view=all&f=created.since.week"

    assert "Ines" in text(client.get(f"/leads/?{asked}"))
    assert len(exported(client, asked)) == 2


def test_the_export_of_a_figure_counts_the_days_of_its_reader() -> None:
    april_in_los_angeles = datetime(2026, 5, 1, 3, 0, tzinfo=UTC)
    make_lead(first_name="Ines", created_at=april_in_los_angeles)
    client = client_of(make_user(Role.MARKETER, time_zone="America/Los_Angeles"))
    asked = "view=all&f=funnel.is.LEAD:2026-04-01:2026-04-30:LEAD:people"

    assert "Ines" in text(client.get(f"/leads/?{asked}"))
    assert len(exported(client, asked)) == 2


def test_a_stranger_lead_is_neither_listed_nor_exported() -> None:
    rep = make_user(Role.REP)
    mine, foreign = make_lead(owner=rep), make_lead(first_name="Secret", owner=make_user())
    client = client_of(rep)

    assert "Secret" not in text(client.get("/leads/"))
    asked = f"scope=chosen&ids={mine.pk}&ids={foreign.pk}"
    assert len(exported(client, asked)) == 2


def test_an_address_that_cannot_be_used_exports_nothing(client: Client) -> None:
    response = client.get("/leads/export/?f=shoe.is.44")

    assert response.status_code == 302
    assert response["Location"] == "/leads/?f=shoe.is.44"


def test_columns_of_upper_apps_are_shown_and_exported(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_lead(first_name="Ines", last_name="Kallweit")
    column = Column(
        "t_luck", "Luck", 45, load=lambda ids, viewer, now: dict.fromkeys(ids, 7),
        draw=lambda lead, value, now: f"<{value}>", export=lambda value: f"{value} of 10",
    )  # fmt: skip
    monkeypatch.setitem(lead_columns._items, "t_luck", column)

    header, line = exported(client, "view=all&columns=company,t_luck")

    assert header.endswith(",Luck")
    assert line.startswith("Ines Kallweit,")
    assert line.endswith(",7 of 10")
    assert "Luck" in text(client.get("/leads/?view=all"))


def test_an_export_that_cannot_be_read_to_its_end_is_an_error_and_no_short_file(
    client: Client,
) -> None:
    unreadable, _ = make_lead(), make_lead()
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE leads_lead SET next_step_at = '10000-01-01 04:59+00' WHERE id = %s",
            [unreadable.pk],
        )

    with pytest.raises(DataError):
        client.get("/leads/export/?view=all&columns=next_step")
