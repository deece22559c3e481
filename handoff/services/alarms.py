"""What people are told when a clock warns or is breached: one message per handoff and sweep."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo
from functools import cached_property
from typing import NamedTuple

from crm.accounts.enums import NewsKind
from crm.accounts.models import User
from crm.common.addresses import page_of
from crm.common.notifications import News
from handoff.enums import Alarm, ClockKind
from handoff.services.people import answering_for, leaders, pool_of

_GRAVITY = {Alarm.FIRST: 0, Alarm.LAST: 1, Alarm.ESCALATE: 2, Alarm.BREACH: 3}
_WORDS = {
    Alarm.FIRST: "is running out",
    Alarm.LAST: "at risk",
    Alarm.ESCALATE: "still overdue",
    Alarm.BREACH: "overdue",
}
_ICONS = {
    Alarm.FIRST: "clock",
    Alarm.LAST: "alarm-clock",
    Alarm.ESCALATE: "octagon-alert",
    Alarm.BREACH: "octagon-alert",
}


class DueClock(NamedTuple):
    """What a sweep found of a clock: the alarm it was to give, and its times."""

    id: int
    handoff_id: int
    kind: str
    alarm: str
    last_warning_at: datetime
    due_at: datetime
    escalate_at: datetime
    reassign_at: datetime | None


class DueHandoff(NamedTuple):
    """What a message says of a handoff with due clocks; ``zone`` is that of its calendar."""

    id: int
    lead_name: str
    holder: User | None
    team_id: int | None
    zone: tzinfo


class Audience:
    """Who hears of the handoffs of a team; asked of the database once per sweep."""

    def __init__(self) -> None:
        """Ask nothing yet."""
        self._pools: dict[int | None, list[User]] = {}
        self._managers: dict[int | None, list[User]] = {}

    def of(
        self, handoff: DueHandoff, alarm: Alarm, clocks: Sequence[DueClock], now: datetime
    ) -> list[User]:
        """Return the holder, or the pool; managers once it is escalated or nobody holds it.

        Somebody whose access has ended holds nothing that a message could help with, and whose time
        is up hears that it is no longer theirs.
        """
        if handoff.holder is None or not handoff.holder.is_active:
            return [*self._pool(handoff.team_id), *self._managers_of(handoff.team_id)]
        is_taken = any(clock.reassign_at and clock.reassign_at < now for clock in clocks)
        is_escalated = any(clock.escalate_at < now for clock in clocks)
        holder = [] if is_taken or alarm is Alarm.ESCALATE else [handoff.holder]
        return [*holder, *(self._managers_of(handoff.team_id) if is_escalated else [])]

    @cached_property
    def _leaders(self) -> list[User]:
        return leaders()

    def _managers_of(self, team_id: int | None) -> list[User]:
        if team_id not in self._managers:
            self._managers[team_id] = answering_for(team_id, self._leaders)
        return self._managers[team_id]

    def _pool(self, team_id: int | None) -> list[User]:
        if team_id not in self._pools:
            self._pools[team_id] = pool_of(team_id)
        return self._pools[team_id]


def alarm_owed(clock: DueClock, now: datetime) -> Alarm:
    """Return the last alarm that ``clock`` has passed at ``now``; earlier ones are overtaken.

    A breach that is told for the first time is a breach, however long ago it was.
    """
    if clock.alarm == Alarm.ESCALATE:
        return Alarm.ESCALATE
    if clock.due_at < now:
        return Alarm.BREACH
    return Alarm.LAST if clock.last_warning_at < now else Alarm.FIRST


def news_of(
    handoff: DueHandoff, clocks: Sequence[DueClock], audience: Audience, *, now: datetime
) -> News:
    """Return one message about the gravest alarm among ``clocks``, naming all that share it."""
    owed = {clock.id: alarm_owed(clock, now) for clock in clocks}
    gravest = max(owed.values(), key=_GRAVITY.__getitem__)
    meant = sorted(
        (clock for clock in clocks if owed[clock.id] is gravest), key=lambda clock: clock.due_at
    )
    names = " and ".join(ClockKind(clock.kind).label for clock in meant)
    return News(
        kind=NewsKind.DEADLINE,
        recipients=audience.of(handoff, gravest, clocks, now),
        key=_key(handoff.id, meant[0].kind, gravest, meant[0].due_at),
        title=f"{names} {_WORDS[gravest]}: {handoff.lead_name}",
        body=_body(handoff, meant[0], now),
        url=page_of("handoff:handoff", handoff.id),
        icon=_ICONS[gravest],
        topic=f"handoff:{handoff.id}",
    )


def keys_of_breach(handoff_id: int) -> list[str]:
    """Return the keys of all breaches that people can be told of a handoff."""
    return [_key(handoff_id, kind, Alarm.BREACH) for kind in ClockKind]


def _key(handoff_id: int, kind: str, alarm: Alarm, due_at: datetime | None = None) -> str:
    """Return the natural key of an alarm: warnings come again for a deadline that was moved."""
    is_warning = alarm in (Alarm.FIRST, Alarm.LAST)
    due = f"due {due_at.timestamp():.0f}:" if due_at and is_warning else ""
    return f"handoff:{handoff_id}:{due}{kind}:{alarm}".lower()


def _body(handoff: DueHandoff, clock: DueClock, now: datetime) -> str:
    due_at = clock.due_at.astimezone(handoff.zone)
    holder = handoff.holder.full_name if handoff.holder else "nobody, it is in the pool"
    lost = ", whose time is up" if clock.reassign_at and clock.reassign_at < now else ""
    return f"Due {due_at:%a} {due_at.day} {due_at:%b %H:%M} {due_at:%Z}. With {holder}{lost}."
