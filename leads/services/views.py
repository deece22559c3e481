"""Keeping lists: under a name, for oneself or for the team, and as the first of a role."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from crm.accounts.enums import Role
from crm.accounts.models import User
from leads.models import DefaultView, KeptView, PinnedView
from leads.normalise import NotText, clean_text

#: Who keeps views for the team and says what roles begin with.
TEAM_ROLES = (Role.MARKETER, Role.MANAGER)
LONGEST_NAME = 60


class ViewRefused(Exception):
    """A view cannot be kept like this; the message says why."""


@dataclass(frozen=True)
class ListShape:
    """What of a list is kept: a checked tree, the code of an order, names of columns in order."""

    tree: Mapping[str, Any]
    sort: str
    columns: Sequence[str]
    page_size: int
    is_board: bool


def keep_view(
    *, owner: User, name: str, is_team: bool, shape: ListShape, now: datetime
) -> KeptView:
    """Keep a list under a new name.

    Raises:
        ViewRefused: the name is empty, too long or taken; or ``owner`` keeps none for the team.
    """
    if is_team:
        _check_team(owner)
    view = KeptView(owner=owner, name=_name(name), is_team=is_team, created_at=now)
    _take(view, shape)
    return _saved(view)


@transaction.atomic
def reshape_view(*, view_id: int, actor: User, shape: ListShape) -> KeptView:
    """Let a kept view be the list as ``actor`` sees it now.

    Raises:
        ViewRefused: it is a view of the team, and ``actor`` keeps none for the team.
        DoesNotExist: it is somebody else's own, or gone.
    """
    view = _lock(view_id, actor)
    _take(view, shape)
    return _saved(view)


@transaction.atomic
def rename_view(*, view_id: int, actor: User, name: str, is_team: bool) -> KeptView:
    """Give a kept view another name, share it with the team or make it its owner's own again.

    Raises:
        ViewRefused: the name is empty, too long or taken; ``actor`` keeps none for the team; or a
            role begins with it, so that it cannot be taken from the team.
        DoesNotExist: it is somebody else's own, or gone.
    """
    view = _lock(view_id, actor)
    if is_team:
        _check_team(actor)
    elif view.is_team and view.defaultview_set.exists():
        raise ViewRefused("A role begins with this view: it stays with the team.")
    view.name, view.is_team = _name(name), is_team
    return _saved(view)


@transaction.atomic
def delete_view(*, view_id: int, actor: User) -> None:
    """Forget a kept view; roles that began with it begin as Baton ships.

    Raises:
        ViewRefused: it is a view of the team, and ``actor`` keeps none for the team.
        DoesNotExist: it is somebody else's own, or gone.
    """
    _lock(view_id, actor).delete()


def roles_led_by(user: User) -> list[Role]:
    """Return the roles whose first view ``user`` may choose: managers all, marketers their own."""
    if user.has_role(Role.MANAGER):
        return list(Role)
    return [Role.MARKETER] if user.has_role(Role.MARKETER) else []


@transaction.atomic
def make_default(*, role: Role, actor: User, shipped: str = "", kept_id: int | None = None) -> None:
    """Let people of ``role`` begin with a view that ships with Baton, or with one of the team.

    Raises:
        ViewRefused: ``actor`` does not choose for ``role``, or the view is somebody's own.
    """
    if role not in roles_led_by(actor):
        raise ViewRefused(f"What {role.label.lower()}s begin with is not yours to choose.")
    team = KeptView.objects.select_for_update().filter(is_team=True)
    if kept_id is not None and not team.filter(pk=kept_id).exists():
        raise ViewRefused("Only a view of the team can be the first of a role.")
    DefaultView.objects.update_or_create(
        role=role, defaults={"shipped": shipped, "kept_id": kept_id}
    )


def pin_view(*, owner: User, shipped: str = "", kept_id: int | None = None, now: datetime) -> None:
    """Let a view stand among the first of ``owner``, after those pinned before; twice is once."""
    PinnedView.objects.get_or_create(
        owner=owner, shipped=shipped, kept_id=kept_id, defaults={"pinned_at": now}
    )


def unpin_view(*, owner: User, shipped: str = "", kept_id: int | None = None) -> None:
    """Let a view stand where it stood before ``owner`` pinned it."""
    PinnedView.objects.filter(owner=owner, shipped=shipped, kept_id=kept_id).delete()


def _check_team(actor: User) -> None:
    if not actor.has_role(*TEAM_ROLES):
        raise ViewRefused("Views of the team are kept by marketers and managers.")


def _name(name: str) -> str:
    try:
        words = clean_text(name)
    except NotText as problem:
        raise ViewRefused(f"The name {problem}.") from problem
    if not words:
        raise ViewRefused("The view needs a name.")
    if len(words) > LONGEST_NAME:
        raise ViewRefused(f"The name is longer than {LONGEST_NAME} characters.")
    return words


def _lock(view_id: int, actor: User) -> KeptView:
    """Return the view, held, provided that ``actor`` may write it."""
    view = KeptView.objects.visible_to(actor).select_for_update().get(pk=view_id)
    if view.is_team:
        _check_team(actor)
    return view


def _take(view: KeptView, shape: ListShape) -> None:
    view.tree, view.sort = dict(shape.tree), shape.sort
    view.columns, view.page_size = list(shape.columns), shape.page_size
    view.is_board = shape.is_board


def _saved(view: KeptView) -> KeptView:
    """Write the view; only its name can stand in the way."""
    try:
        with transaction.atomic():
            view.save()
    except IntegrityError:
        whose = "The team has" if view.is_team else "You have"
        raise ViewRefused(f"{whose} a view called “{view.name}” already.") from None
    return view
