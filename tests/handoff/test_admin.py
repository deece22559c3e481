"""Setting up in the admin: what is typed is checked before it is kept."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from crm.accounts.enums import Role
from crm.common.typed_json import ShallowDecoder
from handoff.models import RepProfile, WorkCalendar
from tests.factories import client_of, make_team, make_user
from tests.handoff.factories import BERLIN_WEEK, make_calendar, make_handoff, make_rep

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


def _change(web: Client, calendar: WorkCalendar, **typed: Any) -> str:
    """Change ``calendar`` as typed; return the page that this leads to."""
    url = reverse("admin:handoff_workcalendar_change", args=[calendar.pk])
    form = {"definition": json.dumps(calendar.definition), "team": "", "is_default": "on", **typed}
    given = {name: value for name, value in form.items() if value is not None}
    return web.post(url, given, follow=True).content.decode()


def test_other_hours_are_a_new_version_and_what_was_handed_over_keeps_its_own(web: Client) -> None:
    old = make_calendar(name="Desk")
    handoff = make_handoff()
    due = {each.kind: each.due_at for each in handoff.clocks.all()}
    later = {**BERLIN_WEEK, "timezone": "Europe/Lisbon"}

    page = _change(web, old, definition=json.dumps(later))

    handoff.refresh_from_db()
    assert "was changed successfully" in page
    assert (handoff.calendar, handoff.calendar.definition) == (old, old.definition)
    assert {each.kind: each.due_at for each in handoff.clocks.all()} == due
    new = WorkCalendar.objects.current().get()
    assert (new.name, new.hours.timezone.key) == ("Desk", "Europe/Lisbon")
    assert web.get(reverse("admin:handoff_workcalendar_changelist")).context["cl"].result_count == 1


def test_a_company_is_not_left_without_a_default_calendar(web: Client) -> None:
    calendar = make_calendar()

    page = _change(web, calendar, is_default=None)

    assert "make another calendar the default instead" in page
    assert WorkCalendar.objects.get().is_default


def test_a_team_is_not_given_a_second_calendar(web: Client) -> None:
    calendar, team = make_calendar(), make_team(name="DACH")
    make_calendar(team)

    page = _change(web, calendar, team=team.pk)

    assert "DACH has a calendar already" in page
    assert WorkCalendar.objects.get(pk=calendar.pk).team is None


def test_a_new_calendar_takes_no_name_that_is_taken(web: Client) -> None:
    make_calendar(name="Desk")
    typed = {"name": "Desk", "definition": json.dumps(BERLIN_WEEK)}

    page = web.post(reverse("admin:handoff_workcalendar_add"), typed).content.decode()

    assert "There is a calendar of this name" in page
    assert WorkCalendar.objects.count() == 1


def test_no_calendar_is_deleted(web: Client) -> None:
    calendar = make_calendar()

    answer = web.post(reverse("admin:handoff_workcalendar_delete", args=[calendar.pk]))

    assert answer.status_code == 403


def test_a_rep_is_set_up_and_routing_keeps_the_turn(web: Client) -> None:
    rep = make_rep(make_team())
    typed = {"user": rep.pk, "weight": 2, "capacity": 5, "turn": 99}

    web.post(reverse("admin:handoff_repprofile_add"), typed)

    profile = RepProfile.objects.get()
    assert (profile.weight, profile.capacity, profile.turn) == (2, 5, 0)


@pytest.mark.parametrize("name", ["absent_from", "absent_until"])
def test_an_absence_lies_in_years_that_can_be_shown(web: Client, name: str) -> None:
    profile = RepProfile.objects.create(user=make_rep(make_team()))
    url = reverse("admin:handoff_repprofile_change", args=[profile.pk])
    absence = {"absent_from_0": "2026-05-12", "absent_from_1": "09:00"}
    absence |= {"absent_until_0": "2026-05-20", "absent_until_1": "09:00"}
    typed = {"user": profile.user_id, "weight": 1, "capacity": 5, **absence}

    refused = web.post(url, {**typed, f"{name}_0": "9999-12-31", f"{name}_1": "23:59"})
    kept = web.post(url, typed)

    assert "Give a time between 1900 and 2200." in refused.content.decode()
    assert kept.status_code == 302


@pytest.mark.parametrize(
    ("page", "name"),
    [
        ("handoff_workcalendar", "definition"),
        ("leads_leadattribute", "choices"),
    ],
)
@pytest.mark.parametrize("levels", [33, 900, 100_000])
def test_json_of_hundreds_of_levels_is_refused_at_its_field(
    web: Client, page: str, name: str, levels: int
) -> None:
    answer = web.post(reverse(f"admin:{page}_add"), {name: "[" * levels + "]" * levels})

    assert answer.status_code == 200
    assert answer.context["adminform"].form.errors[name] == ["Enter a valid JSON."]


def test_brackets_in_a_text_are_no_levels() -> None:
    said = '["' + "[" * 40 + '\\"", {"a": [1]}]'

    assert json.loads(said, cls=ShallowDecoder) == ["[" * 40 + '"', {"a": [1]}]
