"""Business calendars as stored; the arithmetic is in ``handoff.business_hours``."""

from __future__ import annotations

from functools import cached_property

from django.db import models
from django.db.models import Q

from crm.accounts.models import SalesTeam
from handoff.business_hours import BusinessCalendar, parse_calendar


class WorkCalendar(models.Model):
    """Working time of a team. ``definition`` is what ``business_hours.parse_calendar`` reads.

    The one without a team is the company's default.
    """

    name = models.CharField(max_length=100, unique=True)
    team = models.OneToOneField(
        SalesTeam, null=True, blank=True, on_delete=models.CASCADE, related_name="calendar"
    )
    definition = models.JSONField()
    is_default = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["is_default"], condition=Q(is_default=True), name="calendar_one_default"
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
        return parse_calendar(self.definition)
