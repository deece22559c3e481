"""How far the sheets of a workbook reach, found in a stream before a reader makes room for them.

The reader lays a sheet out as a rectangle up to its furthest row and column: two cells in opposite
corners take 549 GB. So nothing is believed here that the file merely states about itself.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from xml.parsers import expat

from crm.common.archives import UNREADABLE

#: What spreadsheet programs know themselves.
MOST_ROWS = 2**20
MOST_SHEET_COLUMNS = 2**14
#: The reader takes about 32 bytes for each.
MOST_CELLS = 10_500_000
#: What a workbook unpacks to has to fit into memory.
LARGEST_UNPACKED = 2**29
#: Real workbooks shrink to a fifth or a tenth. Our choice, 2026-11.
MOST_SHRUNK = 100
_SHRUNK_FREELY = 10 * 2**20
_PIECE = 2**20
_BROKEN = (*UNREADABLE, expat.ExpatError)

# Nearly every program writes its cells in one form: it takes one search to see that none stands
# outside of a tall or a wide table of a bearable size. Any other sheet is gone over cell by cell.
_TALL = rb"[A-Z]", rb"[1-3]?[0-9]{1,5}"  # 26 columns, 399,999 rows
_WIDE = rb"[A-D]?[A-Z]", rb"[0-9]{1,4}|[1-7][0-9]{4}"  # 130 columns, 79,999 rows
_OTHER_NAME = re.compile(rb":c[\s/>]")
_PLACE = re.compile(r"([A-Za-z]{1,3})([0-9]{1,7})")


class WorkbookRefused(ValueError):
    """The workbook must not be given to a reader; the message says what to do."""


def check_sizes(path: Path) -> None:
    """Return when a reader can be given the workbook in ``path``.

    Every part is looked at: which of them is the first sheet is for the reader to say.

    Raises:
        WorkbookRefused: no workbook, too large when unpacked, or with a cell too far out.
    """
    unpacked = _Unpacked(packed=path.stat().st_size)
    try:
        with zipfile.ZipFile(path) as archive:
            for part in archive.infolist():
                # Read to its end, not to the size that it states.
                part.file_size = LARGEST_UNPACKED + 1
                _check_part(archive, part, unpacked)
    except _BROKEN as error:
        raise WorkbookRefused(f"This is not a workbook that can be read: {error}.") from error


@dataclass
class _Unpacked:
    """How many bytes were unpacked so far, of a file of ``packed`` bytes."""

    packed: int
    size: int = 0

    def add(self, count: int) -> None:
        self.size += count
        is_padded = self.size > max(_SHRUNK_FREELY, MOST_SHRUNK * self.packed)
        if is_padded or self.size > LARGEST_UNPACKED:
            raise WorkbookRefused(
                f"The workbook unpacks to more than {self.size >> 20} MB: save the table as CSV, "
                "which is streamed."
            )


@dataclass
class _Reach:
    """The furthest row and column of a sheet, counted from 1."""

    row: int = 0
    column: int = 0

    def include(self, row: int, column: int) -> None:
        self.row, self.column = max(self.row, row), max(self.column, column)
        is_sheet = self.row <= MOST_ROWS and self.column <= MOST_SHEET_COLUMNS
        if not is_sheet or self.row * self.column > MOST_CELLS:
            raise WorkbookRefused(
                f"A sheet of the workbook reaches to cell {_letters(self.column)}{self.row}; "
                f"{MOST_CELLS:,} cells are the most. Delete what stands far from the table, or "
                "save the table as CSV, which is streamed."
            )


def _check_part(archive: zipfile.ZipFile, part: zipfile.ZipInfo, unpacked: _Unpacked) -> None:
    is_sheet, shapes = False, [_outside(*_TALL), _outside(*_WIDE)]
    with archive.open(part) as file:
        for piece in _pieces(file, unpacked):
            is_sheet = is_sheet or b"sheetData" in piece
            shapes = [outside for outside in shapes if not outside.search(piece)]
            if _OTHER_NAME.search(piece):
                shapes.clear()
    if is_sheet and not shapes:
        with archive.open(part) as file:
            _walk(file)


def _outside(columns: bytes, rows: bytes) -> re.Pattern[bytes]:
    """Return what finds a cell out of these, or one that is not written in the usual form."""
    usual = rb' r="(?:%b)(?:%b)"(?: s="\w*+")?+(?: t="\w*+")?+/?+>' % (columns, rows)
    return re.compile(rb"<c(?!%b)[\s/>]" % usual)


def _pieces(file: IO[bytes], unpacked: _Unpacked) -> Iterator[bytes]:
    """Yield the content in pieces that each begin with a tag, so that none is cut in two."""
    rest = b""
    while read := file.read(_PIECE):
        unpacked.add(len(read))
        last = read.rfind(b"<")
        if last < 0:
            rest += read
            continue
        yield rest + read[:last]
        rest = read[last:]
    yield rest


def _walk(file: IO[bytes]) -> None:
    """Go over the cells one by one, as the reader does."""
    cells = _Cells()
    # UTF-8 whatever the part declares: the reader knows nothing else.
    parser = expat.ParserCreate("UTF-8")
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.StartElementHandler = cells.start
    parser.ParseFile(file)


def _refuse_doctype(*_: object) -> None:
    raise WorkbookRefused("The workbook brings definitions of its own: save the table as CSV.")


class _Cells:
    """Follows the places of cells; one that does not say its own comes after the one before."""

    def __init__(self) -> None:
        self._reach = _Reach()
        self._row = self._column = 0
        self._opened: tuple[int, int] | None = None

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        """Take an opening tag; a cell counts once there is something in it."""
        kind, said = name.rpartition(":")[2], attributes.get("r", "")
        if kind == "row":
            self._row, self._column = _place(f"A{said}")[0] if said else self._row + 1, 0
        elif kind == "c":
            row, column = _place(said) if said else (self._row, self._column + 1)
            self._opened, self._column = (row, column), column
        elif self._opened:
            self._reach.include(*self._opened)
            self._opened = None


def _place(said: str) -> tuple[int, int]:
    """Return row and column of ``B7``, counted from 1."""
    match = _PLACE.fullmatch(said)
    if not match:
        raise WorkbookRefused(
            f"The workbook names a cell {said[:40]!r}, which no sheet has: save the table as CSV."
        )
    return int(match[2]), _column(match[1].encode())


def _column(letters: bytes) -> int:
    """Return the number of column A, B ... Z, AA, counted from 1."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - ord("A") + 1
    return number


def _letters(column: int) -> str:
    letters = ""
    while column:
        column, letter = divmod(column - 1, 26)
        letters = chr(ord("A") + letter) + letters
    return letters
