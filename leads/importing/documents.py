"""The mapping document, read and checked: every fault is named with its path. Pure.

The document is described in docs/importing.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from leads.enums import AttributeType, DealOutcome, LifecycleStage
from leads.importing.document_reader import DocumentReader, common_of, moment_of
from leads.importing.mapping import (
    ATTRIBUTE_PREFIX,
    LEAD_FIELDS,
    AttributeDeclaration,
    DealMapping,
    LeadMapping,
    Move,
    Outcome,
)

MOST_ATTRIBUTES = 100


def parse_lead_mapping(document: Any) -> LeadMapping:
    """Return the mapping of a file of leads.

    Raises:
        MappingInvalid: naming everything that is wrong with its path.
    """
    reader = DocumentReader(document)
    declared = tuple(_declarations(reader.child("attributes")))
    mapping = LeadMapping(
        **common_of(reader),
        fields=dict(_lead_fields(reader.child("fields"), declared)),
        constants=dict(_lead_fields(reader.child("constants"), declared)),
        attributes=declared,
        created_at=moment_of(reader.child("created_at"), reader)
        if reader.has("created_at")
        else None,
        history=tuple(_move(entry, reader) for entry in reader.children("history")),
    )
    if not mapping.key and "email" not in mapping.fields:
        reader.refuse("key", "or fields.email must say what makes a row the same lead again")
    if len(declared) > MOST_ATTRIBUTES:
        reader.refuse("attributes", f"declares {len(declared):,}; {MOST_ATTRIBUTES} are the most")
    reader.finish()
    return mapping


def parse_deal_mapping(document: Any) -> DealMapping:
    """Return the mapping of a file of deals.

    Raises:
        MappingInvalid: naming everything that is wrong with its path.
    """
    reader = DocumentReader(document)
    owner = reader.child("owner")
    mapping = DealMapping(
        **common_of(reader),
        lead=reader.text("lead", required=True),
        outcome=_outcome(reader.child("outcome")),
        closed_at=moment_of(reader.child("closed_at"), reader),
        value=reader.text("value"),
        currency=_currency(reader),
        owner=owner.text("column"),
        creates_reps=owner.flag("create"),
        product=reader.text("product"),
        attributes=reader.texts("attributes"),
    )
    if not mapping.key:
        reader.refuse("key", "must name the column of the deal's number")
    reader.finish()
    return mapping


def _lead_fields(
    reader: DocumentReader, declared: Sequence[AttributeDeclaration]
) -> Iterator[tuple[str, str]]:
    """Yield lead field and column, refusing fields that leads do not have."""
    names = {each.name for each in declared}
    for name in reader.raw:
        is_attribute = name.removeprefix(ATTRIBUTE_PREFIX) in names
        if name in LEAD_FIELDS or (name.startswith(ATTRIBUTE_PREFIX) and is_attribute):
            yield name, reader.text(name, required=True)
        else:
            reader.text(name)
            offered = ", ".join(LEAD_FIELDS)
            reader.refuse(name, f"is no lead field; there are {offered}, and declared attributes")


def _declarations(reader: DocumentReader) -> Iterator[AttributeDeclaration]:
    for name in reader.raw:
        entry = reader.child(name)
        kind = entry.text("type", default="TEXT")
        label = entry.text("label", default=name)
        is_by_sales = entry.flag("by_sales")
        if kind not in (AttributeType.TEXT, AttributeType.NUMBER, AttributeType.BOOLEAN,
                        AttributeType.DATE):  # fmt: skip
            entry.refuse("type", "must be TEXT, NUMBER, BOOLEAN or DATE")
            continue
        if not name.replace("_", "").isalnum() or not name.isascii() or len(name) > 60:
            reader.refuse(name, "must be letters, digits and underscores")
        yield AttributeDeclaration(name, label[:100], AttributeType(kind), is_by_sales)


def _move(reader: DocumentReader, root: DocumentReader) -> Move:
    stage = reader.text("stage", required=True)
    if stage not in LifecycleStage.values:
        reader.refuse(
            "stage", f"{stage!r} is no stage; there are {', '.join(LifecycleStage.values)}"
        )
        stage = LifecycleStage.LEAD
    at = moment_of(reader.child("at"), root)
    when = reader.child("when")
    column, values = when.text("column"), when.words("is")
    if reader.has("when") and not (column and values):
        reader.refuse("when", "needs a column and the values it is about")
    return Move(LifecycleStage(stage), at, column, values, reader.flag("implied"))


def _currency(reader: DocumentReader) -> str:
    """Return a code such as EUR; empty when the file is of no one currency."""
    code = reader.text("currency").upper()
    if code and not re.fullmatch("[A-Z]{3}", code):
        reader.refuse("currency", "must be three letters, such as EUR")
    return code


def _outcome(reader: DocumentReader) -> Outcome:
    constant = reader.text("constant")
    if constant and constant not in DealOutcome.values:
        reader.refuse("constant", "must be WON or LOST")
        constant = ""
    column, won, lost = reader.text("column"), reader.words("won"), reader.words("lost")
    if not constant and not (column and (won or lost)):
        reader.refuse("column", "must name a column with its won and lost words, or constant")
    return Outcome(column, won, lost, DealOutcome(constant) if constant else None)
