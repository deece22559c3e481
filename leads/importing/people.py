"""People that files name: found by their name, or made so that reports can group by them."""

from __future__ import annotations

import re
from collections.abc import Iterable

from crm.accounts.enums import Role
from crm.accounts.models import User


def people_named(names: Iterable[str], *, system: str, creates: bool) -> dict[str, User]:
    """Return the salespeople by the name the file gives them; ``creates`` makes the missing ones.

    Made ones cannot log in and get no work: they are names that reports group by. Of two of one
    name it is who still sells, and of those who came first.
    """
    wanted = sorted({name for name in names if name})
    sellers = User.objects.filter(full_name__in=wanted, roles__overlap=[Role.REP, Role.MANAGER])
    if creates:
        known = set(sellers.values_list("full_name", flat=True))
        User.objects.bulk_create(
            (
                User(
                    email=f"{_slug(name)}@{_slug(system)}.imported.invalid",
                    full_name=name,
                    roles=[Role.REP],
                    is_active=False,
                    password="!",  # noqa: S106 -- Django's mark of a password nobody has
                )
                for name in wanted
                if name not in known
            ),
            ignore_conflicts=True,
        )
    return {user.full_name: user for user in sellers.order_by("is_active", "-pk")}


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:60] or "rep"
