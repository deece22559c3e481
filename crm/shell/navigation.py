"""The sidebar of one person: what apps registered, as far as the person's roles reach."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from urllib.parse import urlsplit

from django.urls import reverse

from crm.accounts.models import User
from crm.common import slots
from crm.common.ui.navigation import NavGroup, NavItem


def navigation_of(user: User, *, path: str, now: datetime) -> list[NavGroup]:
    """Return the groups of the sidebar; the item whose address fits ``path`` best is active."""
    reached = destinations_of(user)
    here = _best_fit([address for _, address in reached], path)
    groups: dict[str, list[NavItem]] = {}
    for item, address in reached:
        shown = _shown(item, address, user, now, is_active=address == here)
        groups.setdefault(item.group, []).append(shown)
    return [NavGroup(label, items) for label, items in groups.items()]


def destinations_of(user: User) -> list[tuple[slots.NavItem, str]]:
    """Return what the roles of ``user`` reach, each with its address."""
    reached = [item for item in slots.navigation if not item.roles or user.has_role(*item.roles)]
    return [(item, _address(item)) for item in reached]


@cache
def _address(item: slots.NavItem) -> str:
    """Return an address; there are few, and every page has most of them."""
    query = f"?{item.query}" if item.query else ""
    return f"{reverse(item.url_name)}{query}"


def _best_fit(addresses: Sequence[str], path: str) -> str | None:
    """Return the address whose path is the longest beginning of ``path``."""
    fitting = [address for address in addresses if path.startswith(urlsplit(address).path)]
    return max(fitting, key=lambda address: len(urlsplit(address).path), default=None)


def _shown(
    item: slots.NavItem, address: str, user: User, now: datetime, *, is_active: bool
) -> NavItem:
    badge = item.badge(user, now) if item.badge else None
    return NavItem(
        label=item.label,
        url=address,
        icon=item.icon,
        badge=str(badge or ""),
        active=is_active,
        key=item.key,
        tab=item.tab,
    )
