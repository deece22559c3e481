"""What kind of file it is, by its content: a name or a browser's word proves nothing. Pure."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from typing import IO

from crm.common.archives import UNREADABLE

_OFFICE = "application/vnd.openxmlformats-officedocument"
#: The folder that tells one workbook, text or set of slides in Office Open XML (ECMA-376) from
#: another.
_OFFICE_FOLDERS = {
    "word/": ("docx", f"{_OFFICE}.wordprocessingml.document"),
    "xl/": ("xlsx", f"{_OFFICE}.spreadsheetml.sheet"),
    "ppt/": ("pptx", f"{_OFFICE}.presentationml.presentation"),
}
_STARTS = (
    (b"%PDF-", "pdf", "application/pdf"),
    (b"\x89PNG\r\n\x1a\n", "png", "image/png"),
    (b"\xff\xd8\xff", "jpg", "image/jpeg"),
)
#: A macro runs on the computer of whoever opens the file.
_MACROS = "vbaProject.bin"
#: More than any document has; an archive of more is none.
_MOST_MEMBERS = 5_000
_EPUB = b"application/epub+zip"

KNOWN = "PDF, EPUB, DOCX, XLSX, PPTX, PNG or JPEG"


@dataclass(frozen=True, slots=True)
class FileType:
    """A kind of file: the end of its name, and what browsers call it."""

    suffix: str
    content_type: str


def file_type(file: IO[bytes]) -> FileType | None:
    """Return what ``file`` holds; None for anything that is not among ``KNOWN``."""
    file.seek(0)
    start = file.read(16)
    file.seek(0)
    for mark, suffix, content_type in _STARTS:
        if start.startswith(mark):
            return FileType(suffix, content_type)
    return _zipped(file) if start.startswith(b"PK\x03\x04") else None


def _zipped(file: IO[bytes]) -> FileType | None:
    """Return which kind of document a ZIP archive is; nothing is unpacked."""
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
            names = [member.filename for member in members]
            first = members[0] if members else None
            if first and first.filename == "mimetype" and first.file_size == len(_EPUB):
                found = archive.read(first)
                return FileType("epub", "application/epub+zip") if found == _EPUB else None
    except UNREADABLE:
        return None
    finally:
        file.seek(0)
    if len(names) > _MOST_MEMBERS or any(name.endswith(_MACROS) for name in names):
        return None
    if "[Content_Types].xml" not in names:
        return None
    for folder, (suffix, content_type) in _OFFICE_FOLDERS.items():
        if any(name.startswith(folder) for name in names):
            return FileType(suffix, content_type)
    return None
