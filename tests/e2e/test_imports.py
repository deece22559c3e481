"""An import in a real browser: upload, mapping, dry run, progress, refused lines."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings as django_settings
from django.utils import timezone
from playwright.sync_api import Page, expect

from crm.accounts.enums import Role
from leads.importing.jobs import run_job, run_step
from leads.models import ImportJob, Lead
from tests.e2e.looks import violations
from tests.factories import client_of, make_user

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]

HEADER = "Lead ID,E-Mail,Last name,Source,Created at,Became MQL"
LINES = [
    f"{n},{'nobody' if n == 3 else f'ines{n}@kesterwald.example'},Kallweit {n},Fair,2026-05-01,"
    f"{'2026-05-09' if n == 1 else ''}"
    for n in range(1, 7)
]
STAGES = """{"history": [{"stage": "MQL", "at": {"column": "Became MQL", "format": "%Y-%m-%d"},
 "when": {"column": "Became MQL", "is": ["2026-05-09"]}}]}"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return a file of six leads, of which one has no address."""
    path = tmp_path / "fair.csv"
    path.write_text("\n".join([HEADER, *LINES, ""]), encoding="utf-8")
    return path


@pytest.fixture
def desk(
    page: Page, base_url: str, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Page]:
    """Open the imports as a marketer; whatever breaks the policy fails the test."""
    settings.MEDIA_ROOT = tmp_path / "media"
    monkeypatch.setattr("leads.importing.sql.lines.CHUNK", 2)
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if "Policy" in said.text else None)
    name = django_settings.SESSION_COOKIE_NAME
    session = client_of(make_user(Role.MARKETER)).cookies[name].value
    host = urlsplit(base_url).hostname or ""
    page.context.add_cookies([{"name": name, "value": session, "domain": host, "path": "/"}])
    page.emulate_media(reduced_motion="reduce")
    page.goto("/leads/import/")
    yield page
    assert complaints == []


def assert_accessible(page: Page) -> None:
    """Check the page with axe, and that it fits a desk and a phone."""
    for width in (1440, 360):
        page.set_viewport_size({"width": width, "height": 900})
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    page.set_viewport_size({"width": 1440, "height": 900})


def upload(page: Page, file: Path) -> ImportJob:
    """Send the file and return its draft."""
    page.locator("input[name=file]").set_input_files(file)
    page.get_by_role("button", name="Upload and look").click()
    expect(page.get_by_role("heading", name="What each column is")).to_be_visible()
    return ImportJob.objects.get()


def test_a_file_is_mapped_checked_imported_and_its_refused_lines_fetched(
    desk: Page, file: Path
) -> None:
    assert_accessible(desk)
    job = upload(desk, file)
    assert_accessible(desk)
    desk.get_by_label("Name of the source").fill("fair")
    desk.get_by_label("Past stages, spellings, fixed values").fill(STAGES)
    desk.get_by_role("button", name="Check the file").click()

    expect(desk.get_by_text("Reading the file")).to_be_visible()
    assert_accessible(desk)
    desk.evaluate("window.stayed = true")
    run_step(job_id=job.pk, now=timezone.now())
    expect(desk.get_by_text("Checking, line 0 of 7")).to_be_visible()
    run_job(job_id=job.pk, now=timezone.now())
    expect(desk.get_by_text("6 lines checked, nothing written yet")).to_be_visible()
    assert desk.evaluate("window.stayed"), "the page was loaded again"
    assert not Lead.objects.exists()
    assert_accessible(desk)

    desk.get_by_role("button", name="Import 5 lines").click()
    for done in (0, 3, 5):
        run_step(job_id=job.pk, now=timezone.now())
        expect(desk.get_by_text(f"Importing, line {done} of 7")).to_be_visible()
    run_job(job_id=job.pk, now=timezone.now())
    expect(desk.get_by_text("Imported on")).to_be_visible()
    assert_accessible(desk)
    assert sorted(Lead.objects.values_list("stage", flat=True)) == ["LEAD"] * 4 + ["MQL"]

    with desk.expect_download() as download:
        desk.get_by_role("link", name="Refused lines as CSV").click()
    sent = download.value.path().read_text(encoding="utf-8").splitlines()
    assert sent == [
        f"line,reason,{HEADER}",
        f"4,E-Mail: 'nobody' is not an e-mail address,{LINES[2]}",
    ]


def test_the_refused_lines_are_accessible(desk: Page, file: Path) -> None:
    job = upload(desk, file)
    desk.get_by_label("Name of the source").fill("fair")
    desk.get_by_role("button", name="Check the file").click()
    expect(desk.get_by_text("Reading the file")).to_be_visible()
    run_job(job_id=job.pk, now=timezone.now())
    desk.locator("a[href$='/lines/REFUSED/']").click()
    expect(desk.get_by_text("E-Mail: 'nobody' is not an e-mail address")).to_be_visible()
    assert_accessible(desk)


def test_a_mapping_that_cannot_be_used_says_so_beside_its_field(desk: Page, file: Path) -> None:
    upload(desk, file)
    desk.get_by_label("Name of the source").fill("fair")
    desk.get_by_label("Past stages, spellings, fixed values").fill('{"history": {}}')
    desk.get_by_role("button", name="Check the file").click()
    expect(desk.get_by_role("alert")).to_contain_text("history needs a list.")
    assert_accessible(desk)


def test_a_file_that_cannot_be_read_says_so(desk: Page, tmp_path: Path) -> None:
    broken = tmp_path / "broken.csv"
    broken.write_text('a,b\n1,"2\n3,4\n', encoding="utf-8")
    desk.locator("input[name=file]").set_input_files(broken)
    desk.get_by_role("button", name="Upload and look").click()
    expect(desk.get_by_text("Line 2, b: a quote is opened and never closed.")).to_be_visible()
    assert_accessible(desk)
