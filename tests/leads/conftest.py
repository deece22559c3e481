"""Who looks at the pages of leads, and at whom."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from crm.accounts.enums import Role
from crm.accounts.models import User
from leads.models import Lead
from leads.services import create_lead
from tests.factories import client_of, make_user


@pytest.fixture
def marketer() -> User:
    return make_user(Role.MARKETER, time_zone="Europe/Berlin")


@pytest.fixture
def web(marketer: User) -> Client:
    return client_of(marketer)


@pytest.fixture
def lead() -> Lead:
    return create_lead(
        now=timezone.now(),
        created_at=timezone.now() - timedelta(days=30),
        first_name="Ines",
        last_name="Kallweit",
        email="i.kallweit@kesterwald.example",
        phone="030 23125 418",
        title="Head of maintenance",
        company_name="Kesterwald Pumpen",
        country="DE",
        city="Esslingen",
        source="Paid Search",
        campaign="Downtime spring",
    )
