"""Clocks, and the excuses for those that were missed."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Case, F, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Coalesce

from handoff.enums import Alarm, ClockKind
from handoff.models.handoff import Handoff, HandoffQuerySet

#: Of what went wrong, as much as one line says.
LONGEST_ERROR = 200


class ClockQuerySet(models.QuerySet["Clock"]):
    """Clocks by what is due. A clock withdrawn before it was due counts neither way."""

    def running(self) -> ClockQuerySet:
        """Return clocks that no evidence has stopped."""
        return self.filter(stopped_at__isnull=True, withdrawn_at__isnull=True)

    def next_due(self) -> ClockQuerySet:
        """Return per open handoff the clock that falls due next.

        Asked row by row: read in the order of their due times, a page needs no more than its rows.
        As a case: the planner takes an equation with a subquery for one row of the table, and would
        sort all clocks of a team for the first page.
        """
        siblings = Clock.objects.running().filter(handoff=OuterRef("handoff"))
        first = siblings.order_by("due_at", "id").values("pk")[:1]
        is_next = Case(When(pk=Subquery(first), then=True), default=False)
        return self.running().filter(is_next, handoff__closed_at__isnull=True)

    def next_due_of(self, handoffs: HandoffQuerySet) -> ClockQuerySet:
        """Return per handoff, of a few among all, the clock that falls due next.

        Asked handoff by handoff, all by indexes: theirs lie far between in the order of due times.
        """
        running = Clock.objects.running().filter(handoff=OuterRef("pk"))
        first = running.order_by("due_at", "id").values("pk")[:1]
        return self.filter(pk__in=handoffs.values(first=Subquery(first)))

    def on_track(self, now: datetime) -> ClockQuerySet:
        """Return running clocks with more than a quarter of their working time left."""
        return self.running().filter(at_risk_at__gt=now)

    def at_risk(self, now: datetime) -> ClockQuerySet:
        """Return running clocks with a quarter of their working time left, or less."""
        return self.running().filter(at_risk_at__lte=now, due_at__gte=now)

    def overdue(self, now: datetime) -> ClockQuerySet:
        """Return running clocks past their due time."""
        return self.running().filter(due_at__lt=now)

    def alarming(self, now: datetime) -> ClockQuerySet:
        """Return clocks with a warning or a breach to record at ``now``.

        An alarm is owed after its instant, not at it: an answer at the due instant is in time.
        """
        return self.filter(alarm_at__lt=now)

    def put_off(self, now: datetime) -> ClockQuerySet:
        """Return clocks with a breach to record that could not be, and is tried again later."""
        owed = self.filter(alarm_at__gte=now, breached_at__isnull=True, due_at__lt=now)
        return owed.filter(attempts__gt=0)

    def timed_out(self, now: datetime) -> ClockQuerySet:
        """Return clocks over which a handoff is to be taken from its holder."""
        return self.filter(reassign_at__lt=now)

    def kept(self) -> ClockQuerySet:
        """Return clocks stopped in time; the due instant itself is in time."""
        return self.filter(stopped_at__lte=F("due_at"))

    def missed(self, now: datetime) -> ClockQuerySet:
        """Return clocks in breach at ``now``, whether or not a sweep has recorded it."""
        ended = Coalesce("stopped_at", "withdrawn_at", Value(now))
        return self.alias(ended=ended).filter(ended__gt=F("due_at"))


class Clock(models.Model):
    """One deadline of a handoff. ``target`` is working time; the instants are absolute.

    The two warnings come at the shares of the target that the agreement names, in working time;
    from ``at_risk_at`` on, 75 %, the clock is shown as at risk. ``alarm`` at ``alarm_at`` is what
    the sweep does next; both are empty once nothing is left to do. ``attempts`` counts how often in
    a row it failed to do it, ``last_error`` says why. At ``reassign_at`` the handoff is taken from
    its holder; empty when that is not agreed, and once nobody holds it.
    ``breached_at`` is the due time, whenever it was recorded; evidence that came late leaves it,
    and so does ``excused_at``, when a manager granted an excuse for it.
    A clock withdrawn before it was due (the handoff closed, it was not owed) counts neither way.
    ``answerable`` of a clock that was stopped in time is who held the handoff then; of any other
    it is who has had the most of its time when it falls due, each by their own hours.
    ``elapsed`` is the working time from start to stop.
    """

    handoff = models.ForeignKey(
        Handoff,
        on_delete=models.CASCADE,
        related_name="clocks",
        db_index=False,  # ``clock_kind_once`` begins with it
    )
    kind = models.CharField(max_length=11, choices=ClockKind)
    target = models.DurationField()
    started_at = models.DateTimeField()
    first_warning_at = models.DateTimeField()
    at_risk_at = models.DateTimeField()
    last_warning_at = models.DateTimeField()
    due_at = models.DateTimeField()
    escalate_at = models.DateTimeField()
    answerable = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,  # ``clock_by_person`` begins with it
    )
    stopped_at = models.DateTimeField(null=True, blank=True)
    elapsed = models.DurationField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    breached_at = models.DateTimeField(null=True, blank=True)
    excused_at = models.DateTimeField(null=True, blank=True)
    alarm = models.CharField(max_length=8, choices=Alarm, blank=True)
    alarm_at = models.DateTimeField(null=True, blank=True)
    reassign_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0, db_default=0)
    last_error = models.CharField(max_length=LONGEST_ERROR, blank=True, db_default="")

    objects = ClockQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["handoff", "kind"], name="clock_kind_once"),
            models.CheckConstraint(
                condition=Q(breached_at__isnull=True) | Q(breached_at=F("due_at")),
                name="clock_breach_is_dated_by_due_time",
            ),
            models.CheckConstraint(
                condition=Q(breached_at__isnull=True)
                | Q(stopped_at__isnull=True)
                | Q(stopped_at__gt=F("due_at")),
                name="clock_kept_is_not_breached",
            ),
            models.CheckConstraint(
                condition=Q(stopped_at__isnull=True) | Q(stopped_at__gte=F("started_at")),
                name="clock_stops_after_start",
            ),
            models.CheckConstraint(
                condition=Q(stopped_at__isnull=True) | Q(withdrawn_at__isnull=True),
                name="clock_stopped_or_withdrawn",
            ),
            models.CheckConstraint(
                condition=Q(escalate_at__gte=F("due_at")), name="clock_escalates_after_breach"
            ),
            models.CheckConstraint(
                condition=Q(reassign_at__isnull=True)
                | Q(stopped_at__isnull=True, withdrawn_at__isnull=True),
                name="clock_reassigns_while_running",
            ),
        ]
        indexes = [
            models.Index(
                fields=["alarm_at", "id"], condition=Q(alarm_at__isnull=False), name="clock_alarm"
            ),
            models.Index(
                fields=["due_at"],
                condition=Q(alarm_at__isnull=False, breached_at__isnull=True, attempts__gt=0),
                name="clock_breach_put_off",
            ),
            models.Index(
                fields=["reassign_at", "id"],
                condition=Q(reassign_at__isnull=False),
                name="clock_reassign",
            ),
            models.Index(fields=["answerable", "stopped_at"], name="clock_by_person"),
            models.Index(
                fields=["answerable", "kind", "started_at"], name="clock_of_person_by_start"
            ),
            models.Index(fields=["kind", "due_at", "id"], name="clock_by_due"),
            models.Index(fields=["kind", "started_at", "id"], name="clock_by_start"),
            models.Index(
                fields=["due_at", "id"],
                condition=Q(stopped_at__isnull=True, withdrawn_at__isnull=True),
                name="clock_running",
            ),
            models.Index(
                fields=["handoff", "due_at", "id"],
                condition=Q(stopped_at__isnull=True, withdrawn_at__isnull=True),
                name="clock_next_due",
            ),
            models.Index(
                fields=["at_risk_at", "due_at"],
                condition=Q(stopped_at__isnull=True, withdrawn_at__isnull=True),
                name="clock_at_risk",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} clock of handoff {self.handoff_id}"

    @property
    def ended_at(self) -> datetime | None:
        """Return when it stopped or was withdrawn; None while it runs."""
        return self.stopped_at or self.withdrawn_at

    def is_missed(self, now: datetime) -> bool:
        """Say of one row what ``missed`` says of many."""
        return (self.ended_at or now) > self.due_at
