"""The editor of one filter."""

import pytest
from django.http import QueryDict

from crm.accounts.enums import Role
from crm.common.criteria import CriteriaInvalid, fields
from leads.filtering import (
    FilterEditor,
    put_filter,
    read_editor,
    spell_filter,
)
from leads.leaf_editing import field_menu
from leads.list_address import read_address
from tests.factories import make_lead, make_user

pytestmark = pytest.mark.django_db


def editor(query: str) -> FilterEditor:
    params = QueryDict(f"view=all&{query}")
    found = read_editor(params, read_address(params, user=make_user(Role.MARKETER)))
    assert found is not None
    return found


def test_a_new_filter_opens_with_its_first_comparison() -> None:
    opened = editor("field=country")

    assert (opened.op, opened.values, opened.replaces) == ("in", [], "")
    assert [op.words for op in opened.ops if op.is_current] == ["is"]


def test_a_filter_in_force_opens_with_its_values() -> None:
    opened = editor("f=country.in.DE,AT&edit=country.in.DE,AT")

    assert (opened.op, opened.values) == ("in", ["DE", "AT"])
    assert opened.replaces == "country.in.DE,AT"


def test_another_comparison_keeps_the_values() -> None:
    opened = editor("field=country&op=not_in&value=DE&replaces=country.in.DE")

    assert (opened.op, opened.values, opened.replaces) == ("not_in", ["DE"], "country.in.DE")


@pytest.mark.parametrize("query", ["field=shoe", "edit=shoe.is.44", ""])
def test_an_unknown_field_has_no_editor(query: str) -> None:
    params = QueryDict(f"view=all&{query}")

    assert read_editor(params, read_address(params, user=make_user(Role.MARKETER))) is None


def test_an_unknown_comparison_is_the_first_one() -> None:
    assert editor("field=title&op=drop").op == "contains"


def test_a_new_filter_of_text_looks_for_a_part_of_it() -> None:
    assert editor("field=company").op == "contains"


@pytest.mark.parametrize(
    ("query", "control"),
    [
        ("field=country", "choice"),
        ("field=title", "text"),
        ("field=cycle", "number"),
        ("field=has_email", "boolean"),
        ("field=created", "since"),
        ("field=created&op=within", "span"),
        ("field=created&op=before", "date"),
        ("field=created&op=is_empty", "none"),
    ],
)
def test_each_comparison_has_its_control(query: str, control: str) -> None:
    assert editor(query).control == control


def test_every_field_and_comparison_opens() -> None:
    for field in fields:
        for op in field.allowed_ops:
            opened = editor(f"field={field.name}&op={op.value}")
            assert opened.control
            assert [each.is_current for each in opened.ops].count(True) == 1


@pytest.mark.parametrize(
    ("query", "spelt"),
    [
        ("field=country&op=in&value=DE&value=AT", "country.in.DE,AT"),
        ("field=created&op=within&value=7&unit=d", "created.within.7d"),
        ("field=created&op=since&value=week", "created.since.week"),
        ("field=title&op=is_empty", "title.is_empty"),
        ("field=cycle&op=at_least&value=2", "cycle.at_least.2"),
        ("field=has_email&op=is&value=no", "has_email.is.no"),
        ("field=title&op=contains&value=a.b, c", "title.contains.a.b, c"),
        ("field=did&op=is&value=DOWNLOAD&value=2&value=30d", "did.is.DOWNLOAD:2:30d"),
        ("field=did&op=is&value=DOWNLOAD&value=1&value=", "did.is.DOWNLOAD:1"),
    ],
)
def test_what_is_filled_in_becomes_a_filter(query: str, spelt: str) -> None:
    assert spell_filter(editor(query), QueryDict(query)) == spelt


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("field=country&op=in", "Country needs one or more choices"),
        ("field=created&op=within&value=0&unit=d", "Created needs a span such as 24h, 7d or 2w"),
        ("field=created&op=before&value=soon", "Created needs a date such as 2026-05-31"),
        ("field=title&op=is&value=", "Title needs a text"),
        ("field=cycle&op=is&value=two", "Cycle needs a number"),
    ],
)
def test_what_is_no_filter_is_refused_with_a_sentence(query: str, problem: str) -> None:
    with pytest.raises(CriteriaInvalid):
        spell_filter(editor(query), QueryDict(query))
    assert editor(f"{query}&apply=1").problem == problem


def test_of_many_choices_those_that_leads_have_are_offered() -> None:
    make_lead(country="DE")
    make_lead(country="AT")

    assert dict(editor("field=country&value=NO").choices) == {
        "AT": "Austria",
        "DE": "Germany",
        "NO": "Norway",
    }


def test_an_open_field_offers_what_is_chosen_too() -> None:
    make_lead(source="organic_search")

    assert editor("field=source&value=bing").choices == [
        ("organic_search", "Organic search"),
        ("bing", "bing"),
    ]


def test_a_control_with_several_inputs_is_filled_in() -> None:
    opened = editor("f=did.is.DOWNLOAD:2:21d&edit=did.is.DOWNLOAD:2:21d")

    assert opened.parts[:3] == ["DOWNLOAD", "2", "21d"]
    assert opened.spans[-1] == ("21d", "21 days")


@pytest.mark.parametrize(
    ("replaces", "expected"),
    [
        ("", ["a.is.1", "b.is.1", "c.is.1"]),
        ("a.is.1", ["c.is.1", "b.is.1"]),
        ("gone.is.1", ["a.is.1", "b.is.1", "c.is.1"]),
    ],
)
def test_a_filter_takes_the_place_of_the_one_it_replaces(
    replaces: str, expected: list[str]
) -> None:
    assert put_filter(["a.is.1", "b.is.1"], "c.is.1", replaces=replaces) == expected


def test_a_filter_is_there_once() -> None:
    assert put_filter(["a.is.1"], "a.is.1", replaces="") == ["a.is.1"]


def test_the_menu_holds_every_field_once_under_its_heading() -> None:
    menu = field_menu()

    headings = [group.name for group in menu]
    assert len(headings) == len(set(headings))
    offered = [field.name for group in menu for field in group.fields]
    assert len(offered) == len(set(offered))
    assert {"stage", "owner", "source", "country"} <= set(offered)
