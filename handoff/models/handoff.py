"""Handoffs, and who held them."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Func, Q
from django.urls import reverse

from crm.accounts.enums import Role
from crm.accounts.models import SalesTeam, User
from handoff.brief import ReadableBrief, readable
from handoff.enums import OPEN_STATES, HandoffState, RejectionReason
from handoff.evidence import CONNECTED
from handoff.frameworks import DEFAULT_QUALIFICATION, QualificationPolicy
from handoff.models.agreement import Agreement, SlaTier
from handoff.models.calendar import WorkCalendar
from handoff.policy import (
    DEFAULT_ATTEMPTS_OWED,
    DEFAULT_ENFORCEMENT,
    Enforcement,
)
from leads.models import Lead

#: A badge says no more than this: nobody acts on the difference. Our choice.
MOST_COUNTED = 1000

#: For so long a refusal is news. Our choice: a manager is away for a week at times.
LOOKED_BACK_ON = timedelta(days=7)


class HandoffQuerySet(models.QuerySet["Handoff"]):
    """Which handoffs, and who may see them."""

    def visible_to(self, user: User) -> HandoffQuerySet:
        """Return what ``user`` may see: all, what they hold or held last, their team's pool."""
        if user.has_role(Role.MARKETER, Role.MANAGER, Role.ADMIN):
            return self
        mine = Q(holder=user.pk)
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

    def cycles_of(self, handoff: Handoff) -> int:
        """Return in how many cycles its lead came to sales, with its own.

        Cycles are counted in which it was handed over: a lead that was reinstated has a new one
        though sales never saw it, one that was refused and came again has the same. Those of leads
        that turned out to be the same person count too, unless a merge ended them.
        """
        own = Q(lead=handoff.lead_id, cycle__lte=handoff.cycle)
        merged = Q(lead__merged_into=handoff.lead_id, opened_at__lte=handoff.opened_at)
        handed = self.filter(own | (merged & ~Q(state=HandoffState.WITHDRAWN)))
        return handed.values("lead", "cycle").distinct().count()

    def for_display(self) -> HandoffQuerySet:
        """Return the handoffs with what a page shows of each.

        Agreements and calendars are few and shared, so they are read apart: a join of all tables
        takes the database ten times as long to plan as to run.
        """
        return self.select_related("lead", "bant").prefetch_related("agreement", "calendar")

    def open(self) -> HandoffQuerySet:
        """Return handoffs that sales still owes a verdict."""
        return self.filter(closed_at__isnull=True)

    def refused(self, now: datetime) -> HandoffQuerySet:
        """Return what sales refused in the days before ``now`` that a manager looks back on."""
        return self.filter(state=HandoffState.REJECTED, closed_at__gte=now - LOOKED_BACK_ON)

    def figure(self, most: int = MOST_COUNTED) -> str:
        """Say how many there are, counted up to ``most``: ``12``, ``1000+``; nothing for none."""
        number = self[:most].count()
        return f"{number}+" if number == most else str(number or "")


class Handoff(models.Model):
    """One MQL passed to sales, with its deadlines. Written by ``handoff.services`` only.

    ``raised_at`` is the buyer's act or the scoring that made the MQL, ``opened_at`` when Baton
    opened the handoff; both are server time. ``first_touch_at`` is the first attempt that counts,
    ``connected_at`` when sales first spoke with the buyer or booked a meeting. ``brief`` is frozen
    at the opening, ``brief_digest`` proves it.
    """

    lead = models.ForeignKey(Lead, on_delete=models.PROTECT, related_name="handoffs")
    cycle = models.PositiveSmallIntegerField()
    team = models.ForeignKey(
        SalesTeam,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        db_index=False,  # ``handoff_of_team`` begins with it
    )
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
    connected_at = models.DateTimeField(null=True, blank=True)
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
            models.Index(fields=["team", "opened_at"], name="handoff_of_team"),
            models.Index(
                fields=["closed_at", "id"],
                condition=Q(state=HandoffState.REJECTED),
                name="handoff_refused",
            ),
            models.Index(
                fields=["lead"],
                condition=Q(state=HandoffState.REJECTED),
                name="handoff_refused_lead",
            ),
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
    def policy(self) -> QualificationPolicy:
        """Return what is asked after the call, and what makes an SQL."""
        return self.agreement.policy if self.agreement else DEFAULT_QUALIFICATION

    @property
    def enforcement(self) -> Enforcement:
        """Return when people are told of its deadlines, and when it goes to somebody else."""
        return self.agreement.enforcement if self.agreement else DEFAULT_ENFORCEMENT

    def is_workable_by(self, user: User) -> bool:
        """Say of one row what ``workable_by`` says of many."""
        if not self.is_open:
            return False
        if self.holder_id == user.pk or user.has_role(Role.MANAGER, Role.ADMIN):
            return True
        is_member = user.sales_team_id is not None and user.sales_team_id == self.team_id
        return self.holder_id is None and is_member and user.has_role(Role.REP)


class HolderInterval(models.Model):
    """Who held a handoff from ``started_at`` to ``ended_at``, half-open; no holder is the pool.

    ``calendar`` says when they were at work, where that is another one than the handoff's.
    """

    handoff = models.ForeignKey(Handoff, on_delete=models.CASCADE, related_name="holders")
    holder = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    calendar = models.ForeignKey(
        WorkCalendar,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,  # calendars are never deleted
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
