"""The files behind assets: kept under names nobody chose, replaced without breaking a link."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import IO, Any
from uuid import uuid4

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction

from crm.accounts.models import User
from engagement.file_types import KNOWN, FileType, file_type
from engagement.models import Asset, AssetFile

LARGEST = 50 * 2**20
_LONGEST_NAME = 100


class FileUnfit(ValueError):
    """A file cannot be handed out to people; the message says why."""


def keep_file(
    *, asset_id: int, upload: UploadedFile[Any], now: datetime, by: User | None
) -> AssetFile:
    """Put a file behind an asset, in place of the one that is there; links to it go on working.

    Raises:
        FileUnfit: it is empty, too large, or its content is of no kind that is handed out.
    """
    kind = _checked(upload)
    path = _folder() / uuid4().hex
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("xb") as target:
            for chunk in upload.chunks():
                target.write(chunk)
        return _put(
            asset_id,
            {
                "stored_as": path.name,
                "filename": _filename(upload.name or "", kind),
                "content_type": kind.content_type,
                "size": path.stat().st_size,
                "uploaded_at": now,
                "uploaded_by": by,
            },
        )
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def open_file(file: AssetFile) -> IO[bytes]:
    """Return the file's content; whoever reads it goes on reading when it is replaced."""
    return _path(file.stored_as).open("rb")


@transaction.atomic
def _put(asset_id: int, fields: dict[str, Any]) -> AssetFile:
    asset = Asset.objects.select_for_update().get(pk=asset_id)
    former = AssetFile.objects.filter(asset=asset).values_list("stored_as", flat=True).first()
    file, _ = AssetFile.objects.update_or_create(asset=asset, defaults=fields)
    if former:
        transaction.on_commit(lambda: _path(former).unlink(missing_ok=True))
    return file


def _checked(upload: UploadedFile[Any]) -> FileType:
    """Return the kind of an upload that can be handed out."""
    if not upload.size:
        raise FileUnfit("The file is empty.")
    if upload.size > LARGEST:
        raise FileUnfit(f"The file is larger than {LARGEST >> 20} MB.")
    content = upload.file
    kind = file_type(content) if content else None
    if kind is None:
        raise FileUnfit(f"This is no file of a kind that is handed out: {KNOWN}, without macros.")
    return kind


def _filename(name: str, kind: FileType) -> str:
    """Return the name people get the file as: what it was called, with the end it deserves."""
    stem = re.sub(r"[^\w .()-]+", "-", Path(name.replace("\\", "/")).stem).strip(" .-")
    return f"{stem[:_LONGEST_NAME] or 'file'}.{kind.suffix}"


def _folder() -> Path:
    return Path(settings.MEDIA_ROOT) / "assets"


def _path(stored_as: str) -> Path:
    return _folder() / stored_as
