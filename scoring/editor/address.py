"""Where one stands in the editor: everything that the page shows follows from its address."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from django.http import QueryDict
from django.urls import reverse
from django.utils.http import urlencode

#: What can be open beside a rule: a new one, the settings of the section, the terms of the grid.
NEW, SETTINGS, TERMS = "new", "settings", "terms"


@dataclass(frozen=True)
class EditorAddress:
    """One state of the page.

    Attributes:
        version: the model.
        section: key of the section in the middle, empty for the first.
        open: the place of the rule whose form is open, or ``NEW``, ``SETTINGS``, ``TERMS``.
        lead: the test lead.
    """

    version: int
    section: str = ""
    open: str = ""
    lead: str = ""

    @property
    def url(self) -> str:
        """Return the address of the page."""
        asked = {name: getattr(self, name) for name in ("section", "open", "lead")}
        query = urlencode({name: value for name, value in asked.items() if value})
        path = reverse("scoring:version", args=[self.version])
        return f"{path}?{query}" if query else path

    @property
    def closed(self) -> EditorAddress:
        """Return the same page with no form open."""
        return replace(self, open="")

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Return what a form has to send along to come back here."""
        return [(name, getattr(self, name)) for name in ("section", "lead") if getattr(self, name)]

    def at(self, **changes: Any) -> EditorAddress:
        """Return another state of the page; a form does not stay open."""
        said: dict[str, Any] = {name: str(value) for name, value in changes.items()}
        return replace(self.closed, **said)

    @property
    def place(self) -> int | None:
        """Return the number of the rule that is open; None when none of the section is."""
        return int(self.open) if self.open.isdecimal() and len(self.open) < 4 else None

    @property
    def opener(self) -> str:
        """Return the id of the link that opens what is open, empty when nothing is."""
        if self.open in ("", TERMS):
            return self.open and "to-terms"
        return f"to-{self.section}" if self.open == SETTINGS else f"to-rule-{self.open}"


def read_address(version: int, params: QueryDict) -> EditorAddress:
    """Return the state that an address or a form asks for."""
    said = {name: params.get(name, "")[:40] for name in ("section", "open", "lead")}
    return EditorAddress(version, **said)
