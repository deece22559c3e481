"""One fact of a lead as a small form that takes the place of its value."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from leads.forms import NAMING, LeadForm
from leads.models import Lead, LeadAttribute

#: What is changed together; every other field of the form is a fact of its own.
TOGETHER = {"name": ("first_name", "last_name"), "place": ("city", "region", "country")}


class UnknownFact(LookupError):
    """No fact has this name."""


class FactForm(LeadForm):
    """The fields of one fact, with all that the whole form checks of them."""

    def __init__(
        self, *args: Any, name: str, declared: Iterable[LeadAttribute], lead: Lead
    ) -> None:
        """Keep the fields of the fact ``name`` alone.

        Raises:
            UnknownFact: there are none.
        """
        super().__init__(*args, declared=declared, lead=lead)
        wanted = TOGETHER.get(name, (name,))
        if not set(wanted) <= self.fields.keys():
            raise UnknownFact(name)
        self._lead = lead
        self.fields = {each: self.fields[each] for each in wanted}
        self.fields[wanted[0]].widget.attrs["autofocus"] = True

    def is_anonymous(self) -> bool:
        """Say whether nothing would be left to call the lead by."""
        others = (getattr(self._lead, name) for name in NAMING if name not in self.fields)
        return super().is_anonymous() and not any(others)
