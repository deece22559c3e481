"""The kinds of files that come in: upper floors register theirs, ``jobs`` drives them all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from django.db import models

from crm.common.registry import Registry
from leads.importing.mapping import FileMapping
from leads.importing.results import Result
from leads.importing.sql.lines import Lines


class ParseMapping(Protocol):
    """Reads the mapping document of one kind."""

    def __call__(self, document: Any) -> FileMapping:
        """Return the mapping, or raise ``MappingInvalid`` naming everything that is wrong."""


class ApplyLines(Protocol):
    """Applies the lines of one chunk in the caller's transaction, without side effects."""

    def __call__(self, lines: Lines, mapping: Any, *, now: datetime) -> list[Result]:
        """Return what became of each line."""


@dataclass(frozen=True)
class Importer:
    """How files of one kind come in; ``name`` is an ``ImportKind``, ``tables`` what it fills."""

    name: str
    order: int
    parse: ParseMapping
    apply: ApplyLines
    tables: Sequence[type[models.Model]] = ()


importers: Registry[Importer] = Registry("importer")
