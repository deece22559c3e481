"""The figures of the compliance page as files: one row per line of its table, or one document."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from crm.reports.compliance import Compliance, ComplianceRow, compliance
from crm.reports.pages import FEWEST
from crm.reports.questions import SlaQuestion

TABLE_HEADER = (
    "by", "key", "label", "received", "on_time", "late", "not_yet_due", "excused", "withdrawn",
    "open", "due", "on_time_percent", "answered", "median_minutes", "p90_minutes",
    "longest_open_minutes", "used_25", "used_50", "used_75", "used_100",
)  # fmt: skip
_WHOLE = "all"


def figures(question: SlaQuestion, *, now: datetime) -> Compliance:
    """Return what the page, its table as a file and the command show for one question."""
    since = question.period.before().start
    return compliance(question.scope, question.by, since=since, now=now)


def table_rows(question: SlaQuestion, found: Compliance) -> Iterator[tuple[Any, ...]]:
    """Yield the lines of the table as ``TABLE_HEADER`` names them, the sum last."""
    for row in found.rows:
        yield (question.by.value, *_cells(row))
    yield (_WHOLE, *_cells(found.whole))


def document(question: SlaQuestion, found: Compliance, *, now: datetime) -> dict[str, Any]:
    """Return the figures as JSON says them."""
    return {
        "report": "sla",
        "clock": question.kind.value,
        "from": question.period.first.isoformat(),
        "to": question.period.last.isoformat(),
        "as_of": now.isoformat(),
        "by": question.by.value,
        "rows": [_named(row) for row in found.rows],
        "all": _named(found.whole),
        "before": _named(found.before),
    }


def _cells(row: ComplianceRow) -> Sequence[Any]:
    """Return one line; shares and spans of fewer than ten are hidden, as on the page."""
    share = round(100 * row.on_time / row.due, 1) if row.due >= FEWEST else None
    spans = (row.median, row.p90) if row.answered >= FEWEST else (None, None)
    counts = (
        row.received, row.on_time, row.late, row.not_yet_due, row.excused, row.withdrawn,
        row.still_open, row.due,
    )  # fmt: skip
    minutes = map(_minutes, (*spans, row.open_for))
    return (row.key, row.label, *counts, share, row.answered, *minutes, *row.used)


def _named(row: ComplianceRow) -> dict[str, Any]:
    return dict(zip(TABLE_HEADER[1:], _cells(row), strict=True))


def _minutes(span: timedelta | None) -> float | None:
    return None if span is None else round(span.total_seconds() / 60, 1)
