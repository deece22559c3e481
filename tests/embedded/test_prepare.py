import threading
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection
from pytest_django import Settings

from crm.demo.company import DOMAIN, LOGINS, PASSWORD
from crm.embedded.location import logins_note
from crm.embedded.management.commands.prepare import alone, is_empty
from leads.models import Lead
from tests.factories import make_lead, make_user


@pytest.fixture
def static(settings: Settings, tmp_path: Path) -> Path:
    """Return a folder of static files, the only one; they are collected beside it."""
    folder = tmp_path / "static"
    folder.mkdir()
    (folder / "a.css").write_text("a {}")
    settings.STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]
    settings.STATICFILES_DIRS = [folder]
    settings.STATIC_ROOT = str(tmp_path / "collected")
    return folder


def prepare(*options: str) -> str:
    output = StringIO()
    call_command("prepare", *options, stdout=output)
    return output.getvalue()


@pytest.mark.django_db(transaction=True)
def test_who_prepares_at_the_same_time_waits_for_its_turn() -> None:
    entered = threading.Event()

    def second() -> None:
        with alone():
            entered.set()
        connection.close()

    with alone():
        thread = threading.Thread(target=second)
        thread.start()
        overtook = entered.wait(0.5)
    thread.join(timeout=10)

    assert not overtook
    assert entered.is_set()


@pytest.mark.django_db
def test_a_database_with_a_person_or_a_lead_is_not_empty() -> None:
    assert is_empty()

    lead = make_lead()
    assert not is_empty()

    lead.delete()
    make_user()
    assert not is_empty()


@pytest.mark.django_db
def test_a_database_in_use_gets_no_demo_company(state: Path, static: Path) -> None:
    make_user()

    prepare("--demo")

    assert Lead.objects.count() == 0
    assert not logins_note().exists()


@pytest.mark.django_db
def test_how_to_log_in_is_noted_for_as_long_as_the_demo_company_is_there(
    state: Path, static: Path
) -> None:
    address = f"{LOGINS[0][1]}@{DOMAIN}"
    person = make_user(email=address)

    prepare()
    assert PASSWORD in logins_note().read_text()
    assert address in logins_note().read_text()

    person.delete()
    prepare()
    assert not logins_note().exists()


@pytest.mark.django_db
def test_static_files_are_collected_only_when_they_changed(state: Path, static: Path) -> None:
    collected = static.parent / "collected"
    collecting = "Collecting static files"

    assert collecting in prepare()
    assert (collected / "a.css").read_text() == "a {}"
    assert collecting not in prepare()

    (static / "b.css").write_text("b {}")
    assert collecting in prepare()
    assert (collected / "b.css").exists()

    (static / "a.css").unlink()
    assert collecting in prepare()
    assert not (collected / "a.css").exists()
