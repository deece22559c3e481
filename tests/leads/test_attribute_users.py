"""An attribute that rules in force ask for stays what it is; whoever changes it is told which."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from django.urls import reverse

from crm.accounts.enums import Role
from handoff.services import add_routing_rule
from leads.admin import LeadAttributeForm
from leads.enums import AttributeType
from leads.models import LeadAttribute
from scoring.services import create_draft
from tests.factories import NOW, client_of, make_team, make_user
from tests.handoff.factories import ANY_LEAD, make_agreement
from tests.scoring.logs import document, publish_model

pytestmark = pytest.mark.django_db

SMALL = {"any": [{"field": "attr_size", "op": "in", "value": ["Small"]}]}
TOO_SMALL = document(disqualifiers=[{"reason": "Too small", "criteria": {"not": SMALL}}])
IN_THE_MODEL = "Model v1, \N{LEFT DOUBLE QUOTATION MARK}Too small\N{RIGHT DOUBLE QUOTATION MARK}"


@pytest.fixture
def size() -> LeadAttribute:
    return LeadAttribute.objects.create(
        name="size", label="Size", type=AttributeType.CHOICE, choices=["Small", "Large"]
    )


def errors_of(size: LeadAttribute, **changed: Any) -> list[str]:
    """Return what the admin form says to a change of some fields."""
    values = {"name": "size", "label": "Size", "type": "CHOICE", "choices": ["Small", "Large"]}
    values |= changed
    form = LeadAttributeForm({**values, "choices": json.dumps(values["choices"])}, instance=size)
    return [str(error) for error in form.non_field_errors()]


@pytest.mark.parametrize("change", [{"name": "staff"}, {"type": "TEXT"}, {"choices": ["Large"]}])
def test_what_the_model_in_force_asks_for_is_not_taken_away(
    size: LeadAttribute, change: dict[str, Any]
) -> None:
    publish_model(TOO_SMALL)

    assert errors_of(size, **change) == [f"Change first what asks for it: {IN_THE_MODEL}."]


@pytest.mark.parametrize(
    "change", [{"label": "Staff"}, {"choices": ["Small"]}, {"choices": ["Small", "Large", "Huge"]}]
)
def test_what_no_rule_asks_for_may_change(size: LeadAttribute, change: dict[str, Any]) -> None:
    publish_model(TOO_SMALL)

    assert errors_of(size, **change) == []


def test_a_draft_keeps_nobody_from_changing_an_attribute(size: LeadAttribute) -> None:
    create_draft(definition=TOO_SMALL, now=NOW)

    assert errors_of(size, name="staff") == []


def test_tiers_and_routing_rules_are_named_too(size: LeadAttribute) -> None:
    small_firms = replace(ANY_LEAD, name="Small firms", criteria=SMALL)
    make_agreement(small_firms)
    add_routing_rule(position=1, name="Small firms", criteria=SMALL, team=make_team())

    [error] = errors_of(size, name="staff")

    assert error == (
        "Change first what asks for it: Agreement v1, tier Small firms; Rule 1, Small firms."
    )


def test_an_attribute_in_use_cannot_be_deleted_and_the_page_says_why(size: LeadAttribute) -> None:
    publish_model(TOO_SMALL)
    admin = client_of(make_user(Role.ADMIN))
    address = reverse("admin:leads_leadattribute_delete", args=[size.pk])

    page = admin.post(address, {"post": "yes"})

    assert IN_THE_MODEL in page.content.decode()
    assert LeadAttribute.objects.filter(pk=size.pk).exists()


def test_an_attribute_that_no_rule_asks_for_can_be_deleted(size: LeadAttribute) -> None:
    admin = client_of(make_user(Role.ADMIN))

    admin.post(reverse("admin:leads_leadattribute_delete", args=[size.pk]), {"post": "yes"})

    assert not LeadAttribute.objects.exists()
