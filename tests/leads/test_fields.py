from datetime import timedelta

import pytest

from crm.common.criteria import CriteriaInvalid, chips, compile_q, from_query, parse, sentence
from leads.enums import AttributeType
from leads.enums import LifecycleStage as Stage
from leads.fields import present_codes
from leads.models import Lead, LeadAttribute
from leads.services import add_note
from tests.factories import NOW, make_lead, make_team, make_user

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def found(*query: str) -> set[str]:
    """Return the first names of the leads that ``f`` parameters ask for."""
    asked = compile_q(from_query(query), now=NOW)
    return set(Lead.objects.filter(asked).values_list("first_name", flat=True))


@pytest.fixture
def two_leads() -> dict[str, Lead]:
    ines = make_lead(
        first_name="Ines", stage=Stage.RECYCLED, cycle=2, wake_at=NOW + 3 * DAY, source="google",
        medium="cpc", campaign="Spring", country="DE", region="Bavaria", city="Munich",
        company_name="Kesterwald Pumpen", title="Head of maintenance", created_at=NOW - 2 * DAY,
        next_step="Call", owner=make_user(full_name="Tomas Orlind"), team=make_team(name="DACH"),
    )  # fmt: skip
    oskar = make_lead(
        first_name="Oskar", email=None, country="AT", source="organic_search",
        company_name="Trygve Cold Chain", created_at=NOW - 20 * DAY,
    )  # fmt: skip
    return {"Ines": ines, "Oskar": oskar}


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("stage.in.RECYCLED,MQL", {"Ines"}),
        ("stage.not_in.RECYCLED", {"Oskar"}),
        ("stage_since.within.3d", {"Ines"}),
        ("cycle.at_least.2", {"Ines"}),
        ("wake_at.coming.7d", {"Ines"}),
        ("wake_at.is_empty", {"Oskar"}),
        ("created.not_within.1w", {"Oskar"}),
        ("owner.is_empty", {"Oskar"}),
        ("owner.is_set", {"Ines"}),
        ("team.is_empty", {"Oskar"}),
        ("next_step.is.yes", {"Ines"}),
        ("next_step.is.no", {"Oskar"}),
        ("has_note.is.no", {"Ines", "Oskar"}),
        ("source.in.google,bing", {"Ines"}),
        ("source.in.Google", {"Ines"}),
        ("source.not_in.google", {"Oskar"}),
        ("source.is_set", {"Ines", "Oskar"}),
        ("source.is_empty", set()),
        ("medium.is.CPC", {"Ines"}),
        ("campaign.starts_with.spr", {"Ines"}),
        ("company.contains.PUMP", {"Ines"}),
        ("company.is.trygve cold chain", {"Oskar"}),
        ("company.is_not.trygve cold chain", {"Ines"}),
        ("company.is_set", {"Ines", "Oskar"}),
        ("title.is_empty", {"Oskar"}),
        ("country.in.DE,CH", {"Ines"}),
        ("region.is.bavaria", {"Ines"}),
        ("city.contains.uni", {"Ines"}),
        ("has_email.is.yes", {"Ines"}),
        ("has_email.is.no", {"Oskar"}),
    ],
)
def test_each_field_finds_its_leads(
    two_leads: dict[str, Lead], query: str, names: set[str]
) -> None:
    assert found(query) == names


def test_leads_are_found_by_who_holds_them(two_leads: dict[str, Lead]) -> None:
    ines = two_leads["Ines"]

    assert found(f"owner.in.{ines.owner_id}") == {"Ines"}
    assert found(f"owner.not_in.{ines.owner_id}") == set()
    assert found(f"team.in.{ines.team_id}") == {"Ines"}
    assert chips(from_query([f"owner.in.{ines.owner_id}"]))[0].value_words == "Tomas Orlind"


def test_leads_with_a_note_are_found(two_leads: dict[str, Lead]) -> None:
    add_note(lead_id=two_leads["Oskar"].pk, author=make_user(), text="Called", now=NOW)

    assert found("has_note.is.yes") == {"Oskar"}
    assert found("has_note.is.no") == {"Ines"}


def test_a_field_says_what_it_asks_in_words() -> None:
    criteria = from_query(["source.in.organic_search", "country.in.DE,AT", "stage.in.SAL"])

    assert sentence(criteria) == (
        "Source is organic_search and Country is Germany or Austria and Stage is Accepted"
    )


def test_an_unknown_country_or_stage_is_refused() -> None:
    with pytest.raises(CriteriaInvalid):
        from_query(["country.in.XX"])
    with pytest.raises(CriteriaInvalid):
        from_query(["stage.in.SOLD"])


def test_the_sources_there_are_walk_the_index(two_leads: dict[str, Lead]) -> None:
    make_lead(source="")
    make_lead(source="google")

    assert present_codes("source") == ["google", "organic_search"]
    assert present_codes("country") == ["AT", "DE"]


@pytest.fixture
def with_attributes() -> None:
    for name, kind, choices in (
        ("staff", AttributeType.NUMBER, []),
        ("trial", AttributeType.BOOLEAN, []),
        ("renewal", AttributeType.DATE, []),
        ("size", AttributeType.CHOICE, ["Small", "Large, or more"]),
        ("range", AttributeType.TEXT, []),
    ):
        LeadAttribute.objects.create(name=name, label=name, type=kind, choices=choices)
    make_lead(
        first_name="Ines",
        attributes={
            "staff": 250, "trial": True, "renewal": "2026-05-20", "size": "Large, or more",
            "range": "Pumps and valves",
        },
    )  # fmt: skip
    make_lead(first_name="Oskar", attributes={"staff": 9, "size": "Small", "trial": False})
    make_lead(first_name="Yara")


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("attr_staff.at_least.250", {"Ines"}),
        ("attr_staff.at_most.9.5", {"Oskar"}),
        ("attr_staff.is.9", {"Oskar"}),
        ("attr_staff.is_empty", {"Yara"}),
        ("attr_staff.is_set", {"Ines", "Oskar"}),
        ("attr_trial.is.yes", {"Ines"}),
        ("attr_trial.is.no", {"Oskar"}),
        ("attr_renewal.before.2026-05-21", {"Ines"}),
        ("attr_renewal.after.2026-05-21", set()),
        ("attr_renewal.coming.2w", {"Ines"}),
        ("attr_renewal.within.2w", set()),
        ("attr_renewal.not_within.2w", set()),
        ("attr_renewal.since.month", {"Ines"}),
        ("attr_size.in.Large%2C or more", {"Ines"}),
        ("attr_size.not_in.Small", {"Ines"}),
        ("attr_range.is.PUMPS AND VALVES", {"Ines"}),
        ("attr_range.is_not.pumps", {"Ines"}),
        ("attr_range.contains.valves", {"Ines"}),
        ("attr_range.starts_with.pum", {"Ines"}),
    ],
)
def test_declared_attributes_are_fields(with_attributes: None, query: str, names: set[str]) -> None:
    assert found(query) == names


def test_an_attribute_nobody_declared_is_no_field() -> None:
    with pytest.raises(CriteriaInvalid) as refused:
        parse({"field": "attr_shoe", "op": "is", "value": "44"})

    assert refused.value.problems == [("field", "there is no field 'attr_shoe'")]
