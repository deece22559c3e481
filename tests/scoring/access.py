"""Who may read how a score came about: whoever may see the lead."""

from __future__ import annotations

from tests.access import PEOPLE, row
from tests.leads.page_access import lead_of, lead_of_somebody_else

ROWS = [
    row("scoring:explanation", *PEOPLE, own=lead_of, foreign=lead_of_somebody_else),
]
