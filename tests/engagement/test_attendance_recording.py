"""Recording a long list: in steps, so that nobody waits for it, and further after a trouble."""

from __future__ import annotations

from pathlib import Path

import pytest

from engagement.enums import UploadState
from engagement.models import AttendanceRow, Event
from tests.engagement.attendance import check, record, results
from tests.engagement.content import make_webinar
from tests.engagement.locked import locked
from tests.factories import make_lead

pytestmark = pytest.mark.django_db


def list_of(count: int) -> str:
    """Return a list of ``count`` leads who registered."""
    addresses = [make_lead().email for _ in range(count)]
    return "email,status\n" + "".join(f"{address},registered\n" for address in addresses)


def test_a_list_that_fails_keeps_what_was_recorded_before_and_can_be_had_again(
    tmp_path: Path,
) -> None:
    """Red when the whole list is one transaction: nothing is recorded."""
    webinar, text = make_webinar(), list_of(120)
    upload = check(webinar, tmp_path, text)
    AttendanceRow.objects.filter(upload=upload, line=121).update(status="NONSENSE")

    record(upload)

    assert (upload.state, Event.objects.count()) == (UploadState.FAILED, 100)
    assert "stay recorded" in upload.error
    assert [result for _, result in results(upload)].count("DONE") == 100
    record(check(webinar, tmp_path, text))
    assert Event.objects.count() == 120


@pytest.mark.django_db(transaction=True)
def test_a_list_that_the_database_did_not_finish_goes_on_by_itself(tmp_path: Path) -> None:
    """Red when any error is for good."""
    upload = check(make_webinar(), tmp_path, list_of(2))

    with locked("engagement_event_key"):
        record(upload)
    assert (upload.state, Event.objects.count()) == (UploadState.QUEUED, 0)

    record(upload)

    assert (upload.state, Event.objects.count()) == (UploadState.RECORDED, 2)


def test_a_time_that_nobody_tracked_at_is_told_at_its_line(tmp_path: Path) -> None:
    """Red without the bound: the list fails when it is recorded, and says no line."""
    email = make_lead().email
    text = f"email,status,joined_at\n{email},yes,1900-01-01\n{email},yes,2000-01-01T00:00Z\n"

    upload = check(make_webinar(), tmp_path, text)
    record(upload)

    assert results(upload) == [(2, "REFUSED"), (3, "DONE")]
    assert upload.rows.get(line=2).reason == "joined_at: lies before the year 2000"
    assert upload.state == UploadState.RECORDED
