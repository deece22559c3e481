"""Who is told about a handoff."""

from __future__ import annotations

from collections.abc import Sequence

from crm.accounts.enums import Role
from crm.accounts.models import User
from crm.common.prepared import PreparedQuery

_LEADERS = PreparedQuery(
    lambda: User.objects.filter(is_active=True, roles__overlap=[Role.MANAGER, Role.ADMIN])
)


def leaders() -> list[User]:
    """Return everybody whom an alarm can reach beside its holder: active managers and admins."""
    return _LEADERS.ask()


def answering_for(team_id: int | None, among: Sequence[User]) -> list[User]:
    """Return who of ``among`` answers for a team: its managers and those of no team in particular.

    Without any it is everybody who manages, without those the admins: an alarm never goes nowhere.
    """
    managers = [each for each in among if each.has_role(Role.MANAGER)]
    own = [each for each in managers if each.sales_team_id in (team_id, None)]
    return own or managers or list(among)


def managers_of(team_id: int | None) -> list[User]:
    """Return who answers for a team."""
    return answering_for(team_id, leaders())


def pool_of(team_id: int | None) -> list[User]:
    """Return the reps who may take a handoff that nobody in a team holds."""
    return list(User.objects.reps().filter(sales_team=team_id)) if team_id else []


def marketers_of(source: str) -> list[User]:
    """Return who answers for leads of ``source``: its owner, else everybody in marketing."""
    marketers = User.objects.filter(is_active=True, roles__contains=[Role.MARKETER])
    return list(marketers.filter(sources__source=source)) or list(marketers)
