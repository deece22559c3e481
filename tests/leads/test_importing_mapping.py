"""Mappings: the examples people copy from can be used, and what cannot is refused with its path."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from handoff.history.mapping import HandoffMapping
from leads.enums import ImportKind
from leads.importing.jobs import parse_mapping
from leads.importing.mapping import DealMapping, LeadMapping, MappingInvalid
from leads.importing.suggestions import (
    created_column,
    lead_field,
    number_column,
    time_format,
)
from tests.leads.importing import MAPPING

DOCUMENTATION = settings.BASE_DIR / "docs" / "importing.md"
EXAMPLES = sorted((settings.BASE_DIR / "examples" / "mappings").glob("*.json"))


def test_the_examples_in_the_documentation_can_be_used() -> None:
    blocks = re.findall(r"```json\n(.*?)```", DOCUMENTATION.read_text(), re.DOTALL)
    leads, deals, handoffs = map(json.loads, blocks)
    assert isinstance(parse_mapping(ImportKind.LEADS, leads), LeadMapping)
    assert isinstance(parse_mapping(ImportKind.DEALS, deals), DealMapping)
    assert isinstance(parse_mapping(ImportKind.HANDOFFS, handoffs), HandoffMapping)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_the_mappings_that_ship_can_be_used(path: Path) -> None:
    kind = ImportKind(path.stem.rpartition("_")[2].upper())
    assert parse_mapping(kind, json.loads(path.read_text())).system


def problems(**changes: Any) -> list[tuple[str, str]]:
    """Return what is wrong with the usual mapping after ``changes``."""
    with pytest.raises(MappingInvalid) as caught:
        parse_mapping(ImportKind.LEADS, {**MAPPING, **changes})
    return caught.value.problems


@pytest.mark.parametrize("form", ["", "%", "%Q", "%Y%Y", "%d.%m", "2026", "%H:%M"])
def test_a_format_that_reads_no_date_is_refused(form: str) -> None:
    found = problems(created_at={"column": "seen", "format": form})
    assert [path for path, _ in found] == ["created_at.format"]


@pytest.mark.parametrize("code", ["EURO", "E", "12€", "EUR ", "ÉUR"])
def test_a_currency_that_is_no_code_is_refused(code: str) -> None:
    deals = json.loads((EXAMPLES[0].parent / "olist_deals.json").read_text())
    with pytest.raises(MappingInvalid) as caught:
        parse_mapping(ImportKind.DEALS, {**deals, "currency": code})
    assert caught.value.problems == [("currency", "must be three letters, such as EUR")]


def test_decimals_come_after_a_point_or_a_comma() -> None:
    assert problems(decimal=";") == [("decimal", "must be a point or a comma")]


@pytest.mark.parametrize("text", ["a\x00b", "\ud800"])
def test_what_no_database_keeps_is_refused(text: str) -> None:
    sentence = "holds a character that is no text"
    assert problems(system=text) == [("mapping", sentence)]
    assert problems(values={"source": {text: ""}}) == [("mapping", sentence)]


@pytest.mark.parametrize(
    ("column", "field"),
    [
        ("E-Mail", "email"),
        ("email_address", "email"),
        ("Company Name", "company_name"),
        ("Lead Source", "source"),
        ("Shoe size", ""),
    ],
)
def test_a_column_is_known_by_its_name(column: str, field: str) -> None:
    assert lead_field(column) == field


def test_numbers_and_dates_are_found_by_name_and_look() -> None:
    columns = ["name", "mql_id", "first_contact_date", "landing_page_id"]
    assert number_column(columns) == "mql_id"
    assert number_column(columns, "deal") == ""
    assert created_column(columns) == "first_contact_date"
    assert time_format(["31.05.2026", "01.06.2026"]) == "%d.%m.%Y"
    assert time_format(["05/13/2026", "05/01/2026"]) == "%m/%d/%Y"
    assert time_format(["soon"]) == time_format([]) == ""
