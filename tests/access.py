"""Rows of the access matrix: who may open which address.

Each app lists its rows as ``ROWS`` in ``tests/<app>/access.py``. The access matrix in
``tests/shell`` tries each row as everybody, and fails for an address without a row::

    ROWS = [
        row("leads:list", MARKETER, REP, MANAGER, ADMIN),
        row("leads:detail", *PEOPLE, own=lead_of, foreign=lead_of_somebody_else),
        row("leads:add_note", *PEOPLE, own=lead_of, method="post", data={"text": "Hi"}),
    ]
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from crm.accounts.enums import Role
from crm.accounts.models import User

MARKETER, REP, MANAGER, ADMIN = Role.MARKETER, Role.REP, Role.MANAGER, Role.ADMIN
PEOPLE = tuple(Role)
Arguments = dict[str, Any]


def no_arguments(_viewer: User) -> Arguments:
    """Return what an address without parts needs."""
    return {}


@dataclass(frozen=True)
class Row:
    """Who may open one address.

    Attributes:
        name: Its URL name.
        roles: Who may; everyone else who is logged in gets the answer for "does not exist".
        is_public: Strangers may too; otherwise they are sent to the login.
        own: Makes what the address names, in sight of the given person; returns the parts.
        foreign: Makes the same out of that person's sight; a ``REP`` must get "does not exist".
        method: ``get`` or ``post``.
        data: What is posted.
    """

    name: str
    roles: tuple[Role, ...]
    is_public: bool = False
    own: Callable[[User], Arguments] = no_arguments
    foreign: Callable[[User], Arguments] | None = None
    method: str = "get"
    data: Mapping[str, Any] = field(default_factory=dict)


def row(name: str, *roles: Role, **fields: Any) -> Row:
    """Say that people with one of ``roles`` may open the address ``name``."""
    return Row(name, roles, **fields)


def public(name: str, **fields: Any) -> Row:
    """Say that everybody may open the address ``name``, logged in or not."""
    return Row(name, PEOPLE, is_public=True, **fields)


def closed(name: str, **fields: Any) -> Row:
    """Say that the address ``name`` is there for nobody, as things stand in this test."""
    return Row(name, (), **fields)
