"""The next lines of a job, their cells read through the mapping."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from psycopg.sql import SQL, Composable, Identifier, Literal

from leads.importing.mapping import FileMapping
from leads.importing.rows import FORMULA, SPACES
from leads.importing.sql.tables import any_of, create_table, fault, fetch
from leads.models import ImportJob

CHUNK = 5000
_LAST = """
    SELECT max(line) FROM (
        SELECT line FROM leads_importrow WHERE job_id = %s AND line > %s ORDER BY line LIMIT %s
    ) AS next"""
# OFFSET 0 keeps apart what is done once for each line: a line is unpacked before its cells are cut
# out (unpacking it again for each of a hundred cells took ten times as long), and these before
# expressions that name them several times.
_LINES = SQL("""
    SELECT id, number, {said} FROM (
        SELECT id, number, {trimmed} FROM (
            SELECT id, line AS number, cells || '[]' AS cells FROM leads_importrow
            WHERE job_id = {job} AND line > {after} AND line <= {last} AND result = ''
            OFFSET 0
        ) AS whole OFFSET 0
    ) AS cut""")


@dataclass(frozen=True)
class Lines:
    """The lines of a chunk, up to ``last``: the rows of the temporary table ``import_line``.

    Lines that have a result already (of the wrong form, or repeating a key) are not among them.
    ``columns`` holds the name that the cells of a column of the file have there.
    """

    last: int
    columns: Mapping[str, str]

    def cell(self, column: str) -> Composable:
        """Return what the cell says, empty for no answer or no column."""
        return Identifier("import_line", self.columns[column]) if column else SQL("''")

    def formula(self, column: str) -> tuple[Composable, Composable]:
        """Return the condition that the cell begins like a formula, and the refusal."""
        cell = self.cell(column)
        condition = SQL("{} ~ {}").format(cell, Literal(FORMULA))
        quoted = SQL("left({}, 40)").format(cell)
        return condition, fault(f"{column}: ", quoted, " begins like a formula")

    def longer(self, column: str, limit: int) -> tuple[Composable, Composable]:
        """Return the condition that the cell has over ``limit`` characters, and the refusal."""
        condition = SQL("char_length({}) > {}").format(self.cell(column), Literal(limit))
        return condition, fault(f"{column}: is longer than {limit} characters")

    def empty(self, column: str, why: str = "is empty") -> tuple[Composable, Composable]:
        """Return the condition that the cell gives no answer, and the refusal."""
        return SQL("{} = ''").format(self.cell(column)), fault(f"{column}: {why}")


def take_lines(job: ImportJob, mapping: FileMapping) -> Lines | None:
    """Return the lines behind those that were applied; None at the end of the file."""
    [(last,)] = fetch(_LAST, [job.pk, job.applied_line, CHUNK])
    if last is None:
        return None
    columns = {name: f"c{job.header.index(name)}" for name in sorted(mapping.columns())}
    create_table(
        "import_line",
        _LINES.format(
            said=SQL(", ").join(_said(name, column, mapping) for name, column in columns.items()),
            trimmed=SQL(", ").join(_trimmed(job, name, column) for name, column in columns.items()),
            job=Literal(job.pk),
            after=Literal(job.applied_line),
            last=Literal(last),
        ),
    )
    return Lines(last, columns)


def trim(text: Composable) -> Composable:
    """Return ``text`` as ``str.strip`` returns it."""
    return SQL("btrim({}, {})").format(text, Literal(SPACES))


def _trimmed(job: ImportJob, name: str, column: str) -> Composable:
    cell = SQL("cells ->> {}").format(Literal(job.header.index(name)))
    return SQL("{} AS {}").format(trim(cell), Identifier(column))


def _said(name: str, column: str, mapping: FileMapping) -> Composable:
    """Return the cell with its spelling replaced, emptied when it is a placeholder."""
    said: Composable = Identifier(column)
    spellings = mapping.values.get(name)
    if spellings:
        known = Literal(json.dumps(spellings))
        said = SQL("coalesce({}::jsonb ->> {}, {})").format(known, said, said)
    if mapping.placeholders:
        is_none = any_of(said, mapping.placeholders)
        said = SQL("CASE WHEN {} THEN '' ELSE {} END").format(is_none, said)
    return SQL("{} AS {}").format(said, Identifier(column))
