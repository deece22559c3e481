"""Who may be given work, and the record of why somebody was."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from crm.accounts.models import SalesTeam
from handoff.enums import DecisionKind, RouteTo

#: Of what decided, as much as one line says.
LONGEST_RULE = 200


class RepProfile(models.Model):
    """What routing needs to know of a rep; the rows of a team are its round-robin ring.

    ``turn`` orders the ring: the eligible rep with the lowest turn is next, and being chosen adds
    ``1 / weight``, while nobody else chooses. ``capacity`` caps open handoffs.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        primary_key=True,
        on_delete=models.CASCADE,
        related_name="rep_profile",
    )
    weight = models.PositiveSmallIntegerField(default=1)
    capacity = models.PositiveSmallIntegerField(default=40)
    turn = models.FloatField(default=0)
    absent_from = models.DateTimeField(null=True, blank=True)
    absent_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(weight__gte=1), name="rep_weight_from_one"),
        ]

    def __str__(self) -> str:
        return f"Profile of user {self.user_id}"

    def is_absent(self, now: datetime) -> bool:
        """Say whether ``now`` lies in the absence; one without an end lasts until it is cleared."""
        if self.absent_from is None or now < self.absent_from:
            return False
        return self.absent_until is None or now < self.absent_until


class RoutingRule(models.Model):
    """Leads that fit ``criteria`` go where ``to`` says: the first rule that fits, by ``position``.

    ``criteria`` is a tree of the criteria language; an empty one at the end takes the rest. Where
    nobody can take a lead, ``fallback`` is followed, whatever it asks for; without one it waits in
    the pool of ``team`` and its managers are told. A rule that is not active is only tried in dry
    runs. Written by ``services.routing_rules``.
    """

    position = models.PositiveSmallIntegerField(unique=True)
    name = models.CharField(max_length=100)
    criteria = models.JSONField(default=dict, blank=True)
    to = models.CharField(max_length=4, choices=RouteTo, default=RouteTo.TEAM)
    team = models.ForeignKey(SalesTeam, on_delete=models.PROTECT, related_name="+")
    rep = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    fallback = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    is_active = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(to=RouteTo.REP, rep__isnull=False)
                | (~Q(to=RouteTo.REP) & Q(rep__isnull=True)),
                name="rule_names_a_rep_or_none",
            ),
            models.CheckConstraint(
                condition=Q(fallback__isnull=True) | ~Q(fallback=F("pk")),
                name="rule_is_not_its_own_fallback",
            ),
        ]

    def __str__(self) -> str:
        return f"Rule {self.position}, {self.name}"

    @property
    def goes_to(self) -> str:
        """Say who gets its leads."""
        if self.to == RouteTo.REP:
            return str(self.rep)
        return f"Pool of {self.team}" if self.to == RouteTo.POOL else f"{self.team}, in turn"


class AssignmentDecision(models.Model):
    """Why a handoff went where it went: every candidate with the reason for or against.

    Of re-based deadlines the same is kept, with the holder, who stays, as the only candidate, and
    of a withdrawal what moved the lead, without any.
    ``candidates`` is a list of ``{"user": id, "name": ..., "chosen": bool, "reason": ...}`` in the
    order in which they were considered.
    """

    handoff = models.ForeignKey(
        "handoff.Handoff", on_delete=models.CASCADE, related_name="decisions", db_index=False
    )
    kind = models.CharField(
        max_length=7,
        choices=DecisionKind,
        default=DecisionKind.HANDED,
        db_default=DecisionKind.HANDED,
    )
    rule = models.CharField(max_length=LONGEST_RULE)
    candidates = models.JSONField()
    chosen = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    decided_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["handoff", "decided_at"], name="decision_of_handoff")]

    def __str__(self) -> str:
        return f"{self.rule}, handoff {self.handoff_id}"
