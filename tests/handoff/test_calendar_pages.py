"""Calendars as pages: the week, the year, and what a form refuses."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from crm.accounts.enums import Role
from crm.accounts.models import User
from handoff.business_hours import parse_calendar
from handoff.enums import ClockKind
from handoff.models import WorkCalendar
from handoff.services import CalendarInvalid, renew_public_holidays
from handoff.services.calendars import calendar_of
from handoff.year_view import FIRST_YEAR, LAST_YEAR, DayState, differing, year_of
from tests.factories import NOW, client_of, make_lead, make_team, make_user
from tests.handoff.factories import (
    ANY_LEAD,
    BERLIN_WEEK,
    become_mql,
    clock_of,
    make_agreement,
    make_calendar,
    make_rep,
)

pytestmark = pytest.mark.django_db

FORM = {
    "name": "Munich", "timezone": "Europe/Berlin", "mon": "09:00-12:30, 13:15-18:00",
    "sat": "22:00-24:00", "sun": "00:00-06:00", "country": "DE", "subdivision": "BY",
    "holidays": "2026-12-24", "exceptions": "2026-12-31 09:00-12:00\n2027-01-02 closed",
    "closures": "2026-05-18T13:00 to 2026-05-18T17:00",
}  # fmt: skip


def _page(web: Client, name: str) -> str:
    answer = web.get(reverse(name))
    assert answer.status_code == 200
    return answer.content.decode()


def test_calendars_show_the_days_to_come_that_differ_from_their_week() -> None:
    special = {
        "exceptions": {"2126-05-18": [["10:00", "12:00"]], "2020-05-18": [["09:00", "10:00"]]},
        "closures": [["2126-12-24T12:00", "2126-12-24T18:00"]],
        "holidays": ["2020-01-01", "2126-01-01"],
    }
    make_calendar(definition={**BERLIN_WEEK, **special})

    page = _page(client_of(make_user(Role.MANAGER)), "handoff:calendars")

    assert "Sat 18 May 2126" in page
    assert "10:00–12:00" in page
    assert "Tue 24 Dec 2126, 12:00 to Tue 24 Dec 2126, 18:00" in page
    assert "1 Jan 2126" in page
    assert "2020" not in page


def test_calendars_are_shown_with_their_week() -> None:
    make_calendar()

    page = _page(client_of(make_user(Role.MANAGER)), "handoff:calendars")

    assert "Europe/Berlin" in page
    assert "09:00–18:00" in page


@pytest.fixture
def manager() -> Client:
    return client_of(make_user(Role.MANAGER))


def written(web: Client, **changes: str) -> WorkCalendar:
    """Send the form of a new calendar, and return what it wrote."""
    answer = web.post(reverse("handoff:calendar_new"), {**FORM, **changes})
    assert answer.status_code == 302, answer.content.decode()
    return WorkCalendar.objects.latest("id")


def test_a_calendar_is_written_in_words(manager: Client) -> None:
    found = written(manager)
    assert found.definition["weekly"] == {
        "mon": [["09:00", "12:30"], ["13:15", "18:00"]],
        "sat": [["22:00", "24:00"]], "sun": [["00:00", "06:00"]],
    }  # fmt: skip
    assert found.definition["exceptions"] == {"2026-12-31": [["09:00", "12:00"]], "2027-01-02": []}
    assert found.definition["holidays"] == ["2026-12-24"]
    assert found.definition["closures"] == [["2026-05-18T13:00:00", "2026-05-18T17:00:00"]]
    assert found.public_days["2026-01-06"] == "Epiphany"
    assert date(2026, 1, 6) in found.hours.holidays


def test_the_form_shows_what_is_stored_and_writes_the_next_version(manager: Client) -> None:
    first = written(manager)
    address = reverse("handoff:calendar_edit", args=[first.pk])
    form = manager.get(address).context["form"]
    said = {name: form[name].value() for name in form.fields}
    assert said["exceptions"] == FORM["exceptions"]
    sent = {name: value for name, value in said.items() if value}
    assert manager.post(address, sent).status_code == 302
    assert WorkCalendar.objects.get() == first
    assert manager.post(address, {**sent, "tue": "09:00-10:00"}).status_code == 302
    first.refresh_from_db()
    assert first.superseded_at is not None
    assert "tue" in WorkCalendar.objects.current().get().definition["weekly"]


@pytest.mark.parametrize(
    ("changes", "field", "problem"),
    [
        ({"mon": "09:00-13:00, 12:00-18:00"}, "mon",
         "09:00-13:00 and 12:00-18:00 overlap: make one window of them."),
        ({"sat": "22:00-08:00"}, "sat", "overlap"),
        ({"mon": "9 to 5"}, "mon", "is not a window such as 09:00-12:30."),
        ({"mon": "09:00-25:00"}, "mon", "is not a time such as"),
        ({"timezone": "Europe/Atlantis"}, "timezone", "Select a valid choice"),
        ({"mon": "", "sat": "", "sun": "", "exceptions": ""}, None, "Never opens"),
        ({"mon": "", "sat": "", "sun": "", "exceptions": "2020-01-02 09:00-10:00"}, None,
         "Does not open any more from now on."),
        ({"subdivision": "XX"}, "subdivision", "DE has BB, BE"),
        ({"country": ""}, "subdivision", "Choose its country too."),
        ({"exceptions": "tomorrow closed"}, "exceptions", "is not a date"),
        ({"exceptions": "2026-12-31"}, "exceptions", "needs hours, or the word closed."),
        ({"closures": "2026-05-18T17:00 to 2026-05-18T13:00"}, "closures", "Must end after"),
        ({"closures": "2026-05-18T13:00"}, "closures", "needs an end: 2026-05-18T13:00 to"),
        ({"holidays": "Christmas"}, "holidays", "is not a date"),
    ],
)  # fmt: skip
def test_what_no_deadline_can_be_counted_on_is_refused(
    manager: Client, changes: dict[str, str], field: str | None, problem: str
) -> None:
    answer = manager.post(reverse("handoff:calendar_new"), {**FORM, **changes})
    assert answer.status_code == 422
    errors: Any = answer.context["form"].errors
    assert problem in str(errors[field or "__all__"])
    assert not WorkCalendar.objects.exists()


def test_a_name_is_given_once_and_a_default_is_not_retired(manager: Client) -> None:
    default = written(manager, is_default="on")
    answer = manager.post(reverse("handoff:calendar_new"), FORM)
    assert "There is a calendar of this name" in answer.content.decode()
    manager.post(reverse("handoff:calendar_retire", args=[default.pk]))
    default.refresh_from_db()
    assert default.superseded_at is None
    other = written(manager, name="Other", is_default="")
    manager.post(reverse("handoff:calendar_retire", args=[other.pk]))
    other.refresh_from_db()
    assert other.superseded_at is not None


def test_who_is_second_keeps_what_they_wrote_and_sees_that_somebody_was_first(
    manager: Client,
) -> None:
    opened = written(manager)
    address = reverse("handoff:calendar_edit", args=[opened.pk])
    manager.post(address, {**FORM, "tue": "09:00-10:00"})
    current = WorkCalendar.objects.current().get()

    answer = manager.post(address, {**FORM, "wed": "09:00-11:00"})

    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Somebody has changed this calendar since you opened it." in page
    assert "09:00-11:00" in page
    assert f'action="{reverse("handoff:calendar_edit", args=[current.pk])}"' in page
    assert WorkCalendar.objects.current().get() == current


def test_a_calendar_stays_that_of_a_person_who_left(manager: Client) -> None:
    rep = make_rep(make_team())
    own = written(manager, rep=str(rep.pk))
    User.objects.filter(pk=rep.pk).update(is_active=False)

    address = reverse("handoff:calendar_edit", args=[own.pk])
    manager.post(address, {**FORM, "rep": str(rep.pk), "tue": "09:00-10:00"})

    assert WorkCalendar.objects.current().get().rep == rep


def test_pages_of_calendars_end_where_their_years_do(manager: Client) -> None:
    over = {**BERLIN_WEEK, "weekly": {}, "exceptions": {"2020-01-02": [["09:00", "10:00"]]}}
    calendar = WorkCalendar.objects.create(name="Over", definition=over)
    address = reverse("handoff:calendar", args=[calendar.pk])
    assert "?year=1970" not in manager.get(address, {"year": FIRST_YEAR}).content.decode()
    assert "?year=2199" not in manager.get(address, {"year": LAST_YEAR}).content.decode()
    assert "Opens no more" in _page(manager, "handoff:calendars")


def test_the_calendar_of_a_person_comes_before_that_of_the_team() -> None:
    make_calendar()
    make_agreement(ANY_LEAD)
    team = make_team(name="DACH")
    make_calendar(team)
    rep = make_rep(team)
    evenings = {**BERLIN_WEEK, "weekly": {"tue": [["16:00", "20:00"]]}}
    own = make_calendar(name="Evenings", rep=rep, is_default=False, definition=evenings)
    handoff = become_mql(make_lead())
    assert handoff.calendar == own
    assert clock_of(handoff, ClockKind.ACCEPT).due_at.hour == 16
    assert calendar_of(team) != own
    with pytest.raises(CalendarInvalid, match="a team or a person"):
        make_calendar(name="Both", team=team, rep=rep)
    with pytest.raises(CalendarInvalid, match="cannot be everybody's"):
        make_calendar(name="Evenings", rep=rep, is_default=True, definition=evenings)


def test_public_holidays_are_kept_as_they_were_known_and_never_run_out() -> None:
    first = make_calendar(country="DE", subdivision="BY")
    assert renew_public_holidays(now=NOW) == 0
    later = NOW.replace(year=NOW.year + 7)
    assert renew_public_holidays(now=later) == 1
    current = WorkCalendar.objects.current().get()
    assert max(current.public_days) > f"{later.year + 9}"
    first.refresh_from_db()
    assert first.superseded_at == later
    assert renew_public_holidays(now=later) == 0


def test_a_calendar_that_opens_no_more_keeps_no_other_from_being_renewed() -> None:
    december = {f"2026-12-0{day}": [["09:00", "19:00"]] for day in range(1, 6)}
    last_days = {**BERLIN_WEEK, "weekly": {}, "exceptions": december}
    make_calendar(definition=last_days, country="DE")
    make_calendar(make_team(), country="DE")

    assert renew_public_holidays(now=NOW.replace(year=NOW.year + 7)) == 1


def test_a_year_says_what_each_day_is() -> None:
    calendar = parse_calendar(
        BERLIN_WEEK
        | {
            "holidays": ["2026-01-01", "2026-05-02"],
            "exceptions": {"2026-12-31": [["09:00", "12:00"]], "2026-12-30": [],
                           "2026-02-07": [["10:00", "14:00"]], "2026-01-01": [["10:00", "11:00"]]},
            "closures": [["2026-05-18T13:00", "2026-05-18T17:00"], ["2026-05-19T00:00",
                          "2026-05-20T00:00"], ["2026-05-23T00:00", "2026-05-24T00:00"]],
        }
    )  # fmt: skip
    year = year_of(calendar, {"2026-05-02": "Founders' day"}, 2026)
    assert [len([d for w in month.weeks for d in w if d]) for month in year] == [
        31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31,
    ]  # fmt: skip
    found = {day.day.isoformat(): day.state for day in differing(year)}
    assert found == {
        "2026-01-01": DayState.SHORT, "2026-02-07": DayState.LONG, "2026-05-02": DayState.HOLIDAY,
        "2026-05-18": DayState.SHORT, "2026-05-19": DayState.CLOSED,
        "2026-12-30": DayState.CLOSED, "2026-12-31": DayState.SHORT,
    }  # fmt: skip
    assert next(d.label for d in differing(year) if d.day.month == 5) == "Founders' day"


def test_the_page_of_a_year_names_its_days_and_its_versions(manager: Client) -> None:
    first = written(manager)
    written_again = {**FORM, "tue": "09:00-10:00"}
    manager.post(reverse("handoff:calendar_edit", args=[first.pk]), written_again)
    address = reverse("handoff:calendar", args=[first.pk])
    page = manager.get(address, {"year": 2026}).content.decode()
    assert page.count('class="year-month"') == 12
    assert '<a href="#day-2026-01-06">6<span class="visually-hidden">, Epiphany</span></a>' in page
    assert 'id="day-2026-01-06"' in page
    assert "In force" in page
    assert "History, until" in page
    assert manager.get(address, {"year": 2300}).status_code == 404
