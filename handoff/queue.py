"""A rep's work queue: what is theirs to do, in the order in which to do it. Reads only.

Breached first, then by working time left, then by score. A snoozed handoff waits at the end, until
one of its clocks falls due today: a deadline weighs more than a plan.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import Enum
from functools import cached_property
from itertools import groupby

from django.db.models import Count, F, OuterRef, Prefetch, Q, Subquery
from django.utils import timezone

from crm.accounts.models import User
from crm.common.addresses import page_of
from crm.common.ui import words
from crm.common.ui.badges import SlaBadge, waiting_badge
from crm.common.ui.spans import DayRail, RailMark
from handoff.acts import LastAct, last_acts
from handoff.badges import clock_badge, time_left
from handoff.business_hours import BusinessCalendar, open_windows
from handoff.models import Clock, Handoff, HandoffQuerySet, WorkCalendar
from leads.local_time import local_time

SOON = timedelta(hours=1)

#: A queue longer than this shows its most urgent part. Our choice: nobody works through more a day.
LONGEST = 200

_ONE_DAY = timedelta(days=1)
_LONGEST_REASON = 24


class Group(Enum):
    """The stretches of the queue, in order, each with the head it is shown under."""

    OVERDUE = ("Overdue", "octagon-alert", "is-bad")
    SOON = ("Due in 1 h", "alarm-clock", "is-risk")
    TODAY = ("Today", "calendar", "")
    LATER = ("Later", "calendar-days", "")
    WAITING = ("Waiting on buyer", "hourglass", "")

    def __init__(self, label: str, icon: str, tone: str) -> None:
        """Name the parts of the value."""
        self.label = label
        self.icon = icon
        self.tone = tone

    @property
    def is_due_today(self) -> bool:
        """Say whether its rows are to be done today."""
        return self in (Group.OVERDUE, Group.SOON, Group.TODAY)


ORDER = {group: place for place, group in enumerate(Group)}


class NextAct(Enum):
    """The one button of a row: label and icon."""

    ACCEPT = ("Accept", "check")
    LOG = ("Log attempt", "phone")
    BANT = ("Record BANT", "clipboard-check")

    def __init__(self, label: str, icon: str) -> None:
        """Name the parts of the value."""
        self.label = label
        self.icon = icon


@dataclass(frozen=True)
class Row:
    """One handoff as the queue shows it.

    Attributes:
        handoff: With its lead, BANT form, touches, agreement and calendar.
        clock: The one that falls due next; None when none runs.
        left: Working time until then, negative when overdue.
        group: The stretch of the queue.
        badge: How the clock stands.
        last_act: What happened last, and when; empty when nothing did.
        there: The city, with the time there.
        links: The row's anchors and the addresses of its acts, by name.
    """

    handoff: Handoff
    clock: Clock | None
    left: timedelta
    group: Group
    badge: SlaBadge
    last_act: str
    there: str
    links: Mapping[str, str]

    @property
    def next_act(self) -> NextAct:
        """Return what is to be done next: accept, reach the buyer, or record what they said."""
        if self.handoff.is_offered:
            return NextAct.ACCEPT
        return NextAct.BANT if self.handoff.is_reached else NextAct.LOG

    @property
    def role(self) -> str:
        """Return title and company."""
        lead = self.handoff.lead
        return ", ".join(filter(None, (lead.title, lead.company_name)))

    @property
    def explanation(self) -> str:
        """Return why the clock is due when it is, in one line."""
        if self.clock is None:
            return ""
        opened_at = timezone.localtime(self.handoff.opened_at)
        policy = f"tier {self.handoff.tier}" if self.handoff.tier else "default policy"
        target = words.working_time(self.clock.target)
        return (
            f"Handed over {opened_at:%a %H:%M}, {policy}: {self.badge.clock.lower()} within"
            f" {target} of working time, calendar {self.handoff.calendar}."
        )

    @property
    def answers(self) -> Sequence[str]:
        """Return the answers of the form for the mark."""
        return answers_of(self.handoff)

    @property
    def labels(self) -> Sequence[str]:
        """Return what the questions of the form are called."""
        bant = getattr(self.handoff, "bant", None)
        return bant.labels if bant else []

    def was_tried(self, since: datetime) -> bool:
        """Say whether sales touched the buyer ``since`` then."""
        return any(touch.occurred_at >= since for touch in self.handoff.touches.all())

    @property
    def place(self) -> tuple[int, timedelta, float, int]:
        """Return where the row stands in the queue."""
        return ORDER[self.group], self.left, -float(self.handoff.score or 0), self.handoff.pk


@dataclass(frozen=True)
class Queue:
    """Everything the queue page shows. ``opened`` is the row with its actions, None for none."""

    rows: Sequence[Row]
    opened: Row | None
    now: datetime
    rail: DayRail | None
    done: int
    on_time: int
    in_pool: str
    opens_at: datetime | None

    @cached_property
    def groups(self) -> list[tuple[Group, list[Row]]]:
        """Return the groups that have rows."""
        found = groupby(self.rows, key=lambda row: row.group)
        return [(group, list(rows)) for group, rows in found]

    @property
    def due_today(self) -> int:
        """Return how many are left to do today."""
        return sum(row.group.is_due_today for row in self.rows)

    @property
    def overdue(self) -> int:
        """Return how many are in breach."""
        return sum(row.group is Group.OVERDUE for row in self.rows)

    @property
    def due_soon(self) -> int:
        """Return how many are due within an hour of working time."""
        return sum(row.group is Group.SOON for row in self.rows)

    @property
    def next_due_at(self) -> datetime | None:
        """Return when the next of the later ones is due."""
        due = (row.clock.due_at for row in self.rows if row.clock)
        return min(due, default=None)


def load_queue(
    user: User, *, now: datetime, opened: int | None = None, answered: int | None = None
) -> Queue:
    """Read the queue of ``user`` with a constant number of queries.

    Args:
        user: Whose queue.
        now: The moment of reading.
        opened: The handoff to show with its actions; by default the first.
        answered: The handoff just answered, when the most urgent one to go on with is opened.
    """
    rows = sorted(rows_of(Handoff.objects.open().filter(holder=user), user, now=now), key=_by_place)
    calendar = WorkCalendar.objects.measuring(user.sales_team, user)
    done, on_time = _done_today(user, now)
    return Queue(
        rows=rows,
        opened=_to_open(rows, opened, answered, since=_midnight(now)),
        now=now,
        rail=_rail(rows, calendar.hours, now) if calendar else None,
        done=done,
        on_time=on_time,
        in_pool=Handoff.objects.in_pool_of(user).figure(),
        opens_at=calendar.opens_at(now) if calendar else None,
    )


def _to_open(
    rows: Sequence[Row], opened: int | None, answered: int | None, *, since: datetime
) -> Row | None:
    """Return the row asked for, else the most urgent.

    After an answer those tried ``since`` come last: two overdue ones whom nobody reaches would
    otherwise open in turn for ever.
    """
    asked = next((row for row in rows if row.handoff.pk == opened), None)
    if asked or answered is None:
        return asked or next(iter(rows), None)
    others = [row for row in rows if row.handoff.pk != answered]
    return min(others or rows, key=lambda row: row.was_tried(since), default=None)


def rows_of(handoffs: HandoffQuerySet, viewer: User, *, now: datetime) -> list[Row]:
    """Read ``handoffs`` as rows, in no order, with a constant number of queries.

    Of very many, those whose clocks fall due next.
    """
    running = Clock.objects.running().order_by("due_at", "id")
    next_due = running.filter(handoff=OuterRef("pk")).values("due_at")[:1]
    urgent = handoffs.order_by(Subquery(next_due), "pk")[:LONGEST]
    clocks = Prefetch("clocks", running, "running")
    lean = urgent.for_display().defer("brief", "lead__attributes", "lead__search_text")
    found = list(lean.prefetch_related(clocks, "touches"))
    acts = last_acts(found, viewer, now)
    times = {country: _time_in(country, now) for country in {each.lead.country for each in found}}
    return [_row(each, acts.get(each.pk), times[each.lead.country], now) for each in found]


def due_today(user: User, *, now: datetime) -> int:
    """Count what ``user`` has left to do today: the number beside the queue in the side bar."""
    theirs = Clock.objects.running().filter(
        handoff__holder=user, handoff__closed_at__isnull=True, due_at__lt=_midnight(now) + _ONE_DAY
    )
    number: int = theirs.aggregate(number=Count("handoff", distinct=True))["number"]
    return number


def answers_of(handoff: Handoff) -> Sequence[str]:
    """Return the answers of the form of ``handoff``, loaded with it."""
    bant = getattr(handoff, "bant", None)
    return list(bant.answers.values()) if bant else []


def _by_place(row: Row) -> tuple[int, timedelta, float, int]:
    return row.place


def _time_in(country: str, now: datetime) -> str:
    there = local_time(country, now)
    return f"{there:%H:%M}" if there else ""


def _row(handoff: Handoff, last_act: LastAct | None, time_there: str, now: datetime) -> Row:
    calendar = handoff.calendar.hours
    clock: Clock | None = next(iter(handoff.running), None)  # type: ignore[attr-defined]  # to_attr
    left = time_left(clock, calendar, now=now) if clock else timedelta.max
    group = _group(handoff, clock, left, now)
    return Row(
        handoff=handoff,
        clock=clock,
        left=left,
        group=group,
        badge=clock_badge(clock, calendar, now=now)
        if clock and group is not Group.WAITING
        else _waiting(handoff),
        last_act=_said(last_act, now) if last_act else "",
        there=f"{handoff.lead.city} {time_there}".strip(),
        links=_links(handoff),
    )


def _said(act: LastAct, now: datetime) -> str:
    """Say what happened last, with the day unless that is today."""
    at, today = timezone.localtime(act.at), timezone.localtime(now)
    when = "" if at.date() == today.date() else f"{words.day(at, today)} "
    return f"{act.title}, {when}{at:%H:%M}"


def _links(handoff: Handoff) -> Mapping[str, str]:
    key = handoff.pk
    anchors = {"row": f"handoff-{key}", "name": f"open-{key}", "open": f"?open={key}"}
    pages = {name: page_of(f"handoff:{name}", key) for name in ("handoff", "accept", "log", "bant")}
    return anchors | pages | {"lead": page_of("leads:detail", handoff.lead_id)}


def _group(handoff: Handoff, clock: Clock | None, left: timedelta, now: datetime) -> Group:
    if clock and clock.due_at < now:
        return Group.OVERDUE
    if clock and clock.due_at < _midnight(now) + _ONE_DAY:
        return Group.SOON if left <= SOON else Group.TODAY
    is_snoozed = handoff.snoozed_until is not None and handoff.snoozed_until > now
    return Group.WAITING if is_snoozed else Group.LATER


def _waiting(handoff: Handoff) -> SlaBadge:
    """Return when a row comes back, and what the buyer is waited for."""
    if handoff.snoozed_until is None:
        return waiting_badge(clock="Open", text="No deadline")
    until = timezone.localtime(handoff.snoozed_until)
    reason = handoff.snooze_reason
    short = reason if len(reason) <= _LONGEST_REASON else f"{reason[:_LONGEST_REASON].rstrip()}…"
    return waiting_badge(
        clock=f"{until:%H:%M}, {short}",
        text=f"{until:%a} {until.day} {until:%b}",
        title=f"{reason}. Comes back {until:%a} {until.day} {until:%b %H:%M}",
    )


def _midnight(now: datetime) -> datetime:
    """Return the start of the viewer's day."""
    return datetime.combine(timezone.localtime(now).date(), time(), timezone.get_current_timezone())


def _rail(rows: Iterable[Row], hours: BusinessCalendar, now: datetime) -> DayRail | None:
    """Lay today's due times onto today's working windows; None on a day without any."""
    start = _midnight(now)
    windows = [
        (timezone.localtime(span.start), timezone.localtime(span.end))
        for span in open_windows(start, start + _ONE_DAY, hours)
    ]
    if not windows:
        return None
    marks = [_mark(row, row.clock) for row in rows if row.group.is_due_today and row.clock]
    return DayRail(windows=windows, now=timezone.localtime(now), marks=marks)


def _mark(row: Row, clock: Clock) -> RailMark:
    due_at = timezone.localtime(clock.due_at)
    return RailMark(
        state=row.badge.state,
        at=due_at,
        row=f"handoff-{row.handoff.pk}",
        title=f"{row.handoff.lead.display_name}, {row.badge.clock.lower()} by {due_at:%H:%M}",
    )


def _done_today(user: User, now: datetime) -> tuple[int, int]:
    """Return how many clocks ``user`` stopped today, and how many of them in time."""
    stopped = Clock.objects.filter(answerable=user, stopped_at__gte=_midnight(now))
    in_time = Count("pk", filter=Q(stopped_at__lte=F("due_at")))
    counts = stopped.aggregate(done=Count("pk"), on_time=in_time)
    return counts["done"], counts["on_time"]
