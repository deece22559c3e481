"""The criteria language: what it accepts, refuses, says and finds."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db.models import Q

from crm.common.criteria import (
    CriteriaInvalid,
    Field,
    Kind,
    Op,
    ValueInvalid,
    chips,
    column_field,
    compile_q,
    from_query,
    parse,
    sentence,
    to_query,
)
from crm.common.criteria import fields as registry
from crm.common.registry import Registry
from leads.models import Lead
from tests.factories import make_lead

NOW = datetime(2026, 5, 13, 10, 0, tzinfo=UTC)  # a Wednesday


def _read_act(raw: str) -> tuple[str, int]:
    name, _, times = raw.partition(":")
    if not times.isdigit():
        raise ValueInvalid("needs an act and how often, such as demo:2")
    return name, int(times)


@pytest.fixture(autouse=True)
def _test_fields(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fields of these tests' own, so that they say nothing about what apps register."""
    known: Registry[Field] = Registry("criteria field")
    known.register(
        column_field("t_country", "Country", Kind.CHOICE, path="country",
                     choices=lambda: [("DE", "Germany"), ("AT", "Austria")]),
        column_field("t_free", "Campaign", Kind.CHOICE, path="campaign", is_open=True,
                     choices=list),
        column_field("t_title", "Title", Kind.TEXT, path="title"),
        column_field("t_cycle", "Cycle", Kind.NUMBER, path="cycle"),
        column_field("t_created", "Created", Kind.DATE, path="created_at"),
        Field("t_mail", "Has e-mail", Kind.BOOLEAN,
              q=lambda op, value, now: Q(email__isnull=not value)),
        Field("t_act", "Did", Kind.CUSTOM, q=lambda op, value, now: Q(campaign=value[0]),
              read=_read_act, words=lambda value: f"{value[0]} {value[1]} times"),
    )  # fmt: skip
    monkeypatch.setattr(registry, "_items", known._items)


def _found(tree: object) -> set[str]:
    criteria = parse(tree)
    return set(Lead.objects.filter(compile_q(criteria, now=NOW)).values_list("title", flat=True))


@pytest.fixture
def three_leads(db: None) -> None:
    make_lead(title="Planner", country="DE", email=None, created_at=NOW - timedelta(days=1))
    make_lead(title="Buyer", country="AT", email=None, cycle=2, created_at=NOW - timedelta(days=9))
    make_lead(title="", email="no@country.example", created_at=NOW - timedelta(hours=1))


@pytest.mark.parametrize(
    ("leaf", "titles"),
    [
        ({"field": "t_country", "op": "in", "value": ["DE", "AT"]}, {"Planner", "Buyer"}),
        ({"field": "t_country", "op": "not_in", "value": ["DE"]}, {"Buyer"}),
        ({"field": "t_country", "op": "is_empty"}, {""}),
        ({"field": "t_title", "op": "contains", "value": "AN"}, {"Planner"}),
        ({"field": "t_title", "op": "is_not", "value": "buyer"}, {"Planner"}),
        ({"field": "t_cycle", "op": "at_least", "value": 2}, {"Buyer"}),
        ({"field": "t_created", "op": "within", "value": "2d"}, {"Planner", ""}),
        ({"field": "t_created", "op": "not_within", "value": "1w"}, {"Buyer"}),
        ({"field": "t_created", "op": "since", "value": "week"}, {"Planner", ""}),
        ({"field": "t_created", "op": "since", "value": "today"}, {""}),
        ({"field": "t_created", "op": "before", "value": "2026-05-05"}, {"Buyer"}),
        ({"field": "t_mail", "op": "is", "value": True}, {""}),
    ],
)
def test_each_comparison_finds_its_leads(three_leads: None, leaf: object, titles: set[str]) -> None:
    assert _found(leaf) == titles


def test_an_unknown_country_is_not_another_country(three_leads: None) -> None:
    tree = {"not": {"field": "t_country", "op": "in", "value": ["DE"]}}
    assert _found({"field": "t_country", "op": "not_in", "value": ["DE"]}) == {"Buyer"}
    assert _found(tree) == {"Buyer", ""}


def test_trees_combine(three_leads: None) -> None:
    german = {"field": "t_country", "op": "in", "value": ["DE"]}
    second = {"field": "t_cycle", "op": "is", "value": "2"}
    assert _found({"any": [german, second]}) == {"Planner", "Buyer"}
    assert _found({"all": [german, second]}) == set()
    assert _found({"not": {"any": [german, second]}}) == {""}


def test_a_tree_reads_as_a_sentence() -> None:
    tree = {"all": [{"field": "t_country", "op": "in", "value": ["DE", "AT"]},
                    {"any": [{"field": "t_created", "op": "within", "value": "7d"},
                             {"field": "t_act", "op": "is", "value": "demo:2"}]},
                    {"not": {"field": "t_title", "op": "is_empty"}}]}  # fmt: skip
    assert sentence(parse(tree)) == (
        "Country is Germany or Austria and (Created within the last 7 days or Did is demo 2 times)"
        " and not (Title is unknown)"
    )


@pytest.mark.parametrize(
    ("tree", "path", "words"),
    [
        ([], "", "needs an object"),
        ({"all": []}, "all", "1 to 60"),
        ({"all": [], "any": []}, "", "exactly one"),
        ({"some": []}, "", "exactly one"),
        ({"field": "nope", "op": "is"}, "field", "no field 'nope'"),
        ({"field": ["t_title"], "op": "is"}, "field", "no field"),
        ({"field": "t_title", "op": "drop"}, "op", "Title offers contains, is"),
        ({"field": "t_title", "op": ["is"]}, "op", "Title offers"),
        ({"field": "t_title", "op": "is", "value": "a\x00b"}, "value", "cannot be stored"),
        ({"field": "t_title", "op": "is", "value": "\ud800"}, "value", "cannot be stored"),
        ({"field": "t_title", "op": "is", "value": "x" * 201}, "value", "longer than 200"),
        ({"field": "t_cycle", "op": "is", "value": "NaN"}, "value", "needs a number"),
        ({"field": "t_cycle", "op": "is", "value": "1e99"}, "value", "below a trillion"),
        ({"field": "t_cycle", "op": "is", "value": "-1e12"}, "value", "below a trillion"),
        ({"field": "t_cycle", "op": "is", "value": "1e1000000"}, "value", "below a trillion"),
        ({"field": "t_cycle", "op": "is", "value": "1e-20000"}, "value", "decimal places"),
        ({"field": "t_cycle", "op": "is", "value": True}, "value", "needs a number"),
        ({"field": "t_country", "op": "in", "value": ["XX"]}, "value", "does not know 'XX'"),
        ({"field": "t_created", "op": "within", "value": "0d"}, "value", "such as 24h"),
        ({"field": "t_created", "op": "before", "value": "9999-99-99"}, "value", "needs a date"),
        ({"field": "t_created", "op": "since", "value": "eon"}, "value", "today, week or month"),
        ({"field": "t_act", "op": "is", "value": "demo"}, "value", "how often"),
        ({"field": "t_mail", "op": "is", "value": "perhaps"}, "value", "yes or no"),
        ({"field": "t_title", "op": "is", "value": "x", "sql": "1"}, "", "does not know sql"),
    ],
)
def test_a_faulty_tree_is_refused_with_the_place(tree: object, path: str, words: str) -> None:
    with pytest.raises(CriteriaInvalid) as caught:
        parse(tree)
    assert len(caught.value.problems) == 1
    assert caught.value.problems[0][0] == path
    assert words in caught.value.problems[0][1]


def test_every_fault_is_named_at_once() -> None:
    with pytest.raises(CriteriaInvalid) as caught:
        parse({"all": [{"field": "no"}, {"not": {"field": "t_cycle", "op": "is", "value": "x"}}]})
    assert [path for path, _ in caught.value.problems] == ["all[0].field", "all[1].not.value"]


def test_deep_and_wide_trees_are_refused() -> None:
    deep: dict[str, object] = {"field": "t_title", "op": "is_set"}
    for _ in range(5000):
        deep = {"not": deep}
    with pytest.raises(CriteriaInvalid, match="deeper than 6"):
        parse(deep)
    row = {"all": [{"field": "t_title", "op": "is_set"}] * 40}
    with pytest.raises(CriteriaInvalid, match="more than 60"):
        parse({"any": [row, row]})


def test_an_address_carries_a_flat_tree_there_and_back() -> None:
    parts = ["t_country.in.DE,AT", "t_title.contains.a.b", "t_title.is_set", "t_act.is.demo:2"]
    criteria = from_query(parts)
    assert to_query(criteria) == parts
    assert [(c.label, c.op_words, c.value_words) for c in chips(criteria)] == [
        ("Country", "is", "Germany or Austria"),
        ("Title", "contains", "a.b"),
        ("Title", "is known", ""),
        ("Did", "is", "demo 2 times"),
    ]


@pytest.mark.parametrize(
    ("leaf", "part"),
    [
        ({"field": "t_mail", "op": "is", "value": True}, "t_mail.is.yes"),
        ({"field": "t_mail", "op": "is", "value": False}, "t_mail.is.no"),
        ({"field": "t_cycle", "op": "at_least", "value": 2}, "t_cycle.at_least.2"),
        ({"field": "t_free", "op": "in", "value": "a,b"}, "t_free.in.a%2Cb"),
    ],
)
def test_values_of_a_stored_tree_survive_an_address(leaf: object, part: str) -> None:
    stored = parse(leaf)

    parts = to_query(stored)

    assert parts == [part]
    assert sentence(from_query(parts)) == sentence(stored)


@pytest.mark.parametrize(
    "part",
    ["{", '{"any":[]}', "{" * 99, ".", "t_title", "t_title.", "t_title.is", "t_title.is.", "%00"],
)
def test_a_damaged_address_is_refused(part: str) -> None:
    with pytest.raises(CriteriaInvalid):
        from_query([part])


def test_an_address_without_conditions_fits_every_lead() -> None:
    assert from_query(["", ""]).root is None


@pytest.mark.parametrize(
    ("tree", "parts"),
    [
        (
            {"any": [{"op": "is_set", "field": "t_title"}]},
            ['{"any":[{"field":"t_title","op":"is_set"}]}'],
        ),
        (
            {"all": [{"field": "t_title", "op": "is_set"}, {"not": {"field": "t_mail", "op": "is",
             "value": True}}]},
            ["t_title.is_set", '{"not":{"field":"t_mail","op":"is","value":true}}'],
        ),
    ],
)  # fmt: skip
def test_a_part_that_is_no_comparison_stands_in_an_address_as_json(
    tree: object, parts: list[str]
) -> None:
    stored = parse(tree)

    assert to_query(stored) == parts
    assert sentence(from_query(parts)) == sentence(stored)


def test_the_deepest_tree_survives_an_address() -> None:
    tree: object = {"field": "t_title", "op": "is_set"}
    for how in ("any", "all", "any", "all", "any"):
        tree = {how: [tree]}

    assert sentence(from_query(to_query(parse(tree)))) == sentence(parse(tree))


def test_a_part_that_is_no_comparison_is_one_chip() -> None:
    leaf = {"field": "t_title", "op": "is_set"}
    criteria = parse({"all": [{"any": [leaf, leaf]}, {"not": leaf}, {"all": [leaf]}]})

    assert [(chip.label, chip.value_words) for chip in chips(criteria)] == [
        ("Any of", "Title is known or Title is known"),
        ("None of", "Title is known"),
        ("All of", "Title is known"),
    ]


def test_one_name_is_not_registered_twice() -> None:
    with pytest.raises(ValueError, match="'t_title' is registered twice"):
        registry.register(column_field("t_title", "Again", Kind.TEXT, path="title"))


def test_a_field_that_fits_all_leads_makes_any_fit_all_and_not_fit_none(
    three_leads: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry.register(Field("t_all", "All", Kind.BOOLEAN, q=lambda op, value, now: Q()))
    everybody = {"field": "t_all", "op": "is", "value": True}
    german = {"field": "t_country", "op": "in", "value": ["DE"]}
    assert _found({"any": [german, everybody]}) == {"Planner", "Buyer", ""}
    assert _found({"not": everybody}) == set()
    assert Op.IS in registry.get("t_all").allowed_ops  # type: ignore[union-attr]
