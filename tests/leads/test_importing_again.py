"""What was refused or has failed is mended and imported again."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from leads.enums import ImportState
from leads.models import ImportJob, Lead
from leads.signals import leads_changed
from tests.leads.importing import HEADER, MAPPING, write

pytestmark = pytest.mark.django_db

FORMULAS: dict[str, Any] = {
    **MAPPING,
    "attributes": {"shifts": {"label": "Shifts", "type": "NUMBER"}},
    "fields": {"phone": "+phone", "last_name": "name", "attributes.shifts": "shifts"},
}
FORMULAS_HEADER = "number,+phone,name,shifts,seen"


def run(path: Path, mapping: dict[str, Any] = MAPPING) -> Path:
    """Import ``path`` as from the command line and return the file of its refused lines."""
    written = path.with_suffix(".json")
    written.write_text(json.dumps(mapping))
    refused = path.with_name(f"refused-{path.name}")
    call_command(
        "import_leads", str(path), mapping=written, refused=refused,
        stdout=StringIO(), stderr=StringIO(),
    )  # fmt: skip
    return refused


def mend(path: Path, old: str, new: str) -> Path:
    """Replace ``old`` in the file, as a person with an editor does."""
    text = path.read_bytes().decode()
    assert old in text
    path.write_bytes(text.replace(old, new).encode())
    return path


def test_a_refused_line_is_mended_twice_and_imported_as_it_was_typed(tmp_path: Path) -> None:
    lines = ["1,+493023125418,A,-5,2026-05-32", "2,,=cmd(1),-6,2026-05-32"]
    path = write(tmp_path / "a.csv", *lines, header=FORMULAS_HEADER)

    first = run(path, FORMULAS)
    second = run(mend(first, "'-5,2026-05-32", "'-5,2026-05-31"), FORMULAS)
    run(mend(second, "'=cmd(1),'-6,2026-05-32", "Cmd,'-6,2026-05-31"), FORMULAS)

    assert first.read_text().splitlines()[0] == "line,reason,number,'+phone,name,shifts,seen"
    leads = Lead.objects.order_by("pk").values_list("phone", "last_name", "attributes")
    assert list(leads) == [
        ("+493023125418", "A", {"shifts": -5}),
        ("", "Cmd", {"shifts": -6}),
    ]


@pytest.fixture
def unforeseen() -> Any:
    """A receiver that fails on every change of leads, until it is disconnected."""

    def fail(**_: object) -> None:
        raise ZeroDivisionError("a bug\x00")

    leads_changed.connect(fail, weak=False, dispatch_uid="tests.unforeseen")
    yield
    leads_changed.disconnect(dispatch_uid="tests.unforeseen")


def test_an_unforeseen_error_is_noted_and_the_mended_file_starts_anew(
    tmp_path: Path, unforeseen: None
) -> None:
    path = write(tmp_path / "a.csv", "1,a@x.example,A,fair,2026-05-01")
    with pytest.raises(ZeroDivisionError):
        run(path)
    failed = ImportJob.objects.get()
    assert (failed.state, failed.error) == (
        ImportState.FAILED,
        "An unforeseen error: a bug\N{REPLACEMENT CHARACTER}",
    )

    leads_changed.disconnect(dispatch_uid="tests.unforeseen")
    write(path, "1,a@x.example,Mended,fair,2026-05-01")
    run(path)

    assert Lead.objects.get().last_name == "Mended"
    assert ImportJob.objects.order_by("-pk")[0].state == ImportState.DONE


def test_a_file_that_was_not_changed_goes_on_where_it_stopped(
    tmp_path: Path, unforeseen: None
) -> None:
    path = write(tmp_path / "a.csv", "1,a@x.example,A,fair,2026-05-01", header=HEADER)
    with pytest.raises(ZeroDivisionError):
        run(path)

    leads_changed.disconnect(dispatch_uid="tests.unforeseen")
    run(path)

    assert ImportJob.objects.get().state == ImportState.DONE
