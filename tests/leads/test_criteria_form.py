"""A tree of criteria, edited inside a form."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.http import QueryDict
from hypothesis import given
from hypothesis import strategies as st

from crm.common.criteria import parse, sentence
from leads.criteria_form import CriteriaForm, closed, opened, read_criteria

GERMANY = {"field": "country", "op": "in", "value": ["DE"]}
PLANT = {"field": "title", "op": "contains", "value": "plant"}
WORKS = {"field": "title", "op": "contains", "value": "works"}
TREES = st.recursive(
    st.sampled_from([GERMANY, PLANT, WORKS]),
    lambda inner: st.one_of(
        st.builds(lambda part: {"not": part}, inner),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"all": parts}),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"any": parts}),
    ),
    max_leaves=6,
)


def sent(tree: Any, act: str = "", before: Any = None, **fields: Any) -> CriteriaForm:
    """Return the form after a button was pressed."""
    params = QueryDict(mutable=True)
    params["criteria"] = json.dumps(tree)
    params["criteria_do"] = act
    for name, value in fields.items():
        params.setlist(name, value if isinstance(value, list) else [value])
    return read_criteria(params, before=before)


def fits(tree: Any, true: frozenset[str]) -> bool:
    """Say by plain rules whether a lead fits for which the leaves in ``true`` hold."""
    if "field" in tree:
        return str(tree["value"]) in true
    if "not" in tree:
        return not fits(tree["not"], true)
    how = "all" if "all" in tree else "any"
    return {"all": all, "any": any}[how](fits(part, true) for part in tree[how])


@given(tree=TREES, true=st.frozensets(st.sampled_from(["['DE']", "plant", "works"])))
def test_opening_and_closing_a_tree_keeps_what_it_means(tree: Any, true: frozenset[str]) -> None:
    assert fits(closed(opened(tree)), true) == fits(tree, true)


def test_what_was_not_touched_stays_as_it_is_written() -> None:
    assert sent(closed(opened(PLANT)), before=PLANT).tree is PLANT


@pytest.mark.django_db
def test_a_condition_is_chosen_filled_in_and_joined() -> None:
    menu = sent({}, "add:")
    assert menu.at == "+"
    assert "Title" in [field.label for group in menu.menu for field in group.fields]

    asked = sent({}, "field:+", criteria_field="title")
    assert asked.editor is not None
    assert asked.editor.op == "contains"

    typed = {"criteria_at": "+", "criteria_open": "title", "criteria_op": "contains"}
    assert sent({}, "apply", value="plant", **typed).tree == {"all": [PLANT]}
    assert sent({}, "", value="plant", **typed).tree == {"all": [PLANT]}  # saving applies it too


def test_a_condition_that_does_not_fit_stays_open_and_says_why() -> None:
    form = sent(
        {"all": [PLANT]}, "add:", criteria_at="+", criteria_open="created", criteria_op="within",
        value="x", unit="d",
    )  # fmt: skip

    assert form.tree == {"all": [PLANT]}
    assert form.editor is not None
    assert form.editor.problem


def test_another_comparison_keeps_the_value() -> None:
    typed = {"criteria_at": "0", "criteria_open": "title", "criteria_op": "contains"}
    form = sent({"all": [PLANT]}, "op:is", value="plant", **typed)

    assert form.editor is not None
    assert (form.editor.op, form.editor.values) == ("is", ["plant"])


def test_a_condition_is_opened_with_its_values_changed_and_removed() -> None:
    opened_one = sent({"all": [PLANT, GERMANY]}, "edit:1")
    assert opened_one.editor is not None
    assert opened_one.editor.values == ["DE"]

    typed = {"criteria_at": "1", "criteria_open": "country", "criteria_op": "in"}
    changed = sent({"all": [PLANT, GERMANY]}, "apply", value=["AT", "DE"], **typed)
    assert changed.tree["all"][1]["value"] == ["AT", "DE"]
    assert sent({"all": [PLANT, GERMANY]}, "remove:0").tree == {"all": [GERMANY]}
    assert sent({"all": [GERMANY]}, "remove:0").tree == {}


def test_branches_are_turned_and_nested() -> None:
    assert sent({"all": [PLANT, WORKS]}, "how::any").tree == {"any": [PLANT, WORKS]}
    assert sent({"all": [PLANT, WORKS]}, "how::none").tree == {"not": {"any": [PLANT, WORKS]}}

    typed = {"criteria_at": "+.+", "criteria_open": "title", "criteria_op": "contains"}
    nested = sent({"all": [GERMANY]}, "apply", value="plant", **typed).tree
    assert nested == {"all": [GERMANY, {"any": [PLANT]}]}
    typed["criteria_at"] = "1.+"
    grown = sent(nested, "apply", value="works", **typed).tree
    assert sentence(parse(grown)) == (
        "Country is Germany and (Title contains plant or Title contains works)"
    )


@pytest.mark.parametrize("act", ["remove:9.9", "edit:x", "how:7:any", "how::some", "field:", "x"])
def test_a_button_that_is_none_changes_nothing(act: str) -> None:
    assert sent({"all": [PLANT]}, act).tree == {"all": [PLANT]}


@pytest.mark.parametrize("text", ["{", "[1", "3", '"x"', "[" * 5_000])
def test_a_damaged_tree_is_the_one_that_is_kept(text: str) -> None:
    params = QueryDict(mutable=True)
    params["criteria"] = text

    assert read_criteria(params, before=PLANT).root.parts
