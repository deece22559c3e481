"""Business calendars as stored; the arithmetic is in ``handoff.business_hours``."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import datetime
from functools import cached_property, lru_cache

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from crm.accounts.models import SalesTeam, User
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

    def measuring(self, team: SalesTeam | None, rep: User | None = None) -> WorkCalendar | None:
        """Return the calendar of ``rep``, else of ``team``, else the default; None without any."""
        wanted = Q(is_default=True)
        if team is not None:
            wanted |= Q(team=team)
        if rep is not None:
            wanted |= Q(rep=rep)
        found = self.current().filter(wanted)
        return found.order_by(F("rep").asc(nulls_last=True), "is_default", "id").first()


class WorkCalendar(models.Model):
    """One version of the working time of a team or a rep; ``services.define_calendar`` writes it.

    ``definition``, which ``business_hours.parse_calendar`` reads, never changes: handoffs stay
    pinned to the hours on which their deadlines were counted. So the public holidays of ``country``
    and ``subdivision`` are kept as they were known then, by ISO date with their names. The default
    one measures all who have no calendar of their own. Who is measured by a superseded one is
    history.
    """

    name = models.CharField(max_length=100)
    team = models.ForeignKey(
        SalesTeam, null=True, blank=True, on_delete=models.PROTECT, related_name="calendars"
    )
    rep = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="calendars",
    )
    definition = models.JSONField()
    country = models.CharField(max_length=2, blank=True)
    subdivision = models.CharField(max_length=10, blank=True)
    public_days = models.JSONField(default=dict, blank=True)
    written_at = models.DateTimeField(null=True, blank=True)
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
            models.UniqueConstraint(
                fields=["rep"],
                condition=Q(superseded_at__isnull=True),
                name="calendar_one_current_of_rep",
            ),
            models.CheckConstraint(
                condition=Q(team__isnull=True) | Q(rep__isnull=True),
                name="calendar_of_team_or_rep",
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
        closed = {*self.definition.get("holidays", ()), *self.public_days}
        whole = {**self.definition, "holidays": sorted(closed)}
        return _parsed(json.dumps(whole, sort_keys=True))

    @property
    def measured(self) -> str:
        """Return whose time it measures, in words."""
        if self.rep is not None:
            return str(self.rep)
        return str(self.team) if self.team else "Company" if self.is_default else "Nobody yet"

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
