"""Who may open the addresses of this app."""

from __future__ import annotations

from tests.access import Row
from tests.engagement.content_access import CONTENT_ROWS
from tests.engagement.form_access import FORM_ROWS
from tests.engagement.link_access import LINK_ROWS
from tests.engagement.machine_access import MACHINE_ROWS
from tests.engagement.source_access import SOURCE_ROWS

ROWS: list[Row] = [*CONTENT_ROWS, *FORM_ROWS, *LINK_ROWS, *MACHINE_ROWS, *SOURCE_ROWS]
