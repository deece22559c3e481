"""What people changed of a lead, on its timeline."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crm.accounts.models import User
from leads.edits import edit_entries
from leads.enums import AttributeType
from leads.history import merged_facts
from leads.models import Lead, LeadAttribute
from leads.services import create_lead, update_lead
from leads.wording import attribute_words
from tests.factories import make_user

NOW = datetime(2026, 5, 12, 10, 42, tzinfo=UTC)


@pytest.fixture
def mira(db: None) -> User:
    return make_user(full_name="Mira Feldkamp")


@pytest.fixture
def lead(mira: User) -> Lead:
    LeadAttribute.objects.create(name="employees", label="Staff", type=AttributeType.NUMBER)
    LeadAttribute.objects.create(name="own_plant", label="Own plant", type=AttributeType.BOOLEAN)
    return create_lead(
        now=NOW - timedelta(days=2), actor=mira, email="a@b.example", attributes={"employees": 75}
    )


def change(lead: Lead, actor: User | None, *, minutes_ago: int = 0, **values: Any) -> None:
    at = NOW - timedelta(minutes=minutes_ago)
    update_lead(lead_id=lead.pk, now=at, actor=actor, **values)


def titles(
    lead: Lead, viewer: User, *, before: datetime | None = None, limit: int = 10
) -> list[str]:
    return [entry.title for entry in edit_entries(lead.pk, viewer, before, limit)]


def test_an_edit_says_what_became_of_each_value_and_by_whom(lead: Lead, mira: User) -> None:
    change(lead, mira, city="Bergen", attributes={"employees": 300})

    (edit,) = edit_entries(lead.pk, mira, None, 10)

    assert edit.title == "City to Bergen, Staff 75 to 300"
    assert (edit.detail, edit.at, edit.kind) == ("By Mira Feldkamp", NOW, "sales")


def test_capture_and_what_no_person_wrote_are_no_edits(lead: Lead, mira: User) -> None:
    change(lead, None, city="Bergen")

    assert titles(lead, mira) == []


def test_a_value_is_compared_with_the_one_before_whoever_wrote_that(lead: Lead, mira: User) -> None:
    change(lead, None, minutes_ago=5, country="DE")
    change(lead, mira, minutes_ago=3, country="NO")
    change(lead, mira, country="", attributes={"own_plant": "yes", "employees": ""})

    assert titles(lead, mira) == [
        "Country Norway removed, Staff 75 removed, Own plant to Yes",
        "Country Germany to Norway",
    ]


def test_an_attribute_that_is_declared_no_more_keeps_its_name(lead: Lead, mira: User) -> None:
    change(lead, mira, attributes={"own_plant": "no"})
    LeadAttribute.objects.all().delete()

    assert titles(lead, mira) == ["Own plant to No"]


def test_edits_of_two_people_at_one_instant_stay_apart_and_come_together(
    lead: Lead, mira: User
) -> None:
    jonas = make_user(full_name="Jonas Weil")
    change(lead, mira, city="Bergen")
    change(lead, jonas, region="Vestland")

    told = [(edit.title, edit.detail) for edit in edit_entries(lead.pk, mira, None, 1)]

    assert sorted(told) == [
        ("City to Bergen", "By Mira Feldkamp"),
        ("Region to Vestland", "By Jonas Weil"),
    ]


def test_a_page_of_edits_counts_times_and_not_values(lead: Lead, mira: User) -> None:
    for minute in range(5):
        change(lead, mira, minutes_ago=minute, city=f"City {minute}", region=f"Region {minute}")

    first = edit_entries(lead.pk, mira, None, 2)
    rest = titles(lead, mira, before=first[-1].at)

    assert [edit.at for edit in first] == [NOW, NOW - timedelta(minutes=1)]
    assert len(rest) == 3
    assert rest[-1] == "City to City 4, Region to Region 4"


def test_edits_take_one_query_however_many_they_are(lead: Lead, mira: User) -> None:
    for minute in range(4):
        change(
            lead, mira, minutes_ago=minute, city=f"City {minute}", attributes={"own_plant": "no"}
        )

    with CaptureQueriesContext(connection) as queries:
        titles(lead, mira)

    assert len(queries) == 1


def test_a_long_value_is_cut(lead: Lead, mira: User) -> None:
    change(lead, mira, campaign="x" * 200)

    assert titles(lead, mira) == [f"Campaign to {'x' * 59}…"]


def test_a_value_of_another_kind_than_declared_is_said_as_it_is() -> None:
    assert attribute_words(AttributeType.DATE, "soon") == "soon"
    assert attribute_words(AttributeType.DATE, "2026-05-31") == "31 May 2026"
    assert attribute_words(AttributeType.NUMBER, 1200) == "1,200"


def test_an_attribute_that_was_not_known_is_told_without_a_value(lead: Lead) -> None:
    facts = {"attributes": [{"employees": None}, {"employees": 79}]}

    assert merged_facts(facts) == [("Staff", "", "79")]
