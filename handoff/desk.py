"""Who is at work: the company by its default calendar, people by theirs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from crm.accounts.models import User
from handoff.business_hours import is_open
from handoff.models import WorkCalendar
from handoff.services.routing import Hours


def has_desk() -> bool:
    """Return whether the company has a default calendar."""
    return _default() is not None


def desk_day(now: datetime) -> date | None:
    """Return the local day while the default calendar is open, None while it is closed."""
    calendar = _default()
    if calendar is None or not is_open(now, calendar.hours):
        return None
    return now.astimezone(calendar.hours.timezone).date()


def next_hours(people: Sequence[User], now: datetime) -> dict[int, datetime]:
    """Return when those of ``people`` are at work again who are not, by their ids."""
    hours = Hours.current()
    found = {person.pk: hours.opens_at(person, now) for person in people}
    return {pk: at for pk, at in found.items() if at is not None}


def _default() -> WorkCalendar | None:
    return WorkCalendar.objects.current().filter(is_default=True).first()
