"""Opening a file: CSV or XLSX, line by line, in constant memory for CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import IO, Any

from crm.common.csv import as_typed
from leads.importing.sheet_sizes import WorkbookRefused, check_sizes

LONGEST_CELL = 20_000
MOST_COLUMNS = 500
_LONGEST_NAME = 200
#: What the parser may hold of one line or cell: it takes up to seven times as much memory, and an
#: unclosed quote swallows the rest of the file.
_PARSER_LIMIT = 4 * 2**20
_TOO_LONG = "longer than 4 MB."
_LARGEST_WORKBOOK = 100 * 2**20
_DELIMITERS = ",;\t|"


class FileRefused(ValueError):
    """The file as a whole cannot be read; the message names the line and says what to do."""


@dataclass(frozen=True)
class Line:
    """One row: its line number in the file, its cells, and what is wrong with its form."""

    number: int
    cells: list[str]
    problem: str = ""


@dataclass(frozen=True)
class Table:
    """A header and the lines below it; the lines are read once, as they are asked for."""

    header: list[str]
    lines: Iterator[Line]


def open_table(path: Path, *, encoding: str = "utf-8", delimiter: str = "") -> Table:
    """Return the table in ``path``.

    Raises:
        FileRefused: gone, empty, not of the encoding, no workbook, or without a usable header. The
            lines raise it too, where a quote is never closed or bytes are not of the encoding.
    """
    if not path.is_file():
        raise FileRefused("The file is gone: upload it again.")
    suffix = path.suffix.lower()
    if suffix in (".xls", ".xlsb", ".ods"):
        raise FileRefused("This kind of workbook is not read: save it as XLSX or CSV.")
    if suffix in (".xlsx", ".xlsm"):
        rows = _workbook_rows(path)
    else:
        rows = _csv_rows(path, encoding, delimiter)
    header_line, header = next(rows, (0, []))
    names = [as_typed(name).strip() for name in header]
    _check_header(names, header_line)
    return Table(
        names, (_line(number, list(map(as_typed, cells)), names) for number, cells in rows)
    )


def _check_header(names: list[str], line: int) -> None:
    if not any(names):
        raise FileRefused("The file is empty: its first line must name the columns.")
    if len(names) > MOST_COLUMNS:
        raise FileRefused(f"Line {line} names {len(names)} columns; {MOST_COLUMNS} is the most.")
    for name in names:
        if len(name) > _LONGEST_NAME:
            raise FileRefused(f"Line {line} names a column with {len(name):,} characters.")
        if "\x00" in name:
            raise FileRefused(f"Line {line} names a column {name!r}: this is not a text file.")
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        raise FileRefused(f"Line {line} names the column {twice[0]!r} twice.")


def _line(number: int, cells: list[str], names: list[str]) -> Line:
    """Return the line, its cells made storable and its form judged."""
    if len(cells) != len(names):
        return Line(
            number,
            [_storable(cell) for cell in cells[:MOST_COLUMNS]],
            f"has {len(cells)} cells where the header names {len(names)} columns",
        )
    for name, cell in zip(names, cells, strict=True):
        if len(cell) > LONGEST_CELL:
            problem = f"{name}: {len(cell):,} characters; {LONGEST_CELL:,} is the most"
            return Line(number, [_storable(cell) for cell in cells], problem)
        if "\x00" in cell:
            return Line(
                number, [_storable(cell) for cell in cells], f"{name}: holds a NUL character"
            )
    return Line(number, cells)


def _storable(cell: str) -> str:
    """Return what the database can keep of a cell, for the list of refused lines."""
    return cell[:1000].replace("\x00", "\ufffd")


class _LineBroken(Exception):
    """A line cannot be taken: its number, why, and its text up to there."""

    def __init__(self, number: int, why: str, text: str) -> None:
        super().__init__(number, why)
        self.number, self.why, self.text = number, why, text


def _csv_rows(path: Path, encoding: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    csv.field_size_limit(_PARSER_LIMIT)
    started, used, names, opening = 1, delimiter, list[str](), list[str]()
    with path.open("rb") as file:
        lines = _decoded(file, encoding)
        try:
            first = next(lines, "")
            used = delimiter or max(_DELIMITERS, key=first.count)
            reader = csv.reader(_noted(_chain(first, lines), opening), delimiter=used, strict=True)
            for cells in reader:
                opening.clear()
                if cells:
                    names = names or cells
                    yield started, cells
                started = reader.line_num + 1
        except _LineBroken as error:
            column = _open_column("".join(opening) + error.text, used, names)
            raise _refused(error.number, column, error.why) from error
        except csv.Error as error:
            raise _refused(
                started, _open_column("".join(opening), used, names), _why(error)
            ) from error


def _noted(lines: Iterator[str], opening: list[str]) -> Iterator[str]:
    """Yield the lines; ``opening`` holds those since it was emptied."""
    for line in lines:
        opening.append(line)
        yield line


def _open_column(text: str, delimiter: str, names: list[str]) -> str:
    """Return the name of the column in which ``text`` breaks off, empty where none has one."""
    try:
        cells = next(csv.reader([text[:_PARSER_LIMIT]], delimiter=delimiter or ","), [])
    except csv.Error:
        return ""
    return names[len(cells) - 1] if 0 < len(cells) <= len(names) else ""


def _refused(line: int, column: str, why: str) -> FileRefused:
    return FileRefused(f"Line {line}, {column}: {why}" if column else f"Line {line}: {why}")


def _why(error: csv.Error) -> str:
    if "field limit" in str(error):
        return f"longer than {_PARSER_LIMIT >> 20} MB, or a quote that is never closed."
    if "unexpected end" in str(error):
        return "a quote is opened and never closed."
    return f"{error}."


def _chain(first: str, rest: Iterator[str]) -> Iterator[str]:
    yield first
    yield from rest


def _decoded(file: IO[bytes], encoding: str) -> Iterator[str]:
    """Yield the lines as text; a byte that is none of the encoding is named with its line."""
    if encoding == "utf-16":
        yield from _decoded_utf16(file)
        return
    for number, raw in enumerate(iter(lambda: file.readline(_PARSER_LIMIT), b""), start=1):
        bare = raw.removeprefix(b"\xef\xbb\xbf") if number == 1 else raw
        if len(raw) == _PARSER_LIMIT:
            raise _LineBroken(number, _TOO_LONG, bare.decode(encoding, "replace"))
        try:
            yield bare.decode(encoding)
        except UnicodeDecodeError as error:
            why = (
                f"the byte 0x{bare[error.start]:02X} is not {encoding}. "
                "Save the file as UTF-8, or name its encoding (such as cp1252) in the mapping."
            )
            raise _LineBroken(number, why, bare[: error.start].decode(encoding)) from error


def _decoded_utf16(file: IO[bytes]) -> Iterator[str]:
    number = 0
    try:
        with io.TextIOWrapper(file, encoding="utf-16", newline="") as text:
            for line in iter(lambda: text.readline(_PARSER_LIMIT), ""):
                if len(line) == _PARSER_LIMIT:
                    raise _LineBroken(number + 1, _TOO_LONG, line)
                number += 1
                yield line
    except UnicodeError as error:
        raise FileRefused(f"Line {number + 1}: the bytes are not utf-16.") from error


def _workbook_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows of the first sheet; of a formula, the value its program last computed."""
    import python_calamine  # noqa: PLC0415 -- slow import

    if path.stat().st_size > _LARGEST_WORKBOOK:
        raise FileRefused("The workbook is larger than 100 MB: save it as CSV, which is streamed.")
    try:
        check_sizes(path)
        sheet = python_calamine.CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0)
    except WorkbookRefused as error:
        raise FileRefused(str(error)) from error
    except (python_calamine.CalamineError, OSError) as error:
        raise FileRefused(f"This is not a workbook that can be read: {error}.") from error
    for number, cells in enumerate(sheet.iter_rows(), start=1):
        # Most are texts; a call for each of them would take longer than the reading.
        texts = [cell if type(cell) is str else _cell_text(cell) for cell in cells]
        if any(texts):
            yield number, texts


def _cell_text(cell: Any) -> str:
    """Return a typed cell as the text a CSV would hold."""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime) and cell.time() == time.min:
        return cell.date().isoformat()
    if isinstance(cell, date | time):
        return cell.isoformat(sep=" ") if isinstance(cell, datetime) else cell.isoformat()
    return str(cell)
