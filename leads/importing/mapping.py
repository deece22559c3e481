"""What a file means: the mapping document, checked and frozen. Pure.

The document is described in docs/importing.md.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from leads.enums import AttributeType, DealOutcome, LifecycleStage

AT_IMPORT = "import"
LEAD_FIELDS = (
    "email", "first_name", "last_name", "phone", "title", "company_name", "country", "region",
    "city", "website", "source", "medium", "campaign",
)  # fmt: skip
MOST_ATTRIBUTES = 100
ATTRIBUTE_PREFIX = "attributes."
_ENCODINGS = ("utf-8", "utf-16", "cp1252", "latin-1")
_SOME_MOMENT = datetime(2026, 5, 31, 14, 30, tzinfo=UTC)


class MappingInvalid(ValueError):
    """The mapping cannot be used; ``problems`` lists (path, sentence)."""

    def __init__(self, problems: Sequence[tuple[str, str]]) -> None:
        """Compose one message from all problems."""
        super().__init__("; ".join(f"{path} {sentence}" for path, sentence in problems))
        self.problems = list(problems)


@dataclass(frozen=True)
class Moment:
    """Where an instant stands: a column with a strptime format, or the moment of the import.

    ``zone`` is that of texts without offset. ``date_zone`` marks columns that write a mere date as
    UTC midnight of that zone: such an instant is a date only. ``otherwise_import`` takes the moment
    of the import where the cell is empty.
    """

    column: str = ""
    format: str = ""
    zone: str = "UTC"
    date_zone: str = ""
    otherwise_import: bool = False


@dataclass(frozen=True)
class Move:
    """A past stage: entered ``at``, in rows where ``column`` holds one of ``values`` (or always).

    ``implied`` permits a jump over stages that the file does not record; it is marked as override.
    """

    stage: LifecycleStage
    at: Moment
    column: str = ""
    values: frozenset[str] = frozenset()
    implied: bool = False


@dataclass(frozen=True)
class Outcome:
    """How a deal ended: by the words of a column, or the same for all rows."""

    column: str = ""
    won: frozenset[str] = frozenset()
    lost: frozenset[str] = frozenset()
    constant: DealOutcome | None = None


@dataclass(frozen=True)
class AttributeDeclaration:
    """A custom attribute that the import may declare."""

    name: str
    label: str
    type: AttributeType


@dataclass(frozen=True)
class FileMapping:
    """What is common to all files.

    ``key`` is the column of the row's own number in ``system``. ``placeholders`` mean "no answer"
    in every column; ``values`` replaces spellings per column.
    """

    system: str
    key: str
    encoding: str = "utf-8"
    delimiter: str = ""
    placeholders: frozenset[str] = frozenset()
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class LeadMapping(FileMapping):
    """A file of leads. ``fields`` is lead field -> column, ``constants`` lead field -> value."""

    fields: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)
    attributes: Sequence[AttributeDeclaration] = ()
    created_at: Moment | None = None
    history: Sequence[Move] = ()

    def columns(self) -> set[str]:
        """Return every column the mapping reads."""
        moments = [move.at for move in self.history] + (
            [self.created_at] if self.created_at else []
        )
        named = {self.key, *self.fields.values(), *self.values}
        named |= {moment.column for moment in moments} | {move.column for move in self.history}
        return named - {""}


@dataclass(frozen=True)
class DealMapping(FileMapping):
    """A file of deals; ``lead`` is the column of the lead's number in ``system``."""

    lead: str = ""
    outcome: Outcome = field(default_factory=Outcome)
    closed_at: Moment = field(default_factory=Moment)
    value: str = ""
    currency: str = ""
    owner: str = ""
    creates_reps: bool = False
    product: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)

    def columns(self) -> set[str]:
        """Return every column the mapping reads."""
        named = {self.key, self.lead, self.outcome.column, self.closed_at.column, self.value}
        return (named | {self.owner, self.product, *self.attributes.values(), *self.values}) - {""}


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
        currency=reader.text("currency"),
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
    reader.text("timezone")
    spellings = reader.child("values")
    return {
        "system": reader.text("system", required=True)[:50],
        "key": reader.text("key"),
        "encoding": encoding,
        "delimiter": delimiter,
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
        if kind not in (AttributeType.TEXT, AttributeType.NUMBER, AttributeType.BOOLEAN,
                        AttributeType.DATE):  # fmt: skip
            entry.refuse("type", "must be TEXT, NUMBER, BOOLEAN or DATE")
            continue
        if not name.replace("_", "").isalnum() or not name.isascii() or len(name) > 60:
            reader.refuse(name, "must be letters, digits and underscores")
        yield AttributeDeclaration(name, label[:100], AttributeType(kind))


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


def _outcome(reader: _Reader) -> Outcome:
    constant = reader.text("constant")
    if constant and constant not in DealOutcome.values:
        reader.refuse("constant", "must be WON or LOST")
        constant = ""
    column, won, lost = reader.text("column"), reader.words("won"), reader.words("lost")
    if not constant and not (column and (won or lost)):
        reader.refuse("column", "must name a column with its won and lost words, or constant")
    return Outcome(column, won, lost, DealOutcome(constant) if constant else None)
