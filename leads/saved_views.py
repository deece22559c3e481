"""The views that a person is offered: those that ship with Baton, and those that people keep."""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import replace
from typing import Any

from django.db.models import Q

from crm.accounts.enums import Role
from crm.accounts.models import User
from crm.common.prepared import PreparedQuery
from crm.common.slots import SavedView, lead_views
from leads.models import DefaultView, KeptView, PinnedView
from leads.services.views import TEAM_ROLES

EVERYTHING = "all"
#: What roles begin with as Baton ships; the others begin with everything.
_SHIPPED_FIRST = {Role.MARKETER: "new"}
#: Kept views stand after those that ship.
_AFTER_SHIPPED = 1000
_KEPT = PreparedQuery(
    lambda user_id: KeptView.objects.filter(Q(owner=user_id) | Q(is_team=True)).order_by(
        "-is_team", "name", "id"
    )
)
_PINNED = PreparedQuery(
    lambda user_id: PinnedView.objects.filter(owner=user_id).order_by("pinned_at", "id")
)


def views_of(user: User) -> list[SavedView]:
    """Return what ``user`` pinned, the views for their desks, then the team's, then their own."""
    shipped = [view for view in lead_views if not view.roles or user.has_role(*view.roles)]
    kept = [_offered(kept, place) for place, kept in enumerate(_KEPT.ask(user.pk))]
    offered = {view.name: view for view in shipped + kept}
    pins = [pin.code for pin in _PINNED.ask(user.pk) if pin.code in offered]
    pinned = [replace(offered.pop(code), is_pinned=True) for code in pins]
    return [*pinned, *offered.values()]


def _offered(kept: KeptView, place: int) -> SavedView:
    return SavedView(
        name=str(kept.pk),
        label=kept.name,
        order=_AFTER_SHIPPED + place,
        tree=kept.tree,
        sort=kept.sort,
        columns=tuple(kept.columns),
        page_size=kept.page_size,
        is_board=kept.is_board,
        kept=kept,
    )


def first_view(user: User, offered: Container[str]) -> str:
    """Return the code of the view that ``user`` begins with, by the first of their roles."""
    chosen = {view.role: view.code for view in DefaultView.objects.filter(role__in=user.roles)}
    codes = (chosen.get(role) or shipped_first(role) for role in Role if user.has_role(role))
    return next((code for code in codes if code in offered), EVERYTHING)


def shipped_first(role: Role) -> str:
    """Return the code of the view that people of ``role`` begin with unless another is chosen."""
    return _SHIPPED_FIRST.get(role, EVERYTHING)


def may_write(user: User, view: SavedView) -> bool:
    """Say whether ``user`` may change a kept view."""
    kept = view.kept
    if kept is None:
        return False
    return user.has_role(*TEAM_ROLES) if kept.is_team else bool(kept.owner_id == user.pk)


def kept_criteria() -> Iterable[tuple[str, Any]]:
    """Go through what kept views ask for, each with what people call it."""
    for view in KeptView.objects.select_related("owner").order_by("id"):
        whose = "the team" if view.is_team else str(view.owner)
        yield f"View “{view.name}” of {whose}", view.tree
