"""The sidebar: the shell fills it by role, every page shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.safestring import SafeString, mark_safe
from django.utils.text import slugify

from crm.common.ui.icons import icon
from crm.common.ui.markup import markup


@dataclass(frozen=True, slots=True)
class NavItem:
    """One destination.

    Attributes:
        label: Its name in the sidebar and in the bottom tabs.
        url: Where it leads.
        icon: Name of a Lucide icon.
        badge: A short count or version at the right; empty for none.
        active: Whether the current page belongs to it.
        key: Keys that go there, such as ``g l``; empty for none.
        tab: Its short name among the tabs at the bottom of a phone; empty keeps it behind "More".
    """

    label: str
    url: str
    icon: str
    badge: str = ""
    active: bool = False
    key: str = ""
    tab: str = ""


@dataclass(frozen=True, slots=True)
class NavGroup:
    """Destinations under one heading; the first group of a sidebar has none."""

    label: str
    items: Sequence[NavItem]


def nav_groups(groups: Sequence[NavGroup]) -> SafeString:
    """Draw the groups as lists; each badge has an id, ``badge-my-queue``, to be renewed by."""
    return _joined([_group(group, number) for number, group in enumerate(groups, start=1)])


def _group(group: NavGroup, number: int) -> SafeString:
    items = _joined([_entry(item) for item in group.items])
    if not group.label:
        return markup('<ul class="nav-group">{}</ul>', items)
    return markup(
        '<p class="nav-heading" id="nav-{0}">{1}</p>'
        '<ul class="nav-group" aria-labelledby="nav-{0}">{2}</ul>',
        number,
        group.label,
        items,
    )


def _entry(item: NavItem) -> SafeString:
    return markup(
        '<li><a class="nav-entry" href="{}" title="{}"{}{}>{}<span class="nav-label">{}</span>'
        '<span class="nav-badge" id="badge-{}">{}</span></a></li>',
        item.url,
        item.label,
        markup(' aria-current="page"') if item.active else "",
        markup(' data-key="{}"', item.key) if item.key else "",
        icon(item.icon, 17),
        item.label,
        slugify(item.label),
        item.badge,
    )


def _joined(parts: Sequence[SafeString]) -> SafeString:
    return mark_safe("".join(parts))  # noqa: S308 -- each drawn above
