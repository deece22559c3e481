"""The sidebar as data; the shell fills it by role, ``base.html`` draws it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


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
