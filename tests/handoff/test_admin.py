"""Setting up in the admin: what is typed is checked before it is kept."""

from __future__ import annotations

import json

import pytest
from django.test import Client
from django.urls import reverse

from crm.accounts.enums import Role
from handoff.models import RoutingRule, WorkCalendar
from tests.factories import client_of, make_team, make_user
from tests.handoff.factories import BERLIN_WEEK

pytestmark = pytest.mark.django_db


@pytest.fixture
def web() -> Client:
    return client_of(make_user(Role.ADMIN))


def test_a_calendar_is_kept_once_it_can_be_read(web: Client) -> None:
    url = reverse("admin:handoff_workcalendar_add")
    closed = {"timezone": "Europe/Berlin", "weekly": {}}

    refused = web.post(url, {"name": "Berlin", "definition": json.dumps(closed)})
    kept = web.post(url, {"name": "Berlin", "definition": json.dumps(BERLIN_WEEK)})

    assert "never opens" in refused.content.decode()
    assert kept.status_code == 302
    assert WorkCalendar.objects.get().hours.timezone.key == "Europe/Berlin"


def test_a_calendar_that_opens_no_more_is_refused(web: Client) -> None:
    url = reverse("admin:handoff_workcalendar_add")
    once = {
        "timezone": "UTC",
        "weekly": {},
        "closures": [],
        "exceptions": {"2020-01-06": [["09:00", "17:00"]]},
    }

    refused = web.post(url, {"name": "Over", "definition": json.dumps(once)})

    assert "does not open any more" in refused.content.decode()
    assert not WorkCalendar.objects.exists()


def test_a_rule_is_kept_once_its_criteria_can_be_read(web: Client) -> None:
    url = reverse("admin:handoff_routingrule_add")
    typed = {"position": 1, "name": "DACH", "team": make_team().pk}
    fits = {"field": "country", "op": "in", "value": ["DE"]}

    refused = web.post(url, {**typed, "criteria": json.dumps({"field": "shoe size"})})
    kept = web.post(url, {**typed, "criteria": json.dumps(fits)})

    assert "there is no field" in refused.content.decode()
    assert kept.status_code == 302
    assert RoutingRule.objects.get().criteria == fits
