"""Who may open the lead list and what belongs to it."""

from __future__ import annotations

from crm.accounts.enums import Role
from crm.accounts.models import User
from leads.models import KeptView
from tests.access import ADMIN, MANAGER, MARKETER, PEOPLE, Arguments, row
from tests.factories import NOW, make_user
from tests.leads.bulk import order


def own_view(viewer: User) -> Arguments:
    """Make a view that ``viewer`` keeps."""
    return _view(viewer)


def foreign_view(_viewer: User) -> Arguments:
    """Make a view that somebody else keeps for themselves."""
    return _view(make_user(Role.MANAGER))


def tagging(_viewer: User) -> Arguments:
    """Return an act that is there."""
    return {"act": "tag"}


def own_job(viewer: User) -> Arguments:
    """Make a job that ``viewer`` ordered."""
    return {"job_id": order(viewer).pk}


def own_rows(viewer: User) -> Arguments:
    """Make a job that ``viewer`` ordered, and name one of its results."""
    return {**own_job(viewer), "result": "DONE"}


def lead_stage(_viewer: User) -> Arguments:
    """Return a stage of which the board has a column."""
    return {"stage": "LEAD"}


def _view(owner: User) -> Arguments:
    view = KeptView.objects.create(
        owner=owner, name="Mine", sort="name", page_size=50, created_at=NOW
    )
    return {"view_id": view.pk}


LIST_ROWS = [
    row("leads:list", *PEOPLE),
    row("leads:filter", *PEOPLE),
    row("leads:view_pin", *PEOPLE, method="post", data={"view": "all", "pinned": "1"}),
    row("leads:columns", *PEOPLE),
    row("leads:board_column", *PEOPLE, own=lead_stage),
    row("leads:bulk_jobs", MARKETER, MANAGER, ADMIN),
    row(
        "leads:bulk_act",
        MARKETER,
        MANAGER,
        ADMIN,
        own=tagging,
        method="post",
        data={"view": "all", "scope": "all", "way": "add", "tag": "Fair"},
    ),
    row("leads:bulk_job", MARKETER, MANAGER, ADMIN, own=own_job),
    row("leads:bulk_rows", MARKETER, MANAGER, ADMIN, own=own_rows),
    row("leads:bulk_result", MARKETER, MANAGER, ADMIN, own=own_job),
    row("leads:bulk_stop", MARKETER, MANAGER, ADMIN, own=own_job, method="post"),
    row("leads:bulk_resume", MARKETER, MANAGER, ADMIN, own=own_job, method="post"),
    row("leads:bulk_undo", MARKETER, MANAGER, ADMIN, own=own_job, method="post"),
    row("leads:conditions", *PEOPLE),
    row("leads:view_form", *PEOPLE),
    row("leads:views", *PEOPLE),
    row("leads:view_keep", *PEOPLE, method="post", data={"name": "New", "view": "all"}),
    row(
        "leads:view_first",
        MARKETER,
        MANAGER,
        method="post",
        data={"role": "MARKETER", "view": "all"},
    ),
    row(
        "leads:view_reshape",
        *PEOPLE,
        own=own_view,
        foreign=foreign_view,
        method="post",
        data={"view": "all"},
    ),
    row(
        "leads:view_rename",
        *PEOPLE,
        own=own_view,
        foreign=foreign_view,
        method="post",
        data={"name": "Other"},
    ),
    row("leads:view_delete", *PEOPLE, own=own_view, foreign=foreign_view, method="post"),
    row("leads:count", *PEOPLE),
    row("leads:counts", *PEOPLE),
    row("leads:export", *PEOPLE),
]
