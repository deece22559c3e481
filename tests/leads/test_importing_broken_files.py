"""Files that cannot be read to their end: refused whole, named, and in bounded memory."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest

from leads.enums import ImportState
from leads.importing.reading import FileRefused, open_table
from leads.models import Lead
from tests.leads.importing import HEADER, import_file, write

GOOD = "1,,A,fair,2026-03-01"
#: Cells of 50 MB.
ONE_LINE = "x" * 50_000_000
QUOTED = f'"{"A, B " * 10_000_000}"'
LINES = '"' + "A, B\n" * 10_000_000 + '"'


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "The file is empty"),
        (b"\n\n", "The file is empty"),
        (b"number,number,mail,name,source,seen\n", "names the column 'number' twice"),
        (b"nummer,mail,name,source,seen\n1,,A,f,2026-03-01\n", "no column 'number'"),
        (
            f"{HEADER}\n1,,M\xfcller,f,2026-03-01\n".encode("cp1252"),
            "Line 2, name: the byte 0xFC is not utf-8",
        ),
        (
            f'{HEADER}\n1,,"A\nB",f\xfcr,2026-03-01\n'.encode("cp1252"),
            "Line 3, source: the byte 0xFC is not utf-8",
        ),
        (
            f'{HEADER}\n{GOOD}\n2,,"B,fair,2026-03-01\n3,,C\n'.encode(),
            "Line 3, name: a quote is opened and never closed",
        ),
        (",".join(f"c{n}" for n in range(10_000)).encode(), "10000 columns; 500 is the most"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_whole(
    tmp_path: Path, content: bytes, words: str
) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content)

    job = import_file(path)

    assert job.state == ImportState.FAILED
    assert words in job.error
    assert not Lead.objects.exists()
    assert not job.rows.exists()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("cell", [ONE_LINE, QUOTED, LINES], ids=["plain", "quoted", "lines"])
def test_a_cell_of_50_mb_is_named_in_bounded_memory(
    tmp_path: Path, cell: str, encoding: str
) -> None:
    path = write(tmp_path / "a.csv", GOOD, f"2,,{cell},fair,2026-03-01", encoding=encoding)

    tracemalloc.start()
    with pytest.raises(FileRefused, match="Line 3, name: longer than 4 MB"):
        list(open_table(path, encoding=encoding).lines)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 120 * 2**20


def test_a_first_line_of_50_mb_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", header=ONE_LINE)
    with pytest.raises(FileRefused, match="Line 1: longer than 4 MB"):
        open_table(path)
