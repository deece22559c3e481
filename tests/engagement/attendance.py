"""Lists of attendance, checked and recorded."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from engagement.models import AttendanceUpload, Webinar
from engagement.services import attendance_uploads as uploads
from tests.factories import NOW


def check(
    webinar: Webinar, tmp_path: Path, text: str, *, captures: bool = False, **columns: str
) -> AttendanceUpload:
    path = tmp_path / "list.csv"
    path.write_text(text)
    return uploads.check_list(
        webinar=webinar, path=path, filename="list.csv", columns=columns,
        captures_unknown=captures, now=NOW, by=None,
    )  # fmt: skip


def record(upload: AttendanceUpload, now: datetime = NOW) -> None:
    uploads.queue_upload(upload_id=upload.pk)
    uploads.record_queued_uploads(now=now)
    upload.refresh_from_db()


def results(upload: AttendanceUpload) -> list[tuple[int, str]]:
    return list(upload.rows.order_by("line").values_list("line", "result"))
