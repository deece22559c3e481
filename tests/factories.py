"""Plain typed functions that make one row each; fields can be named, the rest is believable."""

from __future__ import annotations

from itertools import count
from typing import Any

from django.test import Client

from crm.accounts.enums import Role
from crm.accounts.models import SalesTeam, User

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


def client_of(user: User) -> Client:
    """Return a browser in which ``user`` is logged in."""
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client
