"""The columns, saved views and order that the lead list has of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from crm.accounts.enums import Role
from crm.accounts.models import User
from crm.common.slots import Column, SavedView

_MARKETING = (Role.MARKETER, Role.ADMIN)


def _from_lead(_ids: Sequence[int], _viewer: User, _now: datetime) -> Mapping[int, Any]:
    """Load nothing: the row's lead has it."""
    return {}


def _column(name: str, label: str, order: int, **options: Any) -> Column:
    return Column(
        name, label, order, load=_from_lead, template=f"leads/cells/_{name}.html", **options
    )


LEAD_COLUMNS = (
    _column("company", "Company", 10, align="card-line clip", sort=("company_name", "id")),
    _column("stage", "Stage", 20),
    _column("source", "Source", 60, align="only-wide"),
    _column("owner", "Owner", 70, align="only-wide"),
    _column("activity", "Active", 90, align="num card-when", sort=("-last_activity_at", "-id")),
    _column("created", "Created", 100, align="num only-wide", sort=("-created_at", "-id")),
    _column("title", "Title", 15, align="clip", is_default=False),
    _column("email", "E-mail", 16, align="clip", is_default=False),
    _column("phone", "Phone", 17, is_default=False),
    _column("cycle", "Cycle", 21, align="num", is_default=False),
    _column("stage_days", "Days in stage", 22, align="num", is_default=False),
    _column("country", "Country", 61, is_default=False),
    _column("city", "City", 62, is_default=False),
    _column("campaign", "Campaign", 63, align="clip", is_default=False),
    _column("next_step", "Next step", 71, align="clip", is_default=False),
)

LEAD_VIEWS = (
    SavedView(
        "new",
        "New this week",
        10,
        {"all": [{"field": "created", "op": "since", "value": "week"}]},
        roles=_MARKETING,
    ),
    SavedView(
        "waiting",
        "Waiting for acceptance",
        30,
        {"all": [{"field": "stage", "op": "in", "value": ["MQL"]}]},
    ),
    SavedView(
        "waking",
        "Recycled, waking",
        60,
        {
            "all": [
                {"field": "stage", "op": "in", "value": ["RECYCLED"]},
                {"field": "wake_at", "op": "coming", "value": "7d"},
            ]
        },
        roles=_MARKETING,
    ),
    SavedView(
        "no_source",
        "No source",
        90,
        {"all": [{"field": "source", "op": "is_empty"}]},
        roles=_MARKETING,
    ),
    SavedView("all", "All leads", 100, {}),
)

#: The columns that an export has of every lead already.
OWN_COLUMNS = frozenset(column.name for column in LEAD_COLUMNS)
