"""Who is told about a handoff."""

from __future__ import annotations

from django.db.models import Q

from crm.accounts.enums import Role
from crm.accounts.models import SalesTeam, User


def managers_of(team: SalesTeam | None) -> list[User]:
    """Return who answers for ``team``: its managers and those of no team in particular.

    Without any it is everybody who manages, without those the admins: an alarm never goes nowhere.
    """
    active = User.objects.filter(is_active=True)
    managers = active.filter(roles__contains=[Role.MANAGER])
    own = managers.filter(Q(sales_team=team) | Q(sales_team__isnull=True))
    return list(own) or list(managers) or list(active.filter(roles__contains=[Role.ADMIN]))


def pool_of(team: SalesTeam | None) -> list[User]:
    """Return the reps who may take a handoff that nobody in ``team`` holds."""
    return list(User.objects.reps().filter(sales_team=team)) if team else []


def marketers_of(source: str) -> list[User]:
    """Return who answers for leads of ``source``: its owner, else everybody in marketing."""
    marketers = User.objects.filter(is_active=True, roles__contains=[Role.MARKETER])
    return list(marketers.filter(sources__source=source)) or list(marketers)
