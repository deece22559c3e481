"""Who may open the lead page and the forms that change a lead."""

from __future__ import annotations

from crm.accounts.enums import Role
from crm.accounts.models import User
from leads.enums import LifecycleStage
from leads.models import Lead
from leads.services import merge_leads
from tests.access import ADMIN, MANAGER, MARKETER, PEOPLE, REP, Arguments, row
from tests.factories import NOW, make_lead, make_user


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


def pair_of(viewer: User) -> Arguments:
    return {**lead_of(viewer), "other_id": make_lead(owner=viewer).pk}


def pair_of_somebody_else(viewer: User) -> Arguments:
    return {**lead_of_somebody_else(viewer), "other_id": make_lead(owner=viewer).pk}


def merge_of(viewer: User) -> Arguments:
    return _merge(make_lead(owner=viewer))


def merge_of_somebody_else(_viewer: User) -> Arguments:
    return _merge(make_lead(owner=make_user()))


def _merge(lead: Lead) -> Arguments:
    actor, other = make_user(Role.MARKETER), make_lead()
    made = merge_leads(survivor_id=lead.pk, merged_id=other.pk, actor=actor, now=NOW)
    return {"merge_id": made.pk}


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
    row("leads:merge_two", MARKETER, MANAGER, ADMIN),
    row(
        "leads:merge_compare",
        MARKETER,
        MANAGER,
        ADMIN,
        own=pair_of,
        foreign=pair_of_somebody_else,
    ),
    row("leads:merge", *PEOPLE, own=merge_of, foreign=merge_of_somebody_else),
    row(
        "leads:merge_undo",
        MARKETER,
        MANAGER,
        ADMIN,
        own=merge_of,
        foreign=merge_of_somebody_else,
        method="post",
    ),
    row("leads:stage", MARKETER, MANAGER, ADMIN, **_SEEN),
]
