"""The keys that may send, as the database had them last; a copy on the disk outlives a restart."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from engagement.enums import SourceKind

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class KnownSource:
    """One row of the sources. Rates are messages a second."""

    name: str
    kind: str
    write_key: str
    allowed_origins: list[str]
    rate_limit: int
    address_rate_limit: int
    is_active: bool

    @property
    def is_public(self) -> bool:
        """Tell whether every visitor of a site holds the key."""
        return self.kind == SourceKind.WEBSITE

    def allows(self, origin: str) -> bool:
        """Tell whether a browser may send from ``origin``; none is named by what is no browser."""
        return not (origin and self.allowed_origins) or origin in self.allowed_origins


class KnownSources:
    """All sources by their key, kept in ``copy`` whenever they change."""

    def __init__(self, copy: Path) -> None:
        self._copy = copy
        self._by_key: dict[str, KnownSource] = {}
        self.is_current = False

    def get(self, write_key: str) -> KnownSource | None:
        """Return the source with a key."""
        return self._by_key.get(write_key)

    def update(self, sources: Iterable[KnownSource]) -> None:
        """Take over what the database has."""
        by_key = {source.write_key: source for source in sources}
        if by_key != self._by_key:
            self._by_key = by_key
            self._write()
        self.is_current = True

    def recall(self) -> None:
        """Take over what an earlier process knew; nothing when there was none."""
        try:
            rows = json.loads(self._copy.read_text())
            self._by_key = {row["write_key"]: KnownSource(**row) for row in rows}
        except FileNotFoundError:
            return
        except (OSError, ValueError, TypeError, KeyError):
            logger.exception("Could not read %s; waiting for the database", self._copy)

    def _write(self) -> None:
        draft = self._copy.with_suffix(f".{os.getpid()}")
        try:
            draft.touch(mode=0o600)
            draft.write_text(json.dumps([asdict(source) for source in self._by_key.values()]))
            draft.replace(self._copy)
        except OSError:
            logger.exception("Could not keep the keys in %s", self._copy)
