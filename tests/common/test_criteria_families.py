"""Open choices, choices with commas, and fields that people declare while Baton runs."""

import pytest
from django.db.models import Q

from crm.common.criteria import CriteriaInvalid, Field, Kind, Op, column_field, from_query, to_query
from crm.common.criteria import fields as registry
from crm.common.criteria.fields import FieldRegistry


@pytest.fixture(autouse=True)
def _test_fields(monkeypatch: pytest.MonkeyPatch) -> None:
    known = FieldRegistry()
    known.register(
        column_field("t_source", "Source", Kind.CHOICE, path="source", is_open=True,
                     choices=lambda: [("google", "Google")]),
    )  # fmt: skip
    known.register_family("t_attr_", lambda: [declared("t_attr_size"), declared("t_attr_age")])
    monkeypatch.setattr(registry, "_items", known._items)
    monkeypatch.setattr(registry, "_families", known._families)


def declared(name: str) -> Field:
    return Field(name, name, Kind.NUMBER, q=lambda op, value, now: Q(), ops=(Op.IS,))


def test_an_open_choice_may_be_one_that_nobody_has_yet() -> None:
    assert to_query(from_query(["t_source.in.bing,google"])) == ["t_source.in.bing,google"]


def test_an_open_choice_is_still_a_text() -> None:
    with pytest.raises(CriteriaInvalid):
        from_query(["t_source.in.a\x00b"])


def test_a_choice_may_hold_a_comma_and_a_percent_sign() -> None:
    criteria = from_query(["t_source.in.5%25%2C or more,none"])

    assert criteria.tree["value"] == ["5%, or more", "none"]
    assert to_query(criteria) == ["t_source.in.5%25%2C or more,none"]


def test_a_declared_field_is_found_by_its_name() -> None:
    size = registry.get("t_attr_size")

    assert size is not None
    assert size.name == "t_attr_size"
    assert registry.get("t_attr_shoe") is None


def test_declared_fields_are_listed_after_the_registered_ones() -> None:
    assert [field.name for field in registry] == ["t_source", "t_attr_size", "t_attr_age"]
