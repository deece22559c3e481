"""Lines read in SQL say what they say when each is read by itself in Python."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leads.enums import AttributeType, ImportKind
from leads.importing.jobs import parse_mapping
from leads.importing.mapping import DealMapping, LeadMapping
from leads.importing.rows import SPACES, Refused
from leads.importing.sql.deals import check_deals, good_deals
from leads.importing.sql.leads import FIELDS, check_leads
from leads.importing.sql.lines import take_lines
from leads.importing.sql.tables import fetch, refusals
from leads.models import ImportJob, ImportRow, LeadAttribute
from tests.factories import NOW
from tests.leads.import_reference import Cells, LeadRow, PastStage, read_deal, read_lead

pytestmark = pytest.mark.django_db

LEADS: dict[str, Any] = {
    "system": "fair",
    "key": "number",
    "timezone": "Europe/Berlin",
    "placeholders": ["Select", "n/a"],
    "values": {"country": {"Elbonia": "", "Allemagne": "Germany"},
               "name": {"pad": "  x  ", "b": " "}},
    "fields": {
        "email": "mail", "last_name": "name", "phone": "phone", "country": "country",
        "website": "web", "source": "source", "attributes.size": "size", "attributes.note": "note",
        "attributes.fair": "fair", "attributes.day": "day", "attributes.hall": "hall",
    },
    "constants": {"medium": "Trade Fair", "attributes.visit": "yes"},
    "attributes": {
        "size": {"type": "NUMBER"}, "note": {"type": "TEXT"}, "fair": {"type": "BOOLEAN"},
        "day": {"type": "DATE"}, "hall": {"type": "TEXT"}, "visit": {"type": "BOOLEAN"},
    },
    "created_at": {"column": "seen", "format": "%d.%m.%Y %H:%M"},
    "history": [
        {"stage": "MQL", "at": {"column": "mql", "format": "%Y-%m-%d"},
         "when": {"column": "state", "is": ["hot", "sold"]}},
        {"stage": "SAL", "at": {"column": "mql", "format": "%Y-%m-%d", "timezone": "UTC"},
         "when": {"column": "taken", "is": ["1"]}},
        {"stage": "WON", "at": {"column": "won", "format": "%Y-%m-%d", "otherwise": "import"},
         "when": {"column": "state", "is": ["sold"]}, "implied": True},
        {"stage": "LEAD", "at": {"otherwise": "import"},
         "when": {"column": "state", "is": ["odd"]}},
    ],
}  # fmt: skip
DEALS: dict[str, Any] = {
    "system": "fair",
    "key": "number",
    "lead": "lead",
    "placeholders": ["Select"],
    "outcome": {"column": "state", "won": ["won", "x"], "lost": ["lost", "x"]},
    "closed_at": {"column": "closed", "format": "%Y-%m-%d"},
    "value": "value",
    "owner": {"column": "owner"},
    "product": "product",
    "attributes": {"segment": "segment", "size": "size"},
}
#: Spaces of many kinds, formulas and what only looks like one, quotes, capitals that change.
NASTY = [
    "", " ", "Select", "n/a", "n/a ", "\u2003A\u00a0", "\x1cB\x1f", "\u200bC", "\ufeffD", "pad",
    "b", "=1+1", "\uff1dSUM(A1)", "@SUM(A1)", "+a\u00a0(", "- cmd|", "-5", "+49 30", "@name",
    "+\u2003x!", "-\u200ba(", "O'Neil", 'say "x"', "it's \"x\"", "back\\slash", "line\nend",
    "tab\tend", "%s %(x)s", "{0}", "\u0130stanbul", "\u03a3\u03a3", "\U0001f600" * 60, "a" * 101,
    "b" * 201, "c" * 1001, "null",
]  # fmt: skip
WORDS: dict[str, list[str]] = {
    "number": ["1", "A-7", "\u0661"],
    "mail": [
        "a@x.example", "O'Neil@X.Example", "a@", "a@b", "\u00fc@m\u00fcller.example",
        "a b@x.example", "\u212a@x.example", f"{'a' * 65}@x.example", f"a@{'b' * 64}.example",
    ],
    "phone": [
        "030 23125418", "+49 30 23125418", "0123", "(212) 555-2368", "+1 212 555 2368 ext. 5",
    ],
    "country": [
        "DE", "de", "Germany", "Allemagne", "Elbonia", "us", "\u00c5land Islands", "Utopia",
    ],
    "web": [
        "x.example", "http://x.example/a?b#c", "javascript:alert(1)", "ftp://x", "http://[",
        "a b.c",
    ],
    "source": ["Google Ads", "google", "!!!", "\u00dcber", "x" * 120],
    "size": [
        "1", "1.50", "-0", "1e3", "1e1000000", "NaN", "\u0661\u0662", "1,5", "1_000",
        "999999999999999", "1e15", "0.1",
    ],
    "fair": ["yes", "No", "1", "0", "maybe", "ON", "\u0131"],
    "day": ["2026-05-31", "2026-02-30", "20260531", "2026-05-31T10:00", "31.05.2026", "2026-W22-1"],
    "seen": [
        "01.03.2026 10:00", "1.3.2026 9:05", "29.03.2026 02:30", "25.10.2025 02:30",
        "31.02.2026 10:00", "01.03.2026 10:00x", "01.01.1899 00:00", "01.01.2999 00:00",
        "\u0661.3.2026 10:00",
    ],
    "mql": ["2026-03-02", "2026-02-28", "2026-3-2", "2026-02-30", "24:00", "2999-01-01"],
    "won": ["2026-03-03", "2026-02-01", "soon"],
    "state": ["hot", "sold", "odd", "won", "lost", "x"],
    "taken": ["1", "0"],
    "closed": ["2026-04-01", "2026-04-31", "0001-01-01"],
    "value": [
        "1200.50", "0.005", "1 200", "1e12", "999999999999.994", "999999999999.995", "-3", "NaN",
        "Infinity", "1,2", "\u0661", "1_0",
    ],
    "owner": ["Maj Solheim", "d" * 151],
}  # fmt: skip


def some_cell(column: str) -> st.SearchStrategy[str]:
    """Return mostly what the column expects, and anything else."""
    texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
    usual = st.sampled_from(WORDS.get(column, ["Ada", "Ardbeck"]))
    padded = st.tuples(st.sampled_from(SPACES), usual).map("".join)
    return st.one_of(usual, usual, usual, usual, padded, st.sampled_from(NASTY), texts)


def some_lines(columns: Sequence[str]) -> st.SearchStrategy[list[list[str]]]:
    line = st.tuples(*map(some_cell, columns)).map(list)
    return st.lists(line, min_size=1, max_size=25)


def staged(kind: ImportKind, columns: Sequence[str], lines: Sequence[Sequence[str]]) -> ImportJob:
    """Return a job whose ``lines`` are in the database and wait."""
    job = ImportJob.objects.create(kind=kind, path="", created_at=NOW, header=columns)
    ImportRow.objects.bulk_create(
        ImportRow(job=job, line=number, cells=cells) for number, cells in enumerate(lines, start=2)
    )
    return job


LEAD_MAPPING = parse_mapping(ImportKind.LEADS, LEADS)
DEAL_MAPPING = parse_mapping(ImportKind.DEALS, DEALS)
LEAD_COLUMNS = sorted(LEAD_MAPPING.columns())
DEAL_COLUMNS = sorted(DEAL_MAPPING.columns())
DECLARED = {
    "size": LeadAttribute(name="size", type=AttributeType.NUMBER),
    "note": LeadAttribute(name="note", type=AttributeType.TEXT),
    "fair": LeadAttribute(name="fair", type=AttributeType.BOOLEAN),
    "day": LeadAttribute(name="day", type=AttributeType.DATE),
    "hall": LeadAttribute(name="hall", type=AttributeType.CHOICE, choices=["Ada", "East"]),
    "visit": LeadAttribute(name="visit", type=AttributeType.BOOLEAN),
}
EXAMPLES = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def leads_in_sql(job: ImportJob) -> list[str | LeadRow]:
    """Return what each line of ``job`` says, or its refusal."""
    assert isinstance(LEAD_MAPPING, LeadMapping)
    lines = take_lines(job, LEAD_MAPPING)
    assert lines
    check_leads(lines, LEAD_MAPPING, DECLARED, now=NOW)
    refused = {each.row_id: each.problem for each in refusals("import_lead")}
    past: dict[int, list[PastStage]] = {}
    for pk, *step in fetch("SELECT id, stage, cycle, at, is_jump FROM import_step"
                           " ORDER BY id, position"):  # fmt: skip
        past.setdefault(pk, []).append(PastStage(*step))
    rows = fetch(f"SELECT id, external_id, attributes, {', '.join(FIELDS)}"
                 " FROM import_lead ORDER BY number")  # fmt: skip
    return [
        refused.get(pk) or LeadRow(number, stored(attributes, said), past[pk])
        for pk, number, attributes, *said in rows
    ]


def stored(attributes: str | None, said: Sequence[Any]) -> dict[str, Any]:
    values = {name: value for name, value in zip(FIELDS, said, strict=True) if value}
    return values | ({"attributes": json.loads(attributes)} if attributes else {})


def lead_in_python(cells: Sequence[str]) -> str | LeadRow:
    """Return what one line says, or its refusal."""
    assert isinstance(LEAD_MAPPING, LeadMapping)
    try:
        row = read_lead(Cells(LEAD_COLUMNS, cells, LEAD_MAPPING), LEAD_MAPPING, DECLARED, NOW)
    except Refused as problem:
        return str(problem)
    return LeadRow(row.external_id, {n: v for n, v in row.values.items() if v}, row.history)


@EXAMPLES
@given(lines=some_lines(LEAD_COLUMNS))
def test_leads_read_in_sql_are_those_read_line_by_line(lines: list[list[str]]) -> None:
    said = leads_in_sql(staged(ImportKind.LEADS, LEAD_COLUMNS, lines))
    assert said == [lead_in_python(cells) for cells in lines]


@EXAMPLES
@given(lines=some_lines(DEAL_COLUMNS))
def test_deals_read_in_sql_are_those_read_line_by_line(lines: list[list[str]]) -> None:
    assert isinstance(DEAL_MAPPING, DealMapping)
    job = staged(ImportKind.DEALS, DEAL_COLUMNS, lines)
    taken = take_lines(job, DEAL_MAPPING)
    assert taken
    check_deals(taken, DEAL_MAPPING, now=NOW)
    said: dict[int, Any] = {each.row_id: each.problem for each in refusals("import_deal")}
    said |= dict(good_deals())
    for pk, cells in job.rows.values_list("pk", "cells"):
        try:
            expected: Any = read_deal(Cells(DEAL_COLUMNS, cells, DEAL_MAPPING), DEAL_MAPPING, NOW)
        except Refused as problem:
            expected = str(problem)
        assert said[pk] == expected


def test_the_spaces_that_the_database_is_told_are_all_there_are() -> None:
    assert "".join(filter(str.isspace, map(chr, range(0x110000)))) == SPACES
