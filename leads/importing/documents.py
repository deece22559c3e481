"""The mapping document, read and checked: every fault is named with its path. Pure.

The document is described in docs/importing.md.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from leads.enums import AttributeType, DealOutcome, LifecycleStage
from leads.importing.mapping import (
    AT_IMPORT,
    ATTRIBUTE_PREFIX,
    LEAD_FIELDS,
    AttributeDeclaration,
    DealMapping,
    LeadMapping,
    MappingInvalid,
    Moment,
    Move,
    Outcome,
)

MOST_ATTRIBUTES = 100
_ENCODINGS = ("utf-8", "utf-16", "cp1252", "latin-1")
_DECIMALS = (".", ",")
_SOME_MOMENT = datetime(2026, 5, 31, 14, 30, tzinfo=UTC)


def parse_lead_mapping(document: Any) -> LeadMapping:
    """Return the mapping of a file of leads.

    Raises:
        MappingInvalid: naming everything that is wrong with its path.
    """
    reader = _Reader(document)
    declared = tuple(_declarations(reader.child("attributes")))
    mapping = LeadMapping(
        **_common(reader),
        fields=dict(_lead_fields(reader.child("fields"), declared)),
        constants=dict(_lead_fields(reader.child("constants"), declared)),
        attributes=declared,
        created_at=_moment(reader.child("created_at"), reader)
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
    reader = _Reader(document)
    owner = reader.child("owner")
    mapping = DealMapping(
        **_common(reader),
        lead=reader.text("lead", required=True),
        outcome=_outcome(reader.child("outcome")),
        closed_at=_moment(reader.child("closed_at"), reader),
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


class _Reader:
    """Reads one object of the document, collecting faults, and notices what nobody read."""

    def __init__(
        self, raw: Any, path: str = "", problems: list[tuple[str, str]] | None = None
    ) -> None:
        if not path and not _is_storable(raw):
            raise MappingInvalid([("mapping", "holds a character that is no text")])
        self.path = path
        self.problems: list[tuple[str, str]] = [] if problems is None else problems
        self._children: list[_Reader] = []
        self._read: set[str] = set()
        if not isinstance(raw, dict):
            self.problems.append((path or "mapping", "needs an object"))
            raw = {}
        self.raw: dict[str, Any] = raw

    def has(self, name: str) -> bool:
        return name in self.raw

    def refuse(self, name: str, sentence: str) -> None:
        self.problems.append((f"{self.path}.{name}" if self.path else name, sentence))

    def get(self, name: str, default: Any) -> Any:
        self._read.add(name)
        return self.raw.get(name, default)

    def text(self, name: str, *, required: bool = False, default: str = "") -> str:
        value = self.get(name, default)
        if not isinstance(value, str) or (required and not value):
            self.refuse(name, "needs a text")
            return default
        return value

    def flag(self, name: str) -> bool:
        value = self.get(name, False)
        if not isinstance(value, bool):
            self.refuse(name, "needs true or false")
        return value is True

    def words(self, name: str) -> frozenset[str]:
        value = self.get(name, [])
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            self.refuse(name, "needs a list of texts")
            return frozenset()
        return frozenset(value)

    def texts(self, name: str) -> dict[str, str]:
        value = self.get(name, {})
        if not isinstance(value, dict) or not all(isinstance(v, str) for v in value.values()):
            self.refuse(name, "needs an object of texts")
            return {}
        return value

    def child(self, name: str) -> _Reader:
        child = _Reader(self.get(name, {}), self._below(name), self.problems)
        self._children.append(child)
        return child

    def children(self, name: str) -> list[_Reader]:
        value = self.get(name, [])
        if not isinstance(value, list):
            self.refuse(name, "needs a list")
            return []
        made = [
            _Reader(each, f"{self._below(name)}[{at}]", self.problems)
            for at, each in enumerate(value)
        ]
        self._children += made
        return made

    def finish(self) -> None:
        """Refuse what nobody asked for, and raise when anything is wrong."""
        self._refuse_unread()
        if self.problems:
            raise MappingInvalid(self.problems)

    def _refuse_unread(self) -> None:
        for name in sorted(set(self.raw) - self._read):
            self.refuse(str(name), "is not known here")
        for child in self._children:
            child._refuse_unread()

    def _below(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name


def _is_storable(document: Any) -> bool:
    """Say whether the database can keep the document: it knows no NUL and no lone surrogates."""
    try:
        written = json.dumps(document, ensure_ascii=False).encode()
    except ValueError:
        return False
    return rb"\u0000" not in written


def _common(reader: _Reader) -> dict[str, Any]:
    encoding = reader.text("encoding", default="utf-8").lower()
    if encoding not in _ENCODINGS:
        reader.refuse("encoding", f"must be one of {', '.join(_ENCODINGS)}")
    delimiter = reader.text("delimiter")
    if len(delimiter) > 1:
        reader.refuse("delimiter", "must be one character")
    decimal = reader.text("decimal", default=".")
    if decimal not in _DECIMALS:
        reader.refuse("decimal", "must be a point or a comma")
    reader.text("timezone")
    spellings = reader.child("values")
    return {
        "system": reader.text("system", required=True)[:50],
        "key": reader.text("key"),
        "encoding": encoding,
        "delimiter": delimiter,
        "decimal": decimal,
        "placeholders": reader.words("placeholders"),
        "values": {column: spellings.texts(column) for column in spellings.raw},
    }


def _lead_fields(
    reader: _Reader, declared: Sequence[AttributeDeclaration]
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


def _declarations(reader: _Reader) -> Iterator[AttributeDeclaration]:
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


def _moment(reader: _Reader, root: _Reader) -> Moment:
    """Return an instant's place; its zone is the file's unless it has its own."""
    zone = reader.text("timezone", default=root.text("timezone") or "UTC")
    date_zone = reader.text("date_only_at_midnight_of")
    for name, value in (("timezone", zone), ("date_only_at_midnight_of", date_zone)):
        if value and not _is_zone(value):
            reader.refuse(name, f"{value!r} is no time zone, such as Europe/Berlin")
    otherwise = reader.text("otherwise")
    if otherwise not in ("", AT_IMPORT):
        reader.refuse("otherwise", "can only be import")
    column, pattern = reader.text("column"), reader.text("format")
    if (column or pattern) and not _is_format(pattern):
        reader.refuse("format", "must say how the column writes time, such as %Y-%m-%d")
    if not column and not otherwise:
        reader.refuse("column", "must name a column, or otherwise must be import")
    return Moment(column, pattern, zone, date_zone, bool(otherwise))


def _is_format(pattern: str) -> bool:
    """Say whether ``strptime`` reads the pattern back to the day."""
    try:
        read = datetime.strptime(_SOME_MOMENT.strftime(pattern), pattern)  # noqa: DTZ007 -- a probe
    except (ValueError, re.error):
        return False
    return read.date() == _SOME_MOMENT.date()


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, ZoneInfoNotFoundError):
        return False
    return True


def _move(reader: _Reader, root: _Reader) -> Move:
    stage = reader.text("stage", required=True)
    if stage not in LifecycleStage.values:
        reader.refuse(
            "stage", f"{stage!r} is no stage; there are {', '.join(LifecycleStage.values)}"
        )
        stage = LifecycleStage.LEAD
    at = _moment(reader.child("at"), root)
    when = reader.child("when")
    column, values = when.text("column"), when.words("is")
    if reader.has("when") and not (column and values):
        reader.refuse("when", "needs a column and the values it is about")
    return Move(LifecycleStage(stage), at, column, values, reader.flag("implied"))


def _currency(reader: _Reader) -> str:
    """Return a code such as EUR; empty when the file is of no one currency."""
    code = reader.text("currency").upper()
    if code and not re.fullmatch("[A-Z]{3}", code):
        reader.refuse("currency", "must be three letters, such as EUR")
    return code


def _outcome(reader: _Reader) -> Outcome:
    constant = reader.text("constant")
    if constant and constant not in DealOutcome.values:
        reader.refuse("constant", "must be WON or LOST")
        constant = ""
    column, won, lost = reader.text("column"), reader.words("won"), reader.words("lost")
    if not constant and not (column and (won or lost)):
        reader.refuse("column", "must name a column with its won and lost words, or constant")
    return Outcome(column, won, lost, DealOutcome(constant) if constant else None)
