"""What an address asks of the lead list."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.http import urlencode

from crm.accounts.enums import Role
from crm.accounts.models import User
from crm.common.paging import Count
from crm.common.slots import SavedView, lead_columns, lead_views
from leads.enums import LifecycleStage as Stage
from leads.list_address import (
    PAGE_SIZE,
    column_choices,
    headers,
    sorts,
)
from leads.listing import count_views, load_list, stream_rows, view_tabs, widest_filter
from leads.models import Lead
from leads.saved_views import views_of
from leads.templatetags.leads import short_count
from tests.factories import NOW, make_lead, make_team, make_user
from tests.leads.asking import address

pytestmark = pytest.mark.django_db


def names(query: str, user: User) -> list[str]:
    found = load_list(address(query, user), viewer=user, now=NOW)
    return [row.lead.first_name for row in found.rows]


def test_a_marketer_begins_with_what_is_new_and_a_rep_with_everything(marketer: User) -> None:
    assert address("", marketer).view.name == "new"
    assert address("", make_user(Role.REP)).view.name == "all"


def test_filters_without_a_view_are_filters_of_everything(marketer: User) -> None:
    assert address("f=stage.in.MQL", marketer).view.name == "all"


def test_a_view_brings_its_filters(marketer: User) -> None:
    asked = address("view=new", marketer)

    assert asked.filters == ["created.since.week"]
    assert not asked.is_edited
    assert asked.query == "view=new"


def test_an_edited_view_keeps_its_name_and_says_what_differs(marketer: User) -> None:
    asked = address("view=new&f=stage.in.MQL&f=country.in.DE,AT&sort=name", marketer)

    assert asked.is_edited
    assert asked.query == ("view=new&f=stage.in.MQL&f=country.in.DE%2CAT&sort=name")


def test_a_view_without_its_last_filter_still_differs_from_it(marketer: User) -> None:
    asked = address("view=new", marketer).without("created.since.week")

    assert asked.query == "view=new&f="
    assert address(asked.query, marketer).filters == []


def test_an_address_read_again_is_the_same(marketer: User) -> None:
    query = "view=all&f=city.contains.a.b%26c&sort=-created&columns=company%2Ccity"

    assert address(query, marketer).query == query


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("view=nope", "There is no view 'nope'."),
        ("f=shoe.is.44", "A filter cannot be used: there is no field 'shoe'."),
        ("f=stage.in.SOLD", "A filter cannot be used: Stage does not know 'SOLD'"),
        ("f=title.is.%00", "A filter cannot be used: Title holds a character"),
        ("f=" + "x" * 9000, "A filter cannot be used: there is no field"),
        ("&".join(["f=has_email.is.yes"] * 31), "A list takes at most 30 filters."),
        ("sort=email", "The list cannot be sorted by 'email'; it can by name, company"),
        ("sort=-", "The list cannot be sorted by '-'"),
        ("columns=company,shoe", "There is no column 'shoe'."),
        ("size=51", "A page cannot have '51' rows; it can 25, 50, 100."),
        ("layout=heap", "A list is no 'heap'; it is a table or a board."),
        ('f={"any":', "A filter cannot be used: needs an object with all, any, not or field"),
        ('f={"any":[]}', "A filter cannot be used: needs a list of 1 to 60 conditions"),
    ],
)
def test_what_cannot_be_used_is_named_and_nothing_is_listed(
    marketer: User, query: str, problem: str
) -> None:
    make_lead()

    asked = address(query, marketer)

    assert asked.problems[0].startswith(problem)
    assert load_list(asked, viewer=marketer, now=NOW).rows == []


def test_a_view_of_another_desk_is_no_view(marketer: User) -> None:
    assert address("view=new", make_user(Role.REP)).problems == ("There is no view 'new'.",)


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("name", ["Yara", "Ines", "Oskar"]),
        ("-name", ["Oskar", "Ines", "Yara"]),
        ("company", ["Oskar", "Yara", "Ines"]),
        ("created", ["Ines", "Oskar", "Yara"]),
        ("-created", ["Yara", "Oskar", "Ines"]),
        ("activity", ["Oskar", "Ines", "Yara"]),
    ],
)
def test_the_list_is_sorted_as_asked(marketer: User, sort: str, expected: list[str]) -> None:
    hour = timedelta(hours=1)
    for first, last, company, created, active in (
        ("Ines", "Kallweit", "Z", 0, -2),
        ("Oskar", "Wendlund", "A", -1, 0),
        ("Yara", "Benhalim", "M", -3, -3),
    ):
        make_lead(
            first_name=first, last_name=last, company_name=company,
            created_at=NOW + created * hour, last_activity_at=NOW + active * hour,
        )  # fmt: skip

    assert names(f"view=all&sort={sort}", marketer) == expected


def test_every_sort_that_is_offered_walks_an_index(marketer: User) -> None:
    for code in sorts():
        assert names(f"view=all&sort={code}", marketer) == []


def test_every_sort_that_is_offered_says_what_comes_first() -> None:
    for sort in sorts().values():
        turned = [replace(sort, is_reversed=True)] if sort.can_turn else []
        said = [each.words for each in [sort, *turned]]
        assert len(set(said)) == len(said)
        assert all(said)

    assert sorts()["grade"].words == "Highest score first"


def test_pages_follow_each_other_and_lead_back(marketer: User) -> None:
    leads = [make_lead(last_activity_at=NOW - timedelta(minutes=i)) for i in range(PAGE_SIZE + 2)]
    asked = address("view=all", marketer)

    first = load_list(asked, viewer=marketer, now=NOW)
    second = load_list(asked, viewer=marketer, now=NOW, cursor=first.page.next_cursor)
    back = load_list(asked, viewer=marketer, now=NOW, cursor=second.page.previous_cursor)

    assert [row.lead for row in first.rows + second.rows] == leads
    assert [row.lead for row in back.rows] == [row.lead for row in first.rows]
    assert first.count == Count(PAGE_SIZE + 2, is_estimate=False)


def test_a_page_mark_that_nobody_wrote_is_the_first_page(marketer: User) -> None:
    make_lead(first_name="Ines")

    found = load_list(
        address("view=all", marketer), viewer=marketer, now=NOW, cursor="\x00nonsense"
    )

    assert [row.lead.first_name for row in found.rows] == ["Ines"]


def test_a_rep_finds_and_counts_what_was_handed_to_them_or_their_pool() -> None:
    team, other_team = make_team(), make_team()
    rep = make_user(Role.REP, sales_team=team)
    make_lead(first_name="Mine", owner=rep, team=team)
    make_lead(first_name="Pool", team=team)
    make_lead(first_name="Colleague", owner=make_user(Role.REP, sales_team=team), team=team)
    make_lead(first_name="Other pool", team=other_team)
    make_lead(first_name="Nobody")

    found = load_list(address("view=all", rep), viewer=rep, now=NOW)

    assert {row.lead.first_name for row in found.rows} == {"Mine", "Pool"}
    assert found.count == Count(2, is_estimate=False)
    assert count_views(views_of(rep), viewer=rep, now=NOW)["all"].value == 2


def test_the_shipped_views_hold_their_leads(marketer: User) -> None:
    make_lead(source="google", created_at=NOW)
    make_lead(source="", created_at=NOW - timedelta(days=30))
    make_lead(source="google", stage=Stage.MQL, created_at=NOW - timedelta(days=30))
    for days in (3, 30):
        make_lead(
            source="google", stage=Stage.RECYCLED, wake_at=NOW + timedelta(days=days),
            created_at=NOW - timedelta(days=30),
        )  # fmt: skip

    counts = {
        name: count.value
        for name, count in count_views(views_of(marketer), viewer=marketer, now=NOW).items()
    }

    assert counts["new"] == 1
    assert counts["waiting"] == 1
    assert counts["waking"] == 1
    assert counts["no_source"] == 1
    assert counts["all"] == 5


def test_the_tabs_know_which_one_is_open(marketer: User) -> None:
    tabs = view_tabs(address("view=waiting", marketer))

    assert [tab.view.name for tab in tabs if tab.is_current] == ["waiting"]
    assert {tab.count for tab in tabs} == {None}


def test_the_filter_that_keeps_out_the_most_is_found(marketer: User) -> None:
    make_lead(country="DE", city="Munich")
    make_lead(country="DE", city="Munich")
    make_lead(country="NO", city="Oslo")

    widest = widest_filter(
        address("f=country.in.NO&f=city.is.Munich", marketer), viewer=marketer, now=NOW
    )

    assert widest is not None
    assert (widest.chip.label, widest.count.value) == ("Country", 2)


def test_the_heads_offer_the_other_direction_of_the_order_in_force(marketer: User) -> None:
    heads = {head.label: head for head in headers(address("view=all", marketer))}

    assert heads["Active"].direction == "descending"
    assert heads["Active"].query == "view=all&sort=-activity"
    assert heads["Active"].order == "Oldest activity first"
    assert heads["Created"].query == "view=all&sort=created"
    assert heads["Stage"].query == ""


def test_columns_are_those_named_in_that_order_and_stay_in_the_address(marketer: User) -> None:
    asked = address("view=all&columns=city&columns=company&columns=city", marketer)

    assert asked.column_names == ["city", "company"]
    assert asked.query == "view=all&columns=city%2Ccompany"


@pytest.mark.parametrize(
    ("move", "expected"),
    [
        ("up:city", ["city", "company", "title"]),
        ("down:city", ["company", "title", "city"]),
        ("up:company", ["company", "city", "title"]),
        ("down:title", ["company", "city", "title"]),
        ("up:shoe", ["company", "city", "title"]),
        ("over:city", ["company", "city", "title"]),
    ],
)
def test_a_column_moves_one_place(marketer: User, move: str, expected: list[str]) -> None:
    asked = address("view=all&columns=company,city,title", marketer)

    assert asked.with_column_moved(move).column_names == expected


def test_the_choice_of_columns_begins_with_those_shown_in_their_order(marketer: User) -> None:
    choices = column_choices(address("view=all&columns=city,company", marketer))

    shown = [(each.column.name, each.may_rise, each.may_sink) for each in choices[:2]]
    assert shown == [("city", False, True), ("company", True, False)]
    assert len(choices) == len(list(lead_columns))
    assert not any(each.is_shown for each in choices[2:])


def test_a_list_has_as_many_rows_a_page_as_asked(marketer: User) -> None:
    for _ in range(26):
        make_lead()

    found = load_list(address("view=all&size=25", marketer), viewer=marketer, now=NOW)

    assert len(found.rows) == 25


def test_alternatives_stand_in_the_address_and_are_one_chip(marketer: User) -> None:
    make_lead(first_name="Ines", country="DE")
    make_lead(first_name="Oskar", city="Oslo")
    make_lead(first_name="Yara", city="Bergen")
    leaves = [
        {"field": "country", "op": "in", "value": ["DE"]},
        {"field": "city", "op": "is", "value": "Oslo"},
    ]
    spelt = urlencode(
        [("view", "all"), ("f", json.dumps({"any": leaves})), ("f", "title.is_empty")]
    )

    asked = address(spelt, marketer)

    assert [(chip.label, chip.value_words) for chip in asked.chips] == [
        ("Any of", "Country is Germany or City is Oslo"), ("Title", ""),
    ]  # fmt: skip
    assert set(names(asked.query, marketer)) == {"Ines", "Oskar"}
    assert asked.without(asked.chips[0].query).filters == ["title.is_empty"]


def test_a_page_costs_the_same_number_of_queries_whatever_its_rows(marketer: User) -> None:
    every = ",".join(column.name for column in lead_columns)
    asked = address(f"view=all&columns={every}", marketer)

    make_lead(owner=make_user(), team=make_team())
    with CaptureQueriesContext(connection) as with_one_row:
        load_list(asked, viewer=marketer, now=NOW)
    make_lead(owner=make_user(), team=make_team())
    make_lead(owner=make_user(), team=make_team())
    with CaptureQueriesContext(connection) as with_three_rows:
        load_list(asked, viewer=marketer, now=NOW)

    assert len(with_one_row) == len(with_three_rows)


def test_rows_are_streamed_in_chunks(marketer: User) -> None:
    make_lead(first_name="Ines")
    columns = address("view=all", marketer).columns

    rows = list(stream_rows(Lead.objects.all(), columns, viewer=marketer, now=NOW))

    assert [row.lead.first_name for row in rows] == ["Ines"]


def test_a_view_that_is_known_to_be_empty_has_no_colour(
    marketer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = SavedView(
        "t_late", "Late", 1, {"all": [{"field": "cycle", "op": "is", "value": 7}]}, tone="bad"
    )
    monkeypatch.setattr(lead_views, "_items", {"t_late": late, **lead_views._items})
    asked = address("view=all", marketer)

    unknown = view_tabs(asked)[0]
    empty = view_tabs(asked, count_views(asked.offered, viewer=marketer, now=NOW))[0]

    assert (unknown.view, unknown.is_toned) == (late, True)
    assert (empty.view, empty.is_toned) == (late, False)


def test_the_oldest_activity_of_new_leads_is_sought_since_they_are_new(marketer: User) -> None:
    for days, active in ((30, 20), (1, 1), (1, 0), (30, 0)):
        make_lead(
            first_name=f"{days} {active}",
            created_at=NOW - timedelta(days=days),
            last_activity_at=NOW - timedelta(days=active),
        )
    old = "view=all&f=created.not_within.7d&sort=-activity"

    assert names("view=new&sort=-activity", marketer) == ["1 1", "1 0"]
    assert names("view=all&sort=-activity&f=", marketer) == ["30 20", "1 1", "1 0", "30 0"]
    assert names(old, marketer) == ["30 20", "30 0"]
    assert address("view=new&sort=-activity", marketer).beginning(NOW)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (10_240, "10.2 k"),
        (999_499, "999 k"),
        (999_859, "1 M"),
        (1_240_000, "1.2 M"),
        (99_600_000, "100 M"),
        (1_240_000_000, "1,240 M"),
    ],
)
def test_a_long_count_is_short_in_its_tab(value: int, said: str) -> None:
    assert short_count(Count(value, is_estimate=True)) == said
    assert short_count(Count(value, is_estimate=False)) == f"{value:,}"
