"""The import pages: the whole way, what is refused, and who may come here."""

from __future__ import annotations

import json
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from crm.accounts.enums import Role
from leads.enums import ImportKind, ImportState
from leads.importing.jobs import run_job
from leads.importing.uploads import remove_old_uploads
from leads.models import Deal, ImportJob, Lead, LeadAttribute
from tests.factories import NOW, client_of, make_user
from tests.leads.import_pages import CHOICES, UPLOAD, page, upload
from tests.leads.importing import MAPPING, import_file, write

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> Path:
    """Keep uploads in the test's own folder."""
    settings.MEDIA_ROOT = tmp_path / "media"
    return tmp_path / "media"


@pytest.fixture
def client() -> Client:
    """Return a marketer's browser."""
    return client_of(make_user(Role.MARKETER))


def test_a_file_goes_the_whole_way(client: Client, media: Path) -> None:
    answer = upload(client)
    job = ImportJob.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, page(job, "import_mapping"))
    assert Path(job.path).parent == media / "imports"
    assert "fair" not in Path(job.path).name

    form = client.get(page(job, "import_mapping")).content.decode()
    assert "a@x.example · b@x.example · no address" in form
    assert client.post(page(job, "import_mapping"), CHOICES).status_code == 302
    waiting = client.get(page(job)).content.decode()
    assert "Reading the file" in waiting
    assert 'hx-trigger="every 1s"' in waiting

    assert run_job(job_id=job.pk, now=NOW).state == ImportState.DONE
    assert not Lead.objects.exists()
    checked = client.get(page(job), headers={"HX-Request": "true"}).content.decode()
    assert "3 lines checked, nothing written yet" in checked
    assert "Import 1 line<" in checked
    assert "hx-trigger" not in checked
    assert "<html" not in checked

    assert client.post(page(job, "import_start")).status_code == 302
    run_job(job_id=job.pk, now=NOW)
    lead = Lead.objects.get()
    assert (lead.email, lead.attributes) == ("a@x.example", {"budget": 500})
    assert LeadAttribute.objects.get().label == "Budget"
    listed = client.get(page(job, "import_lines", result="NEW")).content.decode()
    assert f'href="/leads/{lead.pk}/"' in listed
    assert "Change the mapping" not in client.get(page(job)).content.decode()


def test_refused_lines_are_listed_and_sent_as_csv(client: Client) -> None:
    upload(client)
    job = ImportJob.objects.get()
    client.post(page(job, "import_mapping"), CHOICES)
    run_job(job_id=job.pk, now=NOW)

    listed = client.get(page(job, "import_lines", result="REFUSED")).content.decode()
    sent = b"".join(client.get(page(job, "import_refused")).streaming_content).decode()  # type: ignore[attr-defined]

    assert "Budget: &#x27;many&#x27; is not a number" in listed
    assert sent.splitlines() == [
        "line,reason,Lead ID,E-Mail,Last name,Budget,Created at",
        "3,Budget: 'many' is not a number,2,b@x.example,Brail,many,2026-05-02",
        "4,E-Mail: 'no address' is not an e-mail address,3,no address,Caron,Select,2026-05-03",
    ]


def test_the_csv_of_refused_lines_is_harmless_in_a_spreadsheet(client: Client) -> None:
    upload(client, b"Lead ID,=1+1,Created at\n1,=2+2,2026-05-01\n")
    job = ImportJob.objects.get()
    client.post(
        page(job, "import_mapping"),
        {**CHOICES, "column_1": "last_name", "column_2": "", "column_3": ""},
    )
    run_job(job_id=job.pk, now=NOW)
    sent = b"".join(client.get(page(job, "import_refused")).streaming_content).decode()  # type: ignore[attr-defined]
    assert sent.splitlines() == [
        "line,reason,Lead ID,'=1+1,Created at",
        "2,'=1+1: '=2+2' begins like a formula,1,'=2+2,2026-05-01",
    ]


def test_the_mapping_of_a_page_serves_the_next_file(client: Client) -> None:
    upload(client)
    first = ImportJob.objects.get()
    client.post(page(first, "import_mapping"), CHOICES)
    run_job(job_id=first.pk, now=NOW)
    mapping = client.get(page(first, "import_mapping_file"))
    assert json.loads(mapping.content)["fields"]["attributes.budget"] == "Budget"

    upload(client, mapping=SimpleUploadedFile("m.json", mapping.content))
    second = ImportJob.objects.latest("id")
    shown = client.get(page(second, "import_mapping")).context["form"]
    said = {name: shown.get_initial_for_field(field, name) for name, field in shown.fields.items()}
    client.post(page(second, "import_mapping"), {k: v or "" for k, v in said.items()})

    first.refresh_from_db()
    second.refresh_from_db()
    assert second.state == ImportState.QUEUED
    assert second.mapping == first.mapping


def test_uploads_are_removed_after_30_days_unless_an_import_reads_them(
    client: Client, media: Path
) -> None:
    for _ in range(3):
        upload(client)
    read, forgotten, young = ImportJob.objects.order_by("id")
    client.post(page(read, "import_mapping"), CHOICES)
    month_ago = (NOW - timedelta(days=30, seconds=1)).timestamp()
    for job in (read, forgotten):
        os.utime(job.path, (month_ago, month_ago))
    os.utime(young.path, (month_ago + 2, month_ago + 2))

    assert remove_old_uploads(now=NOW) == 1
    assert remove_old_uploads(now=NOW) == 0

    assert {str(path) for path in media.rglob("*.csv")} == {read.path, young.path}


def test_an_import_whose_file_was_removed_says_so(client: Client) -> None:
    upload(client)
    job = ImportJob.objects.get()
    client.post(page(job, "import_mapping"), CHOICES)
    run_job(job_id=job.pk, now=NOW)
    Path(job.path).unlink()
    client.post(page(job, "import_start"))
    assert run_job(job_id=job.pk, now=NOW).error == "The file is gone: upload it again."


DEALS = b"Deal ID,Lead ID,Status,Closed on,Amount,Owner\n9,1,Won,2026-05-09,1200.50,Ada Vale\n"


def test_deals_go_the_whole_way(client: Client, tmp_path: Path) -> None:
    import_file(write(tmp_path / "a.csv", "1,a@x.example,A,fair,2026-05-01"))
    upload(client, DEALS, kind="DEALS")
    job = ImportJob.objects.latest("id")
    form = client.get(page(job, "import_mapping")).context["form"]
    said = {name: form.get_initial_for_field(field, name) for name, field in form.fields.items()}
    answers = {**{k: v or "" for k, v in said.items()}, "system": "fair", "currency": "EUR"}
    assert client.post(page(job, "import_mapping"), answers).status_code == 302

    run_job(job_id=job.pk, now=NOW)
    client.post(page(job, "import_start"))
    run_job(job_id=job.pk, now=NOW)

    deal = Deal.objects.get()
    assert (deal.outcome, str(deal.value), deal.currency) == ("WON", "1200.50", "EUR")
    assert (deal.owner_name, deal.lead.stage) == ("Ada Vale", "WON")


WORKBOOK = b"PK\x03\x04 this is no workbook"
DEEP = b"[" * 200_000


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("a.csv", b"", "The submitted file is empty."),
        ("a.csv", b"\n\n", "The file is empty"),
        ("a.csv", b",,\n1,2,3\n", "The file is empty"),
        ("a.csv", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "not"),
        ("a.csv", b"\x00,\x00\n", "not a text file"),
        ("a.csv", b"a,a\n1,2\n", "names the column &#x27;a&#x27; twice"),
        ("a.csv", b"x" * 3_000_000, "names a column with 3,000,000 characters"),
        ("a.csv", ",".join(f"c{n}" for n in range(501)).encode(), "500 is the most"),
        ("a.csv", b'a,b\n"1,2\n', "a quote is opened and never closed"),
        ("a.xlsx", WORKBOOK, "not a workbook"),
        ("a.xlsx", b"a,b\n1,2\n", "not a workbook"),
        ("a.exe", b"a,b\n1,2\n", "The name must end with"),
        ("noname", b"a,b\n1,2\n", "The name must end with"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_words(
    client: Client, media: Path, name: str, content: bytes, sentence: str
) -> None:
    answer = upload(client, content, name)
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert not ImportJob.objects.exists()
    assert not list(media.rglob("*.*"))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"{", "This is not JSON"),
        (b"\xff\xfe\x00", "This is not JSON"),
        (DEEP, "This is not JSON"),
        (b"[1]", "mapping needs an object"),
        (b'{"system": "a\\u0000", "key": "Lead ID"}', "holds a character that is no text"),
        (b'{"system": "a\\ud800", "key": "Lead ID"}', "holds a character that is no text"),
        (b'{"system": "a", "key": "Nowhere"}', "The file has no column &#x27;Nowhere&#x27;"),
        (b'{"system": "a", "key": "Lead ID", "colour": NaN}', "colour is not known here"),
        (b" " * 1_100_000, "never larger than 1 MB"),
    ],
)
def test_a_mapping_file_that_cannot_be_used_is_refused_with_words(
    client: Client, media: Path, content: bytes, sentence: str
) -> None:
    answer = upload(client, mapping=SimpleUploadedFile("m.json", content))
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert not ImportJob.objects.exists()
    assert not list(media.rglob("*.*"))


def test_a_form_without_a_file_is_refused(client: Client) -> None:
    assert client.post(UPLOAD, {"kind": "LEADS"}).status_code == 422
    assert upload(client, kind="CATS").status_code == 422


def test_a_file_of_windows_is_read_by_its_own_spelling(client: Client) -> None:
    upload(client, "Name,E-Mail\nJürgen,j@x.example\n".encode("cp1252"))
    upload(client, "Name,E-Mail\nJürgen,j@x.example\n".encode("utf-16"))
    for job in ImportJob.objects.all():
        assert "Jürgen" in client.get(page(job, "import_mapping")).content.decode()


def test_a_stopped_import_goes_on(client: Client, tmp_path: Path) -> None:
    upload(client)
    job = ImportJob.objects.get()
    client.post(page(job, "import_mapping"), CHOICES)

    client.post(page(job, "import_stop"))
    stopped = client.get(page(job)).content.decode()
    assert "Stopped by Person" in stopped
    client.post(page(job, "import_resume"))

    assert run_job(job_id=job.pk, now=NOW).state == ImportState.DONE


def test_stopping_what_is_over_changes_nothing(client: Client, tmp_path: Path) -> None:
    job = import_file(write(tmp_path / "a.csv", "1,a@x.example,A,fair,2026-05-01"))
    for act in ("import_stop", "import_resume", "import_start"):
        assert client.post(page(job, act)).status_code == 302
    job.refresh_from_db()
    assert (job.state, job.is_dry_run) == (ImportState.DONE, False)


def test_the_mapping_of_an_import_that_has_started_stays(client: Client, tmp_path: Path) -> None:
    job = import_file(write(tmp_path / "a.csv", "1,a@x.example,A,fair,2026-05-01"))
    said = {**CHOICES, "key": "number", "created_at": "seen", "column_1": "email"}
    client.post(page(job, "import_mapping"), {**said, "column_2": "", "column_3": ""})
    job.refresh_from_db()
    assert (job.state, job.mapping) == (ImportState.DONE, MAPPING)


def test_a_file_that_is_gone_is_said_and_nothing_breaks(client: Client) -> None:
    upload(client)
    job = ImportJob.objects.get()
    Path(job.path).unlink()
    answer = client.get(page(job, "import_mapping"), follow=True)
    assert "The file is gone: upload it again." in answer.content.decode()
    assert client.get(page(job), follow=True).status_code == 200


@pytest.mark.parametrize("address", ["", "mapping/", "mapping.json", "refused.csv", "lines/NEW/"])
def test_reps_and_strangers_find_no_import(client: Client, tmp_path: Path, address: str) -> None:
    job = import_file(write(tmp_path / "a.csv", "1,a@x.example,A,fair,2026-05-01"))
    url = f"{page(job)}{address}"
    answer = client.get(url)
    assert (answer.status_code, b"".join(answer)[:1] != b"") == (200, True)
    assert client_of(make_user(Role.REP)).get(url).status_code == 404
    assert Client().get(url).status_code == 302


@pytest.mark.parametrize("act", ["start", "stop", "resume"])
def test_reps_and_reading_requests_change_no_import(
    client: Client, tmp_path: Path, act: str
) -> None:
    path = write(tmp_path / "a.csv", "1,a@x.example,A,fair,2026-05-01")
    job = import_file(path, is_dry_run=True)
    url = f"{page(job)}{act}/"
    assert client_of(make_user(Role.REP)).post(url).status_code == 404
    assert client.get(url).status_code == 405
    careful = Client(enforce_csrf_checks=True)
    careful.force_login(make_user(Role.ADMIN), "crm.common.sessions.LoginBackend")
    assert careful.post(url).status_code == 403
    job.refresh_from_db()
    assert (job.state, job.is_dry_run) == (ImportState.DONE, True)


def test_unknown_imports_and_results_do_not_exist(client: Client, tmp_path: Path) -> None:
    job = import_file(write(tmp_path / "a.csv", "1,a@x.example,A,fair,2026-05-01"))
    assert client.get(page(job, "import_lines", result="GREEN")).status_code == 404
    assert client.get("/leads/import/99999999999999999999/").status_code == 404
    assert client.get(f"{page(job, 'import_lines', result='NEW')}?cursor=x").status_code == 200


def test_a_list_of_imports_costs_the_same_for_three_as_for_one(
    client: Client, tmp_path: Path, django_assert_max_num_queries: Any
) -> None:
    for number in range(3):
        import_file(write(tmp_path / f"{number}.csv"), kind=ImportKind.LEADS)
        with django_assert_max_num_queries(8):
            assert client.get(UPLOAD).status_code == 200
