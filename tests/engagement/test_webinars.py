"""Who is on the list of a webinar, and how that becomes known."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from crm.accounts.enums import Role
from engagement.attendance_reading import suggest_columns
from engagement.enums import EventKind, UploadState
from engagement.figures import WebinarFigures, webinar_figures
from engagement.models import AttendanceRow, AttendanceUpload, Event, Webinar
from engagement.services import attendance_uploads as uploads
from engagement.services.webinars import NotOver, create_webinar, mark_no_shows
from engagement.slices import STEPS, Slice, Subject, slice_q
from leads.importing.reading import FileRefused
from leads.models import Lead
from leads.services import merge_leads
from tests.engagement.attendance import check, record, results
from tests.engagement.content import make_asset, make_offer, make_webinar
from tests.engagement.inbox import absorb, message
from tests.factories import NOW, client_of, make_lead, make_user

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
LIST = """E-mail address,Full name,Attended,Join time,Duration (minutes)
ada@example.com,Ada Byron,Yes,2026-05-11 11:02,44.5
bo@example.com,Bo Ek,No,,
new@example.com,Nora Nyberg,Yes,2026-05-11T09:05:00+00:00,12 min
no address,X,Yes,,
ada@example.com,Ada Byron,Yes,,
eve@example.com,Eve,perhaps,,
zed@example.com,Zed,Yes,2026-05-13 10:00,
"""


def acts() -> list[tuple[str | None, str]]:
    found = Event.objects.order_by("lead__email", "kind")
    return list(found.values_list("lead__email", "kind"))


def two_leads() -> Webinar:
    for email in ("ada@example.com", "bo@example.com"):
        make_lead(email=email)
    return make_webinar(slug="may")


def test_checking_a_list_says_what_it_would_do_and_records_nothing(tmp_path: Path) -> None:
    webinar = two_leads()

    upload = check(webinar, tmp_path, LIST)

    assert results(upload) == [
        (2, "READY"), (3, "READY"), (4, "UNKNOWN"), (5, "REFUSED"), (6, "KNOWN"),
        (7, "REFUSED"), (8, "REFUSED"),
    ]  # fmt: skip
    reasons = dict(upload.rows.values_list("line", "reason"))
    assert reasons[5] == "email: 'no address' is no e-mail address"
    assert reasons[6] == "Line 2 says the same"
    assert reasons[7] == "status: 'perhaps' is neither registered, attended nor no-show"
    assert reasons[8] == "joined_at: lies in the future"
    assert acts() == []
    assert Lead.objects.count() == 2


def test_recording_a_list_records_its_good_lines(tmp_path: Path) -> None:
    webinar = two_leads()

    upload = check(webinar, tmp_path, LIST)
    record(upload)

    assert acts() == [
        ("ada@example.com", "WEBINAR_ATTENDED"),
        ("bo@example.com", "WEBINAR_NO_SHOW"),
    ]
    ada = Event.objects.get(kind=EventKind.WEBINAR_ATTENDED)
    assert ada.properties == {"minutes": 44, "webinar": "may"}
    assert ada.occurred_at == datetime(2026, 5, 11, 11, 2, tzinfo=ZoneInfo("Europe/Berlin"))
    assert (ada.asset_id, ada.received_at) == (webinar.asset_id, NOW)
    assert Event.objects.get(lead__email="bo@example.com").occurred_at == webinar.starts_at
    assert results(upload)[:3] == [(2, "DONE"), (3, "DONE"), (4, "UNKNOWN")]
    assert (upload.state, upload.recorded_at) == (UploadState.RECORDED, NOW)


def test_people_we_do_not_know_become_leads_when_asked(tmp_path: Path) -> None:
    webinar = two_leads()

    upload = check(webinar, tmp_path, LIST, captures=True)
    assert results(upload)[2] == (4, "NEW_LEAD")
    record(upload)

    lead = Lead.objects.get(email="new@example.com")
    assert (lead.first_name, lead.last_name, lead.source) == ("Nora", "Nyberg", "webinar")
    assert results(upload)[2] == (4, "CAPTURED")
    assert Event.objects.get(lead=lead).properties["minutes"] == 12


def test_the_same_list_again_changes_nothing(tmp_path: Path) -> None:
    webinar = two_leads()
    record(check(webinar, tmp_path, LIST, captures=True))
    before = (acts(), Lead.objects.count())

    again = check(webinar, tmp_path, LIST, captures=True)
    assert [result for _, result in results(again)][:3] == ["KNOWN", "KNOWN", "KNOWN"]
    record(again)

    assert (acts(), Lead.objects.count()) == before


def test_a_list_again_after_its_leads_were_merged_changes_nothing(tmp_path: Path) -> None:
    webinar = two_leads()
    record(check(webinar, tmp_path, LIST))
    ada, bo = Lead.objects.order_by("email")
    mira = make_user(Role.MARKETER)
    merge_leads(survivor_id=bo.pk, merged_id=ada.pk, actor=mira, now=NOW)
    checked = check(webinar, tmp_path, LIST)
    assert [result for _, result in results(checked)][:2] == ["KNOWN", "KNOWN"]

    before_merging = check(webinar, tmp_path, LIST)
    AttendanceRow.objects.filter(upload=before_merging, line__lte=3).update(result="READY")
    record(before_merging)

    assert acts() == [
        ("bo@example.com", "WEBINAR_ATTENDED"), ("bo@example.com", "WEBINAR_NO_SHOW"),
    ]  # fmt: skip


def test_two_lists_checked_before_either_is_recorded_record_once(tmp_path: Path) -> None:
    webinar = two_leads()
    first, second = (check(webinar, tmp_path, LIST, captures=True) for _ in range(2))

    record(first)
    record(second)

    assert len(acts()) == 3
    assert [result for _, result in results(second)][:3] == ["KNOWN", "KNOWN", "KNOWN"]


def test_a_list_is_recorded_once_and_only_when_somebody_said_so(tmp_path: Path) -> None:
    upload = check(two_leads(), tmp_path, LIST)
    uploads.record_queued_uploads(now=NOW)
    assert acts() == []

    record(upload)
    assert not uploads.queue_upload(upload_id=upload.pk)
    uploads.record_queued_uploads(now=NOW + HOUR)

    assert len(acts()) == 2
    assert upload.recorded_at == NOW


def test_lines_that_are_recorded_in_one_step_are_recorded_all_or_none(tmp_path: Path) -> None:
    upload = check(two_leads(), tmp_path, LIST)
    AttendanceRow.objects.filter(upload=upload, line=3).update(status="NONSENSE")

    record(upload)

    assert upload.state == UploadState.FAILED
    assert acts() == []


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "empty"),
        ("Name,Came\nAda,Yes\n", "No column looks like the email. .* there are Name, Came"),
        ("email\nada@example.com\n", "No column looks like the status"),
    ],
)
def test_a_list_without_its_columns_is_refused(text: str, why: str, tmp_path: Path) -> None:
    with pytest.raises(FileRefused, match=why):
        check(make_webinar(), tmp_path, text)

    assert not AttendanceUpload.objects.exists()


def test_columns_can_be_named(tmp_path: Path) -> None:
    webinar = two_leads()
    text = "Wer;War da\nada@example.com;yes\n"

    upload = check(webinar, tmp_path, text, email="Wer", status="War da")

    assert results(upload) == [(2, "READY")]
    with pytest.raises(FileRefused, match="There is no column 'Was'"):
        check(webinar, tmp_path, text, email="Was", status="War da")


def test_a_list_that_is_too_long_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    lines = "".join(f"p{n}@example.com,yes\n" for n in range(uploads.MOST_LINES + 1))

    with pytest.raises(FileRefused, match="20,000"):
        check(make_webinar(), tmp_path, f"email,attended\n{lines}")

    assert not AttendanceRow.objects.exists()


def test_a_list_of_too_many_strangers_makes_no_leads_of_them(tmp_path: Path) -> None:
    webinar = make_webinar()
    lines = "".join(f"p{n}@example.com,yes\n" for n in range(uploads.MOST_NEW_LEADS + 1))

    with pytest.raises(FileRefused, match="Import them as leads first"):
        check(webinar, tmp_path, f"email,attended\n{lines}", captures=True)
    assert not AttendanceUpload.objects.exists()

    assert check(webinar, tmp_path, f"email,attended\n{lines}").state == UploadState.CHECKED


def test_nobody_has_come_before_it_began(tmp_path: Path) -> None:
    make_lead(email="ada@example.com")
    webinar = make_webinar(starts_at=NOW + HOUR)
    text = "email,status\nada@example.com,registered\nada@example.com,attended\n"

    upload = check(webinar, tmp_path, text)
    record(upload)

    assert results(upload) == [(2, "DONE"), (3, "REFUSED")]
    assert Event.objects.get().occurred_at == NOW
    with pytest.raises(NotOver):
        mark_no_shows(webinar_id=webinar.pk, now=NOW)


def test_columns_are_found_by_their_names() -> None:
    assert suggest_columns(["Registration Time", "User Email", "Time in session (minutes)"]) == {
        "email": "User Email", "minutes": "Time in session (minutes)",
    }  # fmt: skip
    assert suggest_columns(["status", "Attended"]) == {"status": "status"}


def test_who_registered_and_is_not_known_to_have_come_is_marked_once() -> None:
    webinar = make_webinar(slug="may", starts_at=NOW - HOUR)
    for name in ("ada", "bo", "cy", "dee"):
        make_lead(email=f"{name}@example.com")
        track("Webinar Registered", name, webinar="may")
    track("Webinar Attended", "ada", webinar="may")
    track("Webinar Missed", "dee", webinar="may")
    other = make_webinar(slug="june", asset=webinar.asset)
    track("Webinar Registered", "ada", webinar="june")

    assert mark_no_shows(webinar_id=webinar.pk, now=NOW) == 2
    assert mark_no_shows(webinar_id=webinar.pk, now=NOW) == 0

    assert webinar_figures([webinar.pk, other.pk]) == {
        webinar.pk: WebinarFigures(listed=4, attended=1, no_show=3),
        other.pk: WebinarFigures(listed=1, unanswered=1),
    }


def test_who_came_after_all_is_no_no_show(tmp_path: Path) -> None:
    webinar = two_leads()
    record(check(webinar, tmp_path, "email,status\nada@example.com,no\n"))
    record(check(webinar, tmp_path, "email,status\nada@example.com,yes\n"))

    assert webinar_figures([webinar.pk])[webinar.pk] == WebinarFigures(listed=1, attended=1)
    counts = [
        Lead.objects.filter(slice_q(Slice(Subject.WEBINAR, webinar, step))).count()
        for step in STEPS[Subject.WEBINAR]
    ]
    assert counts == [1, 1, 0, 0]


def test_a_webinar_has_an_asset_of_its_own_unless_it_is_given_one() -> None:
    made = create_webinar(
        name="OEE live", slug="oee-live", starts_at=NOW, time_zone="Europe/Berlin", asset=None
    )
    assert (made.asset.slug, made.asset.kind) == ("oee-live", "WEBINAR")

    asset = make_asset()
    series = create_webinar(
        name="OEE", slug="oee-2", starts_at=NOW, time_zone="Europe/Berlin", asset=asset
    )
    assert series.asset == asset


def test_a_webinar_is_made_and_moved_by_its_form() -> None:
    client = client_of(make_user(Role.MARKETER, time_zone="Europe/Berlin"))
    said = {"name": "OEE live", "starts_at": "2026-06-02T16:00", "time_zone": "Europe/London"}

    client.post("/content/webinars/add/", said)
    made = Webinar.objects.get()
    assert made.starts_at == datetime(2026, 6, 2, 16, 0, tzinfo=ZoneInfo("Europe/London"))
    assert 'value="2026-06-02T16:00"' in page(client, "/content/webinars/oee-live/edit/")

    client.post("/content/webinars/oee-live/edit/", {**said, "starts_at": "2026-06-03T16:00"})
    made.refresh_from_db()
    assert made.starts_at == datetime(2026, 6, 3, 16, 0, tzinfo=ZoneInfo("Europe/London"))
    assert client.post("/content/webinars/add/", said).status_code == 422


def test_an_hour_is_read_by_the_clock_of_the_webinar_only() -> None:
    """Red when it is read by the clock of the user first, who has no such hour."""
    client = client_of(make_user(Role.MARKETER, time_zone="Europe/Berlin"))
    said = {"name": "Early", "starts_at": "2026-03-29T02:30", "time_zone": "Asia/Tokyo"}

    client.post("/content/webinars/add/", said)

    made = Webinar.objects.get()
    assert made.starts_at == datetime(2026, 3, 29, 2, 30, tzinfo=ZoneInfo("Asia/Tokyo"))
    skipped = client.post("/content/webinars/add/", {**said, "time_zone": "Europe/Berlin"})
    assert skipped.status_code == 422
    assert "2026-03-29 02:30:00 couldn" in skipped.content.decode()


def test_a_webinar_of_a_time_that_no_act_can_have_is_refused() -> None:
    """Red without the bound: it is made, and no list of it can be recorded."""
    client = client_of(make_user(Role.MARKETER))
    said = {"name": "Old", "starts_at": "1900-01-01T10:00", "time_zone": "Europe/Berlin"}

    answer = client.post("/content/webinars/add/", said)

    assert answer.status_code == 422
    assert "Give a time from the year 2000 on." in answer.content.decode()


def test_the_way_from_the_list_to_the_figures() -> None:
    client = client_of(make_user(Role.MARKETER))
    two_leads()
    file = SimpleUploadedFile("came.csv", LIST.encode())

    checked = client.post("/content/webinars/may/list/", {"file": file}, follow=True)
    assert "Nothing is recorded yet" in checked.content.decode()
    upload = AttendanceUpload.objects.get()
    client.post(f"/content/attendance/{upload.pk}/record/")
    assert "Being recorded" in page(client, f"/content/attendance/{upload.pk}/")
    uploads.record_queued_uploads(now=NOW)

    refused = page(client, f"/content/attendance/{upload.pk}/?result=REFUSED")
    assert "is no e-mail address" in refused
    assert "ada@example.com" not in refused
    csv = client.get(f"/content/attendance/{upload.pk}/lines.csv").getvalue().decode()
    assert csv.splitlines()[1] == "2,ada@example.com,ATTENDED,Recorded,"
    assert "Upload" in page(client, "/content/webinars/may/")


def test_a_file_that_cannot_be_read_is_told_at_its_field() -> None:
    client = client_of(make_user(Role.MARKETER))
    make_webinar(slug="may")

    answer = client.post(
        "/content/webinars/may/list/", {"file": SimpleUploadedFile("a.csv", b"Name\nAda\n")}
    )

    assert answer.status_code == 422
    assert "No column looks like the email" in answer.content.decode()


@pytest.mark.parametrize("address", ["/content/webinars/", "/content/offers/"])
def test_a_list_asks_as_often_for_three_as_for_one(
    address: str, django_assert_num_queries: Any
) -> None:
    client = client_of(make_user(Role.MARKETER))
    make_webinar()
    make_offer()
    client.get(address)
    with CaptureQueriesContext(connection) as one:
        client.get(address)
    for _ in range(2):
        make_webinar()
        make_offer()

    with django_assert_num_queries(len(one)):
        client.get(address)


def page(client: Client, address: str) -> str:
    return client.get(address).content.decode()


def track(event: str, name: str, **properties: Any) -> None:
    number = Event.objects.count()
    body = {"type": "track", "event": event, "anonymousId": name, "properties": properties}
    traits = {"userAgent": "x", "traits": {"email": f"{name}@example.com"}}
    absorb(
        message(f"m-{number}", NOW - 2 * HOUR, **{**body, "context": traits}),
        source="operator",
        now=NOW - HOUR,
    )
