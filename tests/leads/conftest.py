"""Who looks at the pages of leads."""

from __future__ import annotations

import pytest
from django.test import Client

from crm.accounts.enums import Role
from crm.accounts.models import User
from tests.factories import client_of, make_user


@pytest.fixture
def marketer() -> User:
    return make_user(Role.MARKETER, time_zone="Europe/Berlin")


@pytest.fixture
def web(marketer: User) -> Client:
    return client_of(marketer)
