"""Who may open the lead page and the forms that change a lead."""

from __future__ import annotations

from crm.accounts.models import User
from leads.enums import LifecycleStage
from tests.access import ADMIN, MANAGER, MARKETER, PEOPLE, REP, Arguments, row
from tests.factories import make_lead, make_user


def lead_of(viewer: User) -> Arguments:
    return {"lead_id": make_lead(owner=viewer).pk}


def sql_of(viewer: User) -> Arguments:
    return {"lead_id": make_lead(owner=viewer, stage=LifecycleStage.SQL).pk}


def lead_of_somebody_else(_viewer: User) -> Arguments:
    return {"lead_id": make_lead(owner=make_user()).pk}


def fact_of(viewer: User) -> Arguments:
    return {**lead_of(viewer), "name": "phone"}


def fact_of_somebody_else(viewer: User) -> Arguments:
    return {**lead_of_somebody_else(viewer), "name": "phone"}


NOTE = {"text": "Wants a call in June"}
_SEEN = {"own": lead_of, "foreign": lead_of_somebody_else}
PAGE_ROWS = [
    row("leads:create", MARKETER, MANAGER, ADMIN),
    row("leads:detail", *PEOPLE, **_SEEN),
    row("leads:timeline", *PEOPLE, **_SEEN),
    row("leads:gains", *PEOPLE, **_SEEN),
    row("leads:edit", *PEOPLE, **_SEEN),
    row("leads:facts", *PEOPLE, **_SEEN),
    row("leads:fact", *PEOPLE, own=fact_of, foreign=fact_of_somebody_else),
    row("leads:history", *PEOPLE, **_SEEN),
    row("leads:note", *PEOPLE, **_SEEN, method="post", data=NOTE),
    row("leads:consent", *PEOPLE, **_SEEN),
    row("leads:deal", REP, MANAGER, ADMIN, own=sql_of, foreign=lead_of_somebody_else),
    row("leads:stage", MARKETER, MANAGER, ADMIN, **_SEEN),
]
