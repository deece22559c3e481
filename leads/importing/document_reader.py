"""Reading a mapping document: one object at a time, every fault named with its path. Pure."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from leads.importing.mapping import AT_IMPORT, MappingInvalid, Moment

_ENCODINGS = ("utf-8", "utf-16", "cp1252", "latin-1")
_DECIMALS = (".", ",")
_SOME_MOMENT = datetime(2026, 5, 31, 14, 30, tzinfo=UTC)


class DocumentReader:
    """Reads one object of the document, collecting faults, and notices what nobody read."""

    def __init__(
        self, raw: Any, path: str = "", problems: list[tuple[str, str]] | None = None
    ) -> None:
        if not path and not _is_storable(raw):
            raise MappingInvalid([("mapping", "holds a character that is no text")])
        self.path = path
        self.problems: list[tuple[str, str]] = [] if problems is None else problems
        self._children: list[DocumentReader] = []
        self._read: set[str] = set()
        if not isinstance(raw, dict):
            self.problems.append((path or "mapping", "needs an object"))
            raw = {}
        self.raw: dict[str, Any] = raw

    def has(self, name: str) -> bool:
        """Say whether the document says anything under ``name``."""
        return name in self.raw

    def refuse(self, name: str, sentence: str) -> None:
        """Note what is wrong under ``name``."""
        self.problems.append((f"{self.path}.{name}" if self.path else name, sentence))

    def get(self, name: str, default: Any) -> Any:
        """Return what stands under ``name``, whatever it is."""
        self._read.add(name)
        return self.raw.get(name, default)

    def text(self, name: str, *, required: bool = False, default: str = "") -> str:
        """Return a text; ``default`` where there is none."""
        value = self.get(name, default)
        if not isinstance(value, str) or (required and not value):
            self.refuse(name, "needs a text")
            return default
        return value

    def flag(self, name: str) -> bool:
        """Return true or false; false where nothing is said."""
        value = self.get(name, False)
        if not isinstance(value, bool):
            self.refuse(name, "needs true or false")
        return value is True

    def words(self, name: str) -> frozenset[str]:
        """Return a list of texts as a set."""
        value = self.get(name, [])
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            self.refuse(name, "needs a list of texts")
            return frozenset()
        return frozenset(value)

    def texts(self, name: str) -> dict[str, str]:
        """Return an object of texts."""
        value = self.get(name, {})
        if not isinstance(value, dict) or not all(isinstance(v, str) for v in value.values()):
            self.refuse(name, "needs an object of texts")
            return {}
        return value

    def child(self, name: str) -> DocumentReader:
        """Return the object under ``name``, an empty one where there is none."""
        child = DocumentReader(self.get(name, {}), self._below(name), self.problems)
        self._children.append(child)
        return child

    def children(self, name: str) -> list[DocumentReader]:
        """Return the objects of the list under ``name``."""
        value = self.get(name, [])
        if not isinstance(value, list):
            self.refuse(name, "needs a list")
            return []
        made = [
            DocumentReader(each, f"{self._below(name)}[{at}]", self.problems)
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


def common_of(reader: DocumentReader) -> dict[str, Any]:
    """Return what mappings of all kinds of files say, by the names of ``FileMapping``."""
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


def moment_of(reader: DocumentReader, root: DocumentReader) -> Moment:
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
