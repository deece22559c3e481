"""Which MQLs sales refused and why, told to scoring; ``furniture`` registers it."""

from __future__ import annotations

from psycopg.sql import SQL, Composable

from handoff.enums import HandoffState, RejectionReason
from scoring.outcomes import RefusalSource

_REJECTED = SQL(
    "SELECT DISTINCT ON (lead_id, cycle) lead_id, cycle::int, closed_at AS refused_at,"
    " rejection_reason AS reason FROM handoff_handoff WHERE state = {}"
    " ORDER BY lead_id, cycle, closed_at DESC, id DESC"
)


def _select() -> Composable:
    # In brackets: its order is its own wherever it is put.
    return SQL("SELECT * FROM ({}) AS rejected").format(
        _REJECTED.format(HandoffState.REJECTED.value)
    )


def _labels() -> dict[str, str]:
    return dict(RejectionReason.choices)


HANDOFF_REFUSALS = RefusalSource("handoff", 10, _select, _labels)
