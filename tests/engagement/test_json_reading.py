from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engagement.json_reading import (
    LARGEST,
    Batch,
    Item,
    Unread,
    read_batch,
    read_object,
)
from engagement.storable import Problem

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)

small_values = st.recursive(
    st.none() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("raw", "code", "field"),
    [
        (b'{"a": "' + b"x" * LARGEST + b'"}', "too_large", ""),
        (b'{"a": "\xff"}', "not_utf8", ""),
        (b'{"a": ', "not_json", ""),
        (b"", "not_json", ""),
        (b'{"a": "tab\tin text"}', "not_json", ""),
        (b'["a"]', "not_an_object", ""),
        (b"null", "not_an_object", ""),
        (b'{"a": {"b": 1, "c": 2, "b": 3}}', "duplicate_key", "b"),
        (b'{"a": NaN}', "not_a_number", ""),
        (b'{"a": -Infinity}', "not_a_number", ""),
        (b'{"a": [0, 1e999]}', "number_too_large", "a[1]"),
        (b'{"a": {"b": 9223372036854775808}}', "number_too_large", "a.b"),
        (b'{"a": ' + b"9" * 400 + b"}", "number_too_large", "a"),
        (b'{"a": -' + b"9" * 400 + b"}", "number_too_large", "a"),
        (b'{"a": ' + b"9" * 5000 + b"}", "number_too_large", ""),
        (b'{"a": "\\u0000"}', "not_text", "a"),
        (b'{"a": ["\\ud83d"]}', "not_text", "a[0]"),
        (b'{"a": {"\\u0000": 1}}', "not_text", "a"),
        (b"[" * 30_000, "too_deep", ""),
        (b'{"a": ' * 20 + b"{}" + b"}" * 20, "too_deep", ".".join(["a"] * 20)),
    ],
)
def test_what_cannot_be_stored_is_refused_by_code_and_field(
    raw: bytes, code: str, field: str
) -> None:
    problem = read_object(raw)

    assert isinstance(problem, Problem)
    assert (problem.code, problem.field) == (code, field)


def test_the_limits_themselves_are_allowed() -> None:
    frame = len(b'{"a": ""}')
    longest = b'{"a": "' + b"x" * (LARGEST - frame) + b'"}'
    deepest = b'{"a": ' * 19 + b"{}" + b"}" * 19

    assert len(longest) == LARGEST
    assert isinstance(read_object(longest), dict)
    assert isinstance(read_object(deepest), dict)
    assert read_object(b'{"a": 9223372036854775807}') == {"a": 2**63 - 1}
    assert read_object('{"a": "Zoë 😀", "b": "\\ud83d\\ude00"}'.encode()) == {
        "a": "Zoë 😀",
        "b": "😀",
    }


def test_a_problem_reads_as_one_line() -> None:
    assert (
        str(Problem("too_deep", "a.b", "is nested too deep")) == "too_deep: a.b is nested too deep"
    )
    assert str(Problem("not_json", "", "is not JSON")) == "not_json: is not JSON"


@given(raw=st.binary() | json_values.map(lambda value: json.dumps({"a": value}).encode()))
def test_whatever_arrives_is_an_object_or_a_problem_and_what_passes_survives(raw: bytes) -> None:
    result = read_object(raw)

    if isinstance(result, dict):
        assert json.loads(json.dumps(result)) == result
        assert "\x00" not in json.dumps(result, ensure_ascii=False)
        json.dumps(result, ensure_ascii=False, allow_nan=False).encode()
    else:
        str(result).encode()
        assert "\x00" not in str(result)


@given(
    value=json_values, separators=st.sampled_from([(",", ":"), (", ", ": ")]), ascii_=st.booleans()
)
def test_the_quick_way_reads_what_the_careful_one_reads(
    value: object, separators: tuple[str, str], ascii_: bool
) -> None:
    text = json.dumps(value, separators=separators, ensure_ascii=ascii_)
    raw = text.encode(errors="surrogatepass")

    quick = read_object(b'{"x":' + raw + b"}")
    careful = read_object(b'{"\\u0078":' + raw + b"}")  # no library writes a letter like this

    assert repr(quick) == repr(careful)


@pytest.mark.parametrize(
    "raw",
    [b"1e5", b"1.50", b"-0.0", b"18446744073709551615", b'"\\/"', b'{"a":1,"a":1}', b"[1,]"],
)
def test_spellings_that_a_library_would_change_are_read_with_care(raw: bytes) -> None:
    quick, careful = (read_object(name + raw + b"}") for name in (b'{"x":', b'{"\\u0078":'))

    if isinstance(careful, Problem):
        assert isinstance(quick, Problem)
        assert quick.code == careful.code
    else:
        assert repr(quick) == repr(careful)


@given(
    items=st.lists(small_values, max_size=4),
    envelope=st.dictionaries(st.text(max_size=3), st.integers(), max_size=3),
)
def test_a_batch_reads_each_item_as_it_would_be_read_alone(
    items: list[object], envelope: dict[str, int]
) -> None:
    raw = json.dumps({**envelope, "batch": items}).encode()

    batch = read_batch(raw)

    if isinstance(batch, Problem):
        assert isinstance(read_object(json.dumps(envelope).encode()), Problem)
        return
    assert batch.envelope == {name: each for name, each in envelope.items() if name != "batch"}
    for item, read in zip(items, batch.items, strict=True):
        alone = read_object(json.dumps(item).encode())
        if isinstance(read, Unread):
            assert (read.problem, read.text) == (alone, json.dumps(item))
        else:
            assert read.value == json.loads(read.raw) == alone


#: Texts that a lenient decoder would take or bend, among such as it takes rightly.
TEXTS = (
    '{"a":1,"b":{"c":[1.5,true,null]}}',
    '{ "a" : "x  y",\n"b":[ ] }',
    '{"a":"é :{[,\\n\\"\\/"}',
    '{"a":1,"a":2}',
    '{"a":{"b":1,"b":1}}',
    '{"a":"\\u003a","b":1,"b":""}',
    '{"a":1.10}',
    '{"a":0.12345678901234567890}',
    '{"a":100000000000000000000000}',
    '{"a":9223372036854775807}',
    '{"a":9223372036854775808}',
    '{"a":1e400}',
    '{"a":NaN}',
    '{"a":"\\u0000"}',
    '{"a":"\\ud83d"}',
    '{"a":"\\ud83d\\ude00"}',
    '{"a":' * 19 + "{}" + "}" * 19,
    '{"a":' * 20 + "{}" + "}" * 20,
    '{"a":"' + "x" * (LARGEST - 8) + '"}',
    '{"a":"' + "x" * (LARGEST - 7) + '"}',
    '{"a":' + " " * LARGEST + '"x"}',
    "[1]",
    "7",
)


@given(
    texts=st.lists(st.sampled_from(TEXTS), min_size=1, max_size=4),
    separator=st.sampled_from([",", ", ", " ,\n"]),
)
def test_no_text_gets_past_in_a_batch_that_would_be_refused_or_read_otherwise_alone(
    texts: list[str], separator: str
) -> None:
    batch = read_batch(('{"batch":[' + separator.join(texts) + "]}").encode())

    assert isinstance(batch, Batch)
    for text, read in zip(texts, batch.items, strict=True):
        alone = read_object(text.encode())
        if isinstance(read, Unread):
            assert (read.problem, read.text.strip()) == (alone, text)
        else:
            assert read.value == json.loads(read.raw) == alone


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b'{"batch":[{"a":1}],"batch":[]}', "duplicate_key"),
        (b'{"batch":[{"a":1}],"b":1,"b":1}', "duplicate_key"),
        (b'{"batch":[{"a":1}],"b":' + b"[" * 21 + b"]" * 21 + b"}", "too_deep"),
        (b'{"batch":[' + b"{}," * 2000 + b"{}]}", "too_many"),
        (b'{"batch":{}}', "not_a_list"),
        (b'[{"batch":[]}]', "not_an_object"),
    ],
)
def test_what_is_wrong_beside_the_messages_refuses_all(raw: bytes, code: str) -> None:
    problem = read_batch(raw)

    assert isinstance(problem, Problem)
    assert problem.code == code


def test_a_bad_item_costs_its_neighbours_nothing() -> None:
    raw = b'{"batch": [{"a": 1}, NaN, {"a": NaN, "b": "]}"}, 7, "x]", {"b": 2} ] , "sentAt": null}'

    batch = read_batch(raw)

    assert isinstance(batch, Batch)
    assert batch.envelope == {"sentAt": None}
    assert [each for each in batch.items if isinstance(each, Item)] == [
        Item({"a": 1}, b'{"a": 1}'),
        Item({"b": 2}, b'{"b": 2}'),
    ]
    assert [each.text for each in batch.items if isinstance(each, Unread)] == [
        "NaN",
        '{"a": NaN, "b": "]}"}',
        "7",
        '"x]"',
    ]
