"""What kind of file it is, by its content alone."""

from __future__ import annotations

import io
import zipfile

import pytest

from engagement.file_types import FileType, file_type

DOCX = FileType("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document")


def packed(*names: str) -> io.BytesIO:
    """Return an archive with empty members."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(name, "")
    return file


def epub() -> bytearray:
    """Return a book whose first member is packed, and where that begins."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/epub+zip")
    return bytearray(file.getvalue())


def test_a_document_is_known_by_its_members() -> None:
    assert file_type(packed("[Content_Types].xml", "word/document.xml")) == DOCX


def test_a_macro_is_found_wherever_it_stands() -> None:
    filler = [f"word/{number}.xml" for number in range(5_000)]

    assert file_type(packed("[Content_Types].xml", *filler, "word/vbaProject.bin")) is None


@pytest.mark.parametrize("packing", [0, 8, 12, 14, 99])
def test_a_damaged_archive_is_no_file_that_is_known(packing: int) -> None:
    book = epub()
    first = 30 + len("mimetype")
    book[first : first + 8] = b"\xff" * 8
    directory = book.index(b"PK\x01\x02")
    book[8:10] = book[directory + 10 : directory + 12] = packing.to_bytes(2, "little")

    assert file_type(io.BytesIO(bytes(book))) is None


def test_a_whole_book_is_known() -> None:
    assert file_type(io.BytesIO(bytes(epub()))) == FileType("epub", "application/epub+zip")
