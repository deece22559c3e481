"""Business calendars as stored; the arithmetic is in ``handoff.business_hours``."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import datetime
from functools import cached_property, lru_cache

from django.db import models
from django.db.models import Q

from crm.accounts.models import SalesTeam
from handoff.business_hours import (
    BusinessCalendar,
    NoOpening,
    is_open,
    next_opening,
    parse_calendar,
)


class WorkCalendarQuerySet(models.QuerySet["WorkCalendar"]):
    """Calendars by whom they measure."""

    def current(self) -> WorkCalendarQuerySet:
        """Return the calendars that measure what is handed over from now on."""
        return self.filter(superseded_at__isnull=True)

    def measuring(self, team: SalesTeam | None) -> WorkCalendar | None:
        """Return the calendar of ``team``, else the company's default, None before there is one."""
        own = Q(team=team) if team else Q()
        found = self.current().filter(own | Q(is_default=True)).order_by("is_default", "id")
        return found.first()


class WorkCalendar(models.Model):
    """One version of the working time of a team; ``services.define_calendar`` writes the next.

    ``definition``, which ``business_hours.parse_calendar`` reads, never changes: handoffs stay
    pinned to the hours on which their deadlines were counted. The default one measures all teams
    without a calendar of their own. Who is measured by a superseded one is history.
    """

    name = models.CharField(max_length=100)
    team = models.ForeignKey(
        SalesTeam, null=True, blank=True, on_delete=models.PROTECT, related_name="calendars"
    )
    definition = models.JSONField()
    is_default = models.BooleanField(default=False)
    superseded_at = models.DateTimeField(null=True, blank=True)

    objects = WorkCalendarQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["is_default"],
                condition=Q(is_default=True, superseded_at__isnull=True),
                name="calendar_one_default",
            ),
            models.UniqueConstraint(
                fields=["name"],
                condition=Q(superseded_at__isnull=True),
                name="calendar_one_current_of_name",
            ),
            models.UniqueConstraint(
                fields=["team"],
                condition=Q(superseded_at__isnull=True),
                name="calendar_one_current_of_team",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @cached_property
    def hours(self) -> BusinessCalendar:
        """Return the calendar ready for arithmetic.

        Raises:
            CalendarInvalid: ``definition`` was not written by ``define_calendar``.
        """
        return _parsed(json.dumps(self.definition, sort_keys=True))

    def opens_at(self, now: datetime) -> datetime | None:
        """Return when work begins again; None while it is open, and when it never does."""
        if is_open(now, self.hours):
            return None
        with suppress(NoOpening):
            return next_opening(now, self.hours)
        return None


@lru_cache(maxsize=256)
def _parsed(document: str) -> BusinessCalendar:
    return parse_calendar(json.loads(document))
