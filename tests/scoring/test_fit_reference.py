from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leads.enums import AttributeType, ConsentPurpose
from leads.models import Lead, LeadAttribute
from leads.services import record_consent
from scoring.definition import Definition, parse_definition
from scoring.fit_reference import Judgement, judge
from scoring.query import ask
from scoring.scored import score_leads
from tests.factories import NOW, make_lead
from tests.scoring.logs import document, log_act

pytestmark = pytest.mark.django_db

#: What may be known of a lead, by the field that asks for it; None is not known.
people = st.fixed_dictionaries(
    {
        "country": st.sampled_from([None, "DE", "AT"]),
        "title": st.sampled_from([None, "Head of maintenance", "buyer", "Student 100%"]),
        "region": st.sampled_from([None, "Bavaria"]),
        "attr_staff": st.sampled_from([None, 0, 9, 250.5]),
        "attr_trial": st.sampled_from([None, True, False]),
        "domain": st.sampled_from([None, "gmail.com", "rival.com"]),
        "consent_contact": st.sampled_from([None, "GIVEN", "WITHDRAWN"]),
    }
)


def leaf(field: str, op: str, *values: Any) -> st.SearchStrategy[dict[str, Any]]:
    if not values:
        return st.just({"field": field, "op": op})
    return st.sampled_from([{"field": field, "op": op, "value": value} for value in values])


leaves = st.one_of(
    leaf("country", "in", ["DE"], ["DE", "CH"]),
    leaf("country", "not_in", ["AT"]),
    leaf("title", "contains", "head", "BUYER", "%", "_"),
    leaf("title", "is_not", "Buyer"),
    leaf("title", "starts_with", "stu"),
    leaf("region", "is", "bavaria"),
    leaf("region", "is_empty"),
    leaf("title", "is_set"),
    leaf("attr_staff", "at_least", 9, 250),
    leaf("attr_staff", "at_most", 9),
    leaf("attr_trial", "is", True, False),
    leaf("email_domain", "is", "rival.com"),
    leaf("email_domain", "is_not", "rival.com"),
    leaf("free_mailbox", "is", True, False),
    leaf("consent_contact", "in", ["WITHDRAWN"], ["GIVEN", "WITHDRAWN"]),
    leaf("consent_contact", "not_in", ["GIVEN"]),
    leaf("consent_contact", "is_empty"),
)
trees = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"all": parts}),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"any": parts}),
        inner.map(lambda part: {"not": part}),
    ),
    max_leaves=4,
)
points = st.integers(-400, 400).filter(bool).map(lambda tenths: tenths / 10)


def named(trees: list[Any], key: str, noun: str) -> list[dict[str, Any]]:
    return [{key: f"{noun} {i}", "criteria": tree} for i, tree in enumerate(trees)]


@st.composite
def definitions(draw: st.DrawFn) -> Definition:
    personas = [
        {
            "name": f"Persona {place}",
            "rules": [
                {"label": f"Rule {i}", "criteria": draw(trees), "points": draw(points)}
                for i in range(draw(st.integers(1, 3)))
            ],
        }
        for place in range(draw(st.integers(1, 3)))
    ]
    cells = [f"{grade}{level}" for grade in "ABCD" for level in "1234"]
    return parse_definition(
        document(
            fit={
                "base": draw(st.sampled_from([0, 50, 100])),
                "grades": {"A": 75, "B": 50, "C": 25},
                "personas": personas,
            },
            mql={
                "cells": draw(st.lists(st.sampled_from(cells), min_size=1)),
                "blocking": named(draw(st.lists(trees, max_size=2)), "label", "Block"),
            },
            disqualifiers=named(draw(st.lists(trees, max_size=2)), "reason", "Out"),
        )
    )


@pytest.fixture
def attributes() -> None:
    for name, kind in (("staff", AttributeType.NUMBER), ("trial", AttributeType.BOOLEAN)):
        LeadAttribute.objects.create(name=name, label=name, type=kind)


def lead_of(person: dict[str, Any]) -> Lead:
    attributes = {name: person[f"attr_{name}"] for name in ("staff", "trial")}
    lead = make_lead(
        **{name: person[name] or "" for name in ("country", "title", "region")},
        attributes={name: value for name, value in attributes.items() if value is not None},
    )
    domain = person["domain"]
    Lead.objects.filter(pk=lead.pk).update(email=f"p{lead.pk}@{domain}" if domain else None)
    if person["consent_contact"]:
        record_consent(
            lead_id=lead.pk, purpose=ConsentPurpose.CONTACT, text="Call me", source="Form",
            asked_at=NOW, given_at=NOW, is_granted=person["consent_contact"] == "GIVEN",
            now=NOW,
        )  # fmt: skip
    return lead


def known_of(person: dict[str, Any]) -> dict[str, Any]:
    """Return what criteria find of a person; an address tells two things."""
    domain = person["domain"]
    told = {**person, "email_domain": domain, "free_mailbox": domain and domain == "gmail.com"}
    return {name: value for name, value in told.items() if value is not None}


@given(definition=definitions(), crowd=st.lists(st.tuples(people, st.integers(0, 9)), max_size=4))
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_the_fit_query_and_the_plain_rule_agree(
    definition: Definition, crowd: list[tuple[dict[str, Any], int]], attributes: None
) -> None:
    told = {}
    for person, downloads in crowd:
        lead = lead_of(person)
        for _ in range(downloads):
            log_act(lead.pk, "DOWNLOAD", NOW)
        told[lead.pk] = judge(definition, known_of(person), engagement=100 * downloads)

    found = score_leads(definition, list(told), ask(list(told), NOW), now=NOW)

    names = [field.name for field in fields(Judgement)]
    assert told == {
        each.lead_id: Judgement(**{name: getattr(each, name) for name in names}) for each in found
    }


def test_a_judgement_worked_out_by_hand() -> None:
    buyer = {"field": "title", "op": "contains", "value": "buyer"}
    german = {"field": "country", "op": "in", "value": ["DE"]}
    definition = parse_definition(
        document(
            fit={
                "grades": {"A": 75, "B": 50, "C": 25},
                "personas": [
                    {"name": "Student", "rules": [
                        {"label": "Not a buyer", "criteria": {"not": buyer}, "points": -40},
                    ]},
                    {"name": "Buyer", "rules": [
                        {"label": "Buyer", "criteria": buyer, "points": 20},
                        {"label": "Germany", "criteria": german, "points": 6.5},
                    ]},
                ],
            },
            mql={
                "cells": ["A2"],
                "blocking": [{"label": "German", "criteria": german}],
            },
        )
    )  # fmt: skip
    told = judge(definition, {"title": "Head buyer"}, engagement=500)
    assert told == Judgement(700, "Buyer", "B", "B2", "", "", False)
    told = judge(definition, {"title": "Head buyer", "country": "DE"}, engagement=500)
    assert told == Judgement(765, "Buyer", "A", "A2", "German", "", False)
    assert judge(definition, {}, engagement=500) == Judgement(None, "", "", "", "", "", False)
