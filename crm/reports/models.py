"""What reports count beforehand, so that a page reads sums instead of a million rows.

All of it follows from clocks and stage intervals: whatever is missing here is counted when it is
asked for.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import models
from django.db.models import Value

from handoff.enums import ClockKind
from handoff.models import Handoff


class SlaDay(models.Model):
    """One day of one time zone, for one kind of clock, as counted at ``counted_at``.

    Its sums hold for every moment from then on; up to ``holds_until`` where a clock falls due then.
    ``counted_at`` is empty where they hold no more and are to be counted anew. The day is from
    ``began_at`` to ``ended_at``, half-open. Written by ``count_sla_days`` only.
    """

    zone = models.CharField(max_length=64)
    kind = models.CharField(max_length=11, choices=ClockKind)
    day = models.DateField()
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    counted_at = models.DateTimeField(null=True)
    holds_until = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["zone", "kind", "day"], name="sla_day_counted_once"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.day} {self.zone}"


class SlaSum(models.Model):
    """The clocks of a day that have ``key`` in common; ``by`` says in what, see ``sums.Slot``.

    Those of all, or of one ``part`` of them: a team, tier, source or version, whose key is ``of``.
    ``minutes`` are the response times of those answered, in working minutes, a begun one counted:
    integers of four bytes, as ``int4send`` writes them, so that those of many days are put together
    by putting bytes together. ``used_25`` counts answers in time that took up to a quarter of the
    target, ``used_50`` those beyond up to a half, and so on. ``still_open`` counts those that run,
    due or not; ``open_since`` is when the longest
    open one began, ``open_calendar`` whose hours it is counted on. ``split`` counts those whose
    split clock has ended, beside it is its wall time by account in seconds; only where ``by`` is
    empty.
    """

    pk = models.CompositePrimaryKey("day_id", "part", "of", "by", "key")
    day = models.ForeignKey(
        SlaDay, on_delete=models.CASCADE, related_name="sums", db_index=False
    )  # the primary key begins with it
    part = models.CharField(max_length=8)
    of = models.CharField(max_length=200)
    by = models.CharField(max_length=8)
    key = models.CharField(max_length=200)
    received = models.IntegerField()
    on_time = models.IntegerField()
    late = models.IntegerField()
    not_yet_due = models.IntegerField()
    excused = models.IntegerField()
    withdrawn = models.IntegerField()
    still_open = models.IntegerField()
    used_25 = models.IntegerField()
    used_50 = models.IntegerField()
    used_75 = models.IntegerField()
    minutes = models.BinaryField()
    open_since = models.DateTimeField(null=True)
    open_calendar = models.BigIntegerField(null=True)
    split = models.IntegerField(null=True)
    split_system = models.BigIntegerField(null=True)
    split_unassigned = models.BigIntegerField(null=True)
    split_holder_a = models.BigIntegerField(null=True)
    split_holder_b = models.BigIntegerField(null=True)
    split_outside = models.BigIntegerField(null=True)
    split_excused = models.BigIntegerField(null=True)

    def __str__(self) -> str:
        return f"{self.part} {self.of} {self.by} {self.key}: {self.received}".strip()


class SlaChangeQuerySet(models.QuerySet["SlaChange"]):
    """Changes by what they touch."""

    def touching(self, kind: Any, began_at: Any, ended_at: Any) -> SlaChangeQuerySet:
        """Return those of ``kind`` whose hour shares a moment with the given span."""
        hour = Value(timedelta(hours=1), output_field=models.DurationField())
        return self.filter(kind=kind, hour__gt=began_at - hour, hour__lt=ended_at)


class SlaChange(models.Model):
    """An hour (UTC) from which something changed that a counted day may hold.

    Triggers write it in the transaction of the change, whoever makes that; a day that touches such
    an hour is counted anew.
    """

    kind = models.CharField(max_length=11, choices=ClockKind)
    hour = models.DateTimeField()

    objects = SlaChangeQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["kind", "hour"], name="sla_change_by_hour")]

    def __str__(self) -> str:
        return f"{self.kind} {self.hour:%Y-%m-%d %H}"


class FunnelDay(models.Model):
    """One day of one time zone, for one kind of cohort, as counted at ``counted_at``.

    Who is counted entered ``basis`` for the first time that day, as one of ``unit``; with the basis
    FLOW, whoever came to a step or exit that day for the first time. The sums hold
    until one of them moves, so ``counted_at`` is empty where they hold no more. The day is from
    ``began_at`` to ``ended_at``, half-open. Written by ``count_funnel_days`` only.
    """

    zone = models.CharField(max_length=64)
    basis = models.CharField(max_length=4)
    unit = models.CharField(max_length=6)
    day = models.DateField()
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    counted_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["zone", "basis", "unit", "day"], name="funnel_day_counted_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.basis} {self.unit} {self.day} {self.zone}"


class FunnelSum(models.Model):
    """The leads or cycles of a day that have ``key`` in common; ``by`` says in what.

    ``lead`` to ``won`` count who came at least so far, ``no_lead`` to ``no_won`` those of them
    without a stay there. ``to_mql`` to ``to_won`` are the times from the step before, as those of
    ``SlaSum``; only where ``by`` is empty.
    """

    pk = models.CompositePrimaryKey("day_id", "by", "key")
    day = models.ForeignKey(
        FunnelDay, on_delete=models.CASCADE, related_name="sums", db_index=False
    )  # the primary key begins with it
    by = models.CharField(max_length=8)
    key = models.CharField(max_length=200)
    lead = models.IntegerField()
    no_lead = models.IntegerField()
    mql = models.IntegerField()
    no_mql = models.IntegerField()
    sal = models.IntegerField()
    no_sal = models.IntegerField()
    sql = models.IntegerField()
    no_sql = models.IntegerField()
    won = models.IntegerField()
    no_won = models.IntegerField()
    recycled = models.IntegerField()
    disqualified = models.IntegerField()
    lost = models.IntegerField()
    overridden = models.IntegerField()
    in_progress = models.IntegerField()
    to_mql = models.BinaryField(null=True)
    to_sal = models.BinaryField(null=True)
    to_sql = models.BinaryField(null=True)
    to_won = models.BinaryField(null=True)

    def __str__(self) -> str:
        return f"{self.by} {self.key}".strip()


class FunnelChangeQuerySet(models.QuerySet["FunnelChange"]):
    """Changes by what they touch."""

    def touching(self, basis: Any, began_at: Any, ended_at: Any) -> FunnelChangeQuerySet:
        """Return those of ``basis`` whose hour shares a moment with the given span."""
        hour = Value(timedelta(hours=1), output_field=models.DurationField())
        return self.filter(basis=basis, hour__gt=began_at - hour, hour__lt=ended_at)


class FunnelChange(models.Model):
    """An hour (UTC) in which somebody entered ``basis`` of whom something changed since.

    For the basis FLOW it is an hour in which somebody moved.

    Triggers write it in the transaction of the change, as those of ``SlaChange``.
    """

    basis = models.CharField(max_length=4)
    hour = models.DateTimeField()

    objects = FunnelChangeQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["basis", "hour"], name="funnel_change_by_hour")]

    def __str__(self) -> str:
        return f"{self.basis} {self.hour:%Y-%m-%d %H}"


class SlaSplit(models.Model):
    """Where the time of one handoff went, up to its first touch or its end: wall time by account.

    The accounts are those of ``split_clock``; together they are its speed to lead. A handoff that
    still waits has none. Written by ``count_splits`` only.
    """

    handoff = models.OneToOneField(
        Handoff, primary_key=True, on_delete=models.CASCADE, related_name="split_time"
    )
    system = models.DurationField()
    unassigned = models.DurationField()
    holder_a = models.DurationField()
    holder_b = models.DurationField()
    outside = models.DurationField()
    excused = models.DurationField()

    def __str__(self) -> str:
        return f"Split clock of handoff {self.handoff_id}"


class SlaSplitDue(models.Model):
    """A handoff whose split clock is to be counted, again or for the first time.

    Triggers write it in the transaction of the change, as those of ``SlaChange``.
    """

    handoff_id = models.BigIntegerField()

    def __str__(self) -> str:
        return f"Handoff {self.handoff_id}"
