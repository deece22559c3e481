"""Plain typed functions that make one row each; fields can be named, the rest is believable."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import count
from typing import Any

from django.db import transaction
from django.test import Client

from crm.accounts.enums import Role
from crm.accounts.models import SalesTeam, User
from leads.enums import LifecycleStage
from leads.models import Lead, StageInterval

#: A Tuesday morning; tests that name no time happen then.
NOW = datetime(2026, 5, 12, 9, 0, tzinfo=UTC)
PASSWORD = "correct horse battery staple"
_numbers = count(1)


def make_team(**fields: Any) -> SalesTeam:
    """Make a sales team."""
    return SalesTeam.objects.create(**{"name": f"Team {next(_numbers)}", **fields})


def make_user(*roles: Role, **fields: Any) -> User:
    """Make a person with ``roles``, by default a rep.

    Nobody can log in with a password unless one is named: hashing would slow every test.
    """
    number = next(_numbers)
    defaults: dict[str, Any] = {
        "email": f"person{number}@example.com",
        "full_name": f"Person {number}",
        "roles": list(roles or (Role.REP,)),
    }
    return User.objects.create_user(**{**defaults, **fields})


@transaction.atomic
def make_lead(**fields: Any) -> Lead:
    """Make a lead with a stage history that fits its stage, silently: no signal is sent.

    A stage other than LEAD is entered at ``stage_since``, by default the moment of capture.
    """
    number = next(_numbers)
    captured_at = fields.get("created_at", NOW)
    defaults: dict[str, Any] = {
        "email": f"lead{number}@example.com",
        "first_name": "Ines",
        "last_name": f"Kallweit {number}",
        "company_name": "Kesterwald Pumpen",
        "created_at": captured_at,
        "stage_since": captured_at,
        "last_activity_at": captured_at,
    }
    lead = Lead.objects.create(**{**defaults, **fields})
    _make_history(lead)
    lead.refresh_from_db()
    return lead


def _make_history(lead: Lead) -> None:
    """Open the lead's stage, after LEAD when it is another one."""
    opened = {
        "lead": lead,
        "stage": lead.stage,
        "cycle": lead.cycle,
        "started_at": lead.stage_since,
    }
    if lead.stage == LifecycleStage.LEAD:
        StageInterval.objects.create(sequence=1, **opened)
        return
    StageInterval.objects.create(
        lead=lead,
        sequence=1,
        stage=LifecycleStage.LEAD,
        cycle=1,
        started_at=lead.created_at,
        ended_at=lead.stage_since,
    )
    StageInterval.objects.create(sequence=2, **opened)


def client_of(user: User) -> Client:
    """Return a browser in which ``user`` is logged in."""
    client = Client()
    client.force_login(user, backend="crm.common.sessions.LoginBackend")
    return client
