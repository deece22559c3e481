from __future__ import annotations

from pathlib import Path

from crm.accounts.models import User
from leads.enums import ImportKind
from leads.importing.jobs import create_job
from tests.access import ADMIN, MANAGER, MARKETER, Arguments, row
from tests.factories import NOW
from tests.leads.importing import MAPPING


def some_import(_viewer: User) -> Arguments:
    job = create_job(kind=ImportKind.LEADS, path=Path("fair.csv"), now=NOW, mapping=MAPPING)
    return {"job_id": job.pk}


def some_lines(viewer: User) -> Arguments:
    return {**some_import(viewer), "result": "REFUSED"}


IMPORTERS = (MARKETER, MANAGER, ADMIN)
IMPORT_ROWS = [
    row("leads:imports", *IMPORTERS),
    row("leads:import", *IMPORTERS, own=some_import),
    row("leads:import_lines", *IMPORTERS, own=some_lines),
    row("leads:import_refused", *IMPORTERS, own=some_import),
    row("leads:import_mapping", *IMPORTERS, own=some_import),
    row("leads:import_mapping_file", *IMPORTERS, own=some_import),
    row("leads:import_start", *IMPORTERS, own=some_import, method="post"),
    row("leads:import_stop", *IMPORTERS, own=some_import, method="post"),
    row("leads:import_resume", *IMPORTERS, own=some_import, method="post"),
]
