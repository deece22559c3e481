"""Handing out files: who gets what, what is recorded, and what an old link still does."""

from __future__ import annotations

import io
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from crm.common.models import OutboxMessage
from crm.common.outbox import dispatch_outbox
from engagement.classify import classify
from engagement.enums import Actor, EventKind
from engagement.models import Asset, AssetFile, Event
from engagement.services import download_url, record_event
from engagement.services.downloads import LINK_LASTS, SAME_DOWNLOAD, record_download, ticket_of
from engagement.services.files import LARGEST, FileUnfit, keep_file
from tests.engagement.content import PDF, make_asset, make_file
from tests.engagement.inbox import CHROME
from tests.factories import NOW, make_lead

pytestmark = pytest.mark.django_db

BROWSER = {"User-Agent": CHROME}
MACHINE = {"User-Agent": "Barracuda Sentinel"}
OLD = LINK_LASTS + timedelta(minutes=1)


@pytest.fixture(autouse=True)
def shelf(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


def zipped(*names: str, **contents: bytes) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for name in names:
            archive.writestr(name, contents.get(name, b"x"))
    return held.getvalue()


def path_of(link: str) -> str:
    return link.removeprefix("http://localhost:8000")


def link_for(asset: Asset, age: timedelta = timedelta(0)) -> str:
    return path_of(download_url(asset=asset, lead_id=make_lead().pk, now=timezone.now() - age))


def fetch(link: str, headers: dict[str, str] = BROWSER) -> bytes:
    answer = Client(headers=headers).get(link)
    return answer.getvalue()


def downloads() -> list[tuple[str, str]]:
    found = Event.objects.filter(kind=EventKind.DOWNLOAD).order_by("occurred_at", "id")
    return list(found.values_list("asset__slug", "actor"))


def test_a_link_hands_out_the_file_and_records_it() -> None:
    asset = make_asset(slug="plan")
    make_file(asset, name="Der erste Plan.PDF.html")

    answer = Client(headers=BROWSER).get(link_for(asset))

    assert answer.getvalue() == PDF
    assert answer["Content-Type"] == "application/pdf"
    assert answer["Content-Disposition"] == 'attachment; filename="Der erste Plan.PDF.pdf"'
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert "no-store" in answer["Cache-Control"]
    assert downloads() == [("plan", "HUMAN")]


def test_a_double_click_is_one_download() -> None:
    asset = make_asset(slug="plan")
    make_file(asset)
    link = link_for(asset)

    for _ in range(2):
        fetch(link)

    assert downloads() == [("plan", "HUMAN")]


def test_the_same_file_later_is_another_download() -> None:
    asset, lead = make_asset(), make_lead()
    token = path_of(download_url(asset=asset, lead_id=lead.pk, now=NOW)).split("/")[2]
    ticket = ticket_of(token, now=NOW)
    assert ticket

    person = classify(agent=CHROME)
    for after in (timedelta(0), SAME_DOWNLOAD - timedelta(seconds=1), SAME_DOWNLOAD):
        record_download(ticket=ticket, now=NOW + after, verdict=person)

    assert len(downloads()) == 2


def test_a_scanner_hides_no_person_and_a_head_is_nobody() -> None:
    asset = make_asset(slug="plan")
    make_file(asset)
    link = link_for(asset)

    list(Client(headers=BROWSER).head(link))
    assert downloads() == []
    fetch(link, MACHINE)
    fetch(link)

    assert sorted(downloads()) == [("plan", Actor.HUMAN), ("plan", Actor.MACHINE)]


def test_a_replaced_file_is_what_the_old_link_hands_out(shelf: Path) -> None:
    asset = make_asset()
    make_file(asset)
    link = link_for(asset)

    make_file(asset, content=PDF + b"second edition", name="second.pdf")

    assert fetch(link).endswith(b"edition")
    assert AssetFile.objects.get().filename == "second.pdf"


@pytest.mark.django_db(transaction=True)
def test_the_file_before_is_gone_once_the_new_one_is_committed(shelf: Path) -> None:
    asset = make_asset()
    make_file(asset)
    make_file(asset, content=PDF + b"second edition")

    stored = AssetFile.objects.get().stored_as
    assert [path.name for path in (shelf / "assets").iterdir()] == [stored]


def test_an_old_link_offers_a_new_one_which_goes_to_the_leads_own_address() -> None:
    asset = make_asset(name="The plan")
    make_file(asset)
    lead = make_lead(email="ada@example.com")
    old = path_of(
        download_url(
            asset=asset, lead_id=lead.pk, now=timezone.now() - LINK_LASTS - timedelta(seconds=5)
        )
    )

    answer = Client().get(old)
    assert answer.status_code == 410
    assert "Send me a new link" in answer.content.decode()
    for _ in range(2):
        sent = Client().post(f"{old}renew/", follow=True)

    assert "on its way" in sent.content.decode()
    assert "ada@" not in sent.content.decode()
    assert downloads() == []
    assert OutboxMessage.objects.get().payload == {"asset": asset.pk, "lead": lead.pk}
    dispatch_outbox(now=timezone.now())
    [letter] = mail.outbox
    assert letter.to == ["ada@example.com"]
    link = next(line for line in str(letter.body).splitlines() if line.startswith("http"))
    assert fetch(path_of(link)) == PDF


def test_a_new_link_to_a_file_that_was_taken_back_is_not_sent() -> None:
    asset = make_asset()
    make_file(asset)
    Client().post(f"{link_for(asset, age=OLD)}renew/")
    assert OutboxMessage.objects.exists()
    AssetFile.objects.all().delete()

    dispatch_outbox(now=timezone.now())

    assert mail.outbox == []


def test_however_many_links_there_were_one_mail_an_hour_is_sent() -> None:
    """Red when the mails are counted by the link: each look at a page can make another."""
    asset, lead = make_asset(), make_lead()
    old = [
        path_of(download_url(asset=asset, lead_id=lead.pk, now=timezone.now() - OLD))
        for _ in range(3)
    ]
    assert len(set(old)) == 3

    for link in old:
        Client().post(f"{link}renew/")

    hours = {timezone.now().hour, OutboxMessage.objects.latest("pk").created_at.hour}
    assert OutboxMessage.objects.count() <= len(hours)


def test_a_link_that_works_is_not_sent_anew() -> None:
    Client().post(f"{link_for(make_asset())}renew/")

    assert not OutboxMessage.objects.exists()


def test_what_a_hosting_network_fetches_is_a_machines(settings: Any) -> None:
    settings.HOSTING_NETWORKS = ["127.0.0.0/8"]
    asset = make_asset(slug="plan")
    make_file(asset)

    fetch(link_for(asset))

    assert downloads() == [("plan", Actor.MACHINE)]


def test_a_new_link_is_not_sent_by_a_get() -> None:
    link = link_for(make_asset())

    assert Client().get(f"{link}renew/").status_code == 405
    assert not OutboxMessage.objects.exists()


@pytest.mark.parametrize("token", ["x", "a" * 2_000, "gAAAAA"])
def test_a_made_up_link_is_no_page(token: str) -> None:
    assert Client().get(f"/d/{token}/").status_code == 404
    assert Client().post(f"/d/{token}/renew/").status_code == 404


def test_an_asset_whose_file_is_gone_says_so() -> None:
    answer = Client().get(link_for(make_asset()))

    assert answer.status_code == 410
    assert "not there any more" in answer.content.decode()


@pytest.mark.parametrize(
    ("content", "filename"),
    [
        (b"\x89PNG\r\n\x1a\nrest", "plan.png"),
        (zipped("[Content_Types].xml", "word/document.xml"), "plan.docx"),
        (zipped("[Content_Types].xml", "xl/workbook.xml"), "plan.xlsx"),
        (zipped("mimetype", "OEBPS/a.xhtml", mimetype=b"application/epub+zip"), "plan.epub"),
    ],
)
def test_a_file_is_named_after_its_content(content: bytes, filename: str) -> None:
    assert make_file(make_asset(), content, "../plan.exe").filename == filename


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html><script>alert(1)</script>",
        b"MZ\x90\x00",
        b"PK\x03\x04 and no archive",
        zipped("a.txt"),
        zipped("[Content_Types].xml", "word/document.xml", "word/vbaProject.bin"),
        zipped("mimetype", mimetype=b"text/html!!!!!!!!!!!"),
    ],
)
def test_other_content_is_not_handed_out(content: bytes, shelf: Path) -> None:
    with pytest.raises(FileUnfit):
        make_file(make_asset(), content, "plan.pdf")

    assert not (shelf / "assets").exists()


def test_a_file_that_is_too_large_is_refused() -> None:
    upload = SimpleUploadedFile("plan.pdf", PDF)
    upload.size = LARGEST + 1

    with pytest.raises(FileUnfit, match="50 MB"):
        keep_file(asset_id=make_asset().pk, upload=upload, now=NOW, by=None)


def test_an_earlier_event_about_the_asset_hides_no_download() -> None:
    asset, lead = make_asset(slug="plan"), make_lead()
    make_file(asset)
    now = timezone.now()
    record_event(lead_id=lead.pk, kind=EventKind.PAGE_VIEW, occurred_at=now, now=now, asset=asset)

    link = path_of(download_url(asset=asset, lead_id=lead.pk, now=now))
    fetch(link)

    assert downloads() == [("plan", "HUMAN")]
