"""Handoffs, who held them, their clocks and the touches that stop clocks."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Func, OuterRef, Q, Subquery, Value
from django.db.models.functions import Coalesce
from django.urls import reverse

from crm.accounts.enums import Role
from crm.accounts.models import SalesTeam, User
from handoff.brief import ReadableBrief, readable
from handoff.enums import (
    OPEN_STATES,
    Alarm,
    ClockKind,
    HandoffState,
    RejectionReason,
    TouchChannel,
    TouchOutcome,
)
from handoff.evidence import CONNECTED
from handoff.models.agreement import Agreement, SlaTier
from handoff.models.calendar import WorkCalendar
from handoff.policy import DEFAULT_ATTEMPTS_OWED, DEFAULT_BANT_YES_NEEDED
from leads.models import Lead

#: A badge says no more than this: nobody acts on the difference. Our choice.
MOST_COUNTED = 1000
#: Of what went wrong, as much as one line says.
LONGEST_ERROR = 200


class HandoffQuerySet(models.QuerySet["Handoff"]):
    """Which handoffs, and who may see them."""

    def visible_to(self, user: User) -> HandoffQuerySet:
        """Return what ``user`` may see: all, what they hold or held last, their team's pool."""
        if user.has_role(Role.MARKETER, Role.MANAGER, Role.ADMIN):
            return self
        mine = Q(holder=user)
        if user.sales_team_id:
            mine |= Q(holder__isnull=True, team=user.sales_team_id, closed_at__isnull=True)
        return self.filter(mine)

    def workable_by(self, user: User) -> HandoffQuerySet:
        """Return the open handoffs ``user`` may act on: theirs, their pool's, for managers all."""
        if user.has_role(Role.MANAGER, Role.ADMIN):
            return self.open()
        mine = Q(holder=user)
        if user.has_role(Role.REP) and user.sales_team_id:
            mine |= Q(holder__isnull=True, team=user.sales_team_id)
        return self.open().filter(mine)

    def in_pool_of(self, user: User) -> HandoffQuerySet:
        """Return what nobody holds and ``user`` may take, the oldest first."""
        if not user.has_role(Role.REP) or not user.sales_team_id:
            return self.none()
        pool = self.open().filter(holder__isnull=True, team=user.sales_team_id)
        return pool.order_by("opened_at", "id")

    def for_display(self) -> HandoffQuerySet:
        """Return the handoffs with what a page shows of each.

        Agreements and calendars are few and shared, so they are read apart: a join of all tables
        takes the database ten times as long to plan as to run.
        """
        return self.select_related("lead", "bant").prefetch_related("agreement", "calendar")

    def open(self) -> HandoffQuerySet:
        """Return handoffs that sales still owes a verdict."""
        return self.filter(closed_at__isnull=True)

    def figure(self, most: int = MOST_COUNTED) -> str:
        """Say how many there are, counted up to ``most``: ``12``, ``1000+``; nothing for none."""
        number = self[:most].count()
        return f"{number}+" if number == most else str(number or "")


class Handoff(models.Model):
    """One MQL passed to sales, with its deadlines. Written by ``handoff.services`` only.

    ``raised_at`` is the buyer's act or the scoring that made the MQL, ``opened_at`` when Baton
    opened the handoff; both are server time. ``brief`` is frozen then, ``brief_digest`` proves it.
    """

    lead = models.ForeignKey(Lead, on_delete=models.PROTECT, related_name="handoffs")
    cycle = models.PositiveSmallIntegerField()
    team = models.ForeignKey(SalesTeam, null=True, blank=True, on_delete=models.PROTECT)
    holder = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="handoffs",
    )
    state = models.CharField(max_length=12, choices=HandoffState, default=HandoffState.OFFERED)
    agreement = models.ForeignKey(Agreement, null=True, on_delete=models.PROTECT)
    tier = models.ForeignKey(SlaTier, null=True, on_delete=models.PROTECT)
    calendar = models.ForeignKey(WorkCalendar, on_delete=models.PROTECT)
    is_fast_track = models.BooleanField(default=False)
    raised_at = models.DateTimeField()
    opened_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    first_touch_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    rejection_reason = models.CharField(max_length=20, choices=RejectionReason, blank=True)
    rejection_note = models.CharField(max_length=500, blank=True)
    brief = models.JSONField()
    brief_digest = models.CharField(max_length=64)
    why = models.CharField(max_length=200, blank=True)
    score = models.DecimalField(max_digits=5, decimal_places=1, null=True)
    cell = models.CharField(max_length=2, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    snoozed_until = models.DateTimeField(null=True, blank=True)
    snooze_reason = models.CharField(max_length=200, blank=True)

    objects = HandoffQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["lead"],
                condition=Q(closed_at__isnull=True),
                name="handoff_one_open_per_lead",
            ),
            models.CheckConstraint(
                condition=Q(state__in=HandoffState.values), name="handoff_state_is_known"
            ),
            models.CheckConstraint(
                condition=Q(state__in=OPEN_STATES, closed_at__isnull=True)
                | (~Q(state__in=OPEN_STATES) & Q(closed_at__isnull=False)),
                name="handoff_closed_when_state_says_so",
            ),
            models.CheckConstraint(
                condition=~Q(state=HandoffState.REJECTED) | ~Q(rejection_reason=""),
                name="handoff_rejection_has_reason",
            ),
        ]
        indexes = [
            models.Index(
                fields=["holder", "id"],
                condition=Q(closed_at__isnull=True),
                name="handoff_open_held",
            ),
            models.Index(
                fields=["team", "opened_at", "id"],
                condition=Q(closed_at__isnull=True, holder__isnull=True),
                name="handoff_pool",
            ),
            models.Index(fields=["opened_at", "id"], name="handoff_by_opening"),
        ]

    def __str__(self) -> str:
        return f"Handoff {self.pk} of lead {self.lead_id}"

    def get_absolute_url(self) -> str:
        """Return where the handoff is shown with its deadlines and its decision record."""
        return reverse("handoff:handoff", args=[self.pk])

    @property
    def is_open(self) -> bool:
        """Say whether sales still owes a verdict."""
        return self.closed_at is None

    @property
    def is_offered(self) -> bool:
        """Say whether nobody has accepted it yet."""
        return self.state == HandoffState.OFFERED

    @property
    def is_reached(self) -> bool:
        """Say whether sales has spoken with the buyer; reads the touches."""
        return any(touch.outcome in CONNECTED for touch in self.touches.all())

    @property
    def readable_brief(self) -> ReadableBrief:
        """Return the frozen brief as pages show it."""
        return readable(self.brief, self.brief_digest)

    @property
    def attempts_owed(self) -> int:
        """Return how many touches the agreement asks for before giving up."""
        return self.agreement.attempts_owed if self.agreement else DEFAULT_ATTEMPTS_OWED

    @property
    def bant_yes_needed(self) -> int:
        """Return how many of the four answers must be yes for SQL to be proposed."""
        return self.agreement.bant_yes_needed if self.agreement else DEFAULT_BANT_YES_NEEDED

    def is_workable_by(self, user: User) -> bool:
        """Say of one row what ``workable_by`` says of many."""
        if not self.is_open:
            return False
        if self.holder_id == user.pk or user.has_role(Role.MANAGER, Role.ADMIN):
            return True
        is_member = user.sales_team_id is not None and user.sales_team_id == self.team_id
        return self.holder_id is None and is_member and user.has_role(Role.REP)


class HolderInterval(models.Model):
    """Who was answerable from ``started_at`` to ``ended_at``, half-open; no holder is the pool."""

    handoff = models.ForeignKey(Handoff, on_delete=models.CASCADE, related_name="holders")
    holder = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            ExclusionConstraint(
                name="holders_do_not_overlap",
                expressions=[
                    ("handoff", RangeOperators.EQUAL),
                    (Func("started_at", "ended_at", function="tstzrange"), RangeOperators.OVERLAPS),
                ],
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True) | Q(ended_at__gte=F("started_at")),
                name="holder_ends_after_start",
            ),
        ]

    def __str__(self) -> str:
        return f"Holder {self.holder_id} of handoff {self.handoff_id}"


class ClockQuerySet(models.QuerySet["Clock"]):
    """Clocks by what is due. A clock withdrawn before it was due counts neither way."""

    def running(self) -> ClockQuerySet:
        """Return clocks that no evidence has stopped."""
        return self.filter(stopped_at__isnull=True, withdrawn_at__isnull=True)

    def next_due(self) -> ClockQuerySet:
        """Return per open handoff the clock that falls due next.

        Asked row by row: read in the order of their due times, a page needs no more than its rows.
        """
        siblings = Clock.objects.running().filter(handoff=OuterRef("handoff"))
        first = siblings.order_by("due_at", "id").values("pk")[:1]
        return self.running().filter(pk=Subquery(first), handoff__closed_at__isnull=True)

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

    def owing(self, now: datetime) -> ClockQuerySet:
        """Return clocks with an alarm to record, those with a breach that was put off included."""
        return self.filter(alarm_at__isnull=False).filter(Q(alarm_at__lt=now) | Q(due_at__lt=now))

    def kept(self) -> ClockQuerySet:
        """Return clocks stopped in time; the due instant itself is in time."""
        return self.filter(stopped_at__lte=F("due_at"))

    def missed(self, now: datetime) -> ClockQuerySet:
        """Return clocks in breach at ``now``, whether or not a sweep has recorded it."""
        ended = Coalesce("stopped_at", "withdrawn_at", Value(now))
        return self.alias(ended=ended).filter(ended__gt=F("due_at"))


class Clock(models.Model):
    """One deadline of a handoff. ``target`` is working time; the instants are absolute.

    ``warn_half_at`` and ``warn_most_at`` are 50 % and 80 % of the target in working time; from
    ``at_risk_at`` on, 75 %, the clock is shown as at risk. ``alarm`` at ``alarm_at`` is what the
    sweep does next; both are empty once nothing is left to do. ``attempts`` counts how often in a
    row it failed to do it, ``last_error`` says why.
    ``breached_at`` is the due time, whenever it was recorded; evidence that came late leaves it.
    A clock withdrawn before it was due (the handoff closed, it was not owed) counts neither way.
    ``answerable`` is who held the handoff when the clock stopped or fell due, whichever came first,
    and until then who holds it now. ``elapsed`` is the working time from start to stop.
    """

    handoff = models.ForeignKey(Handoff, on_delete=models.CASCADE, related_name="clocks")
    kind = models.CharField(max_length=11, choices=ClockKind)
    target = models.DurationField()
    started_at = models.DateTimeField()
    warn_half_at = models.DateTimeField()
    at_risk_at = models.DateTimeField()
    warn_most_at = models.DateTimeField()
    due_at = models.DateTimeField()
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
    alarm = models.CharField(max_length=6, choices=Alarm, blank=True)
    alarm_at = models.DateTimeField(null=True, blank=True)
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
        ]
        indexes = [
            models.Index(
                fields=["alarm_at", "id"], condition=Q(alarm_at__isnull=False), name="clock_alarm"
            ),
            models.Index(
                fields=["due_at"],
                condition=Q(alarm_at__isnull=False),
                name="clock_breach_owed",
            ),
            models.Index(fields=["answerable", "stopped_at"], name="clock_by_person"),
            models.Index(fields=["kind", "due_at", "id"], name="clock_by_due"),
            models.Index(
                fields=["due_at", "id"],
                condition=Q(stopped_at__isnull=True, withdrawn_at__isnull=True),
                name="clock_running",
            ),
            models.Index(
                fields=["at_risk_at", "due_at"],
                condition=Q(stopped_at__isnull=True, withdrawn_at__isnull=True),
                name="clock_at_risk",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} clock of handoff {self.handoff_id}"


class Touch(models.Model):
    """Evidence that sales acted.

    ``occurred_at`` is when it happened, ``recorded_at`` when it was written down; a touch written
    long after it happened is marked and stops no clock by itself.
    """

    handoff = models.ForeignKey(Handoff, on_delete=models.CASCADE, related_name="touches")
    rep = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    channel = models.CharField(max_length=7, choices=TouchChannel)
    outcome = models.CharField(max_length=12, choices=TouchOutcome)
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    is_backdated = models.BooleanField(default=False)
    note = models.CharField(max_length=1000, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(occurred_at__lte=F("recorded_at")), name="touch_not_in_the_future"
            ),
        ]
        indexes = [
            models.Index(fields=["handoff", "-occurred_at", "-id"], name="touch_newest_first")
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.outcome}, handoff {self.handoff_id}"
