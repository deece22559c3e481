"""What a manager decides: whether late evidence counts, and whether a breach is excused.

Nobody decides on their own word, nor on a deadline of their own. A decision is final, a refused
excuse may be asked for anew.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from crm.accounts.enums import NewsKind, Role
from crm.accounts.models import User
from crm.common.notifications import notify
from handoff.enums import Approval, ClockKind, ExcuseReason
from handoff.models import Clock, Excuse, Handoff, Touch
from handoff.models.handoff import MOST_COUNTED
from handoff.services.clocks import antedate_stop
from handoff.services.locking import lock_any
from handoff.services.people import managers_of
from handoff.services.touches import date_touch

DECIDERS = (Role.MANAGER, Role.ADMIN)
#: The clocks that a touch stops.
BY_TOUCH = (ClockKind.ACCEPT, ClockKind.FIRST_TOUCH)


class ExcuseRefused(ValueError):
    """An excuse that cannot be asked for so; the message says what to do."""


class DecisionRefused(Exception):
    """This person cannot decide, or it is decided already; the message says so."""


@transaction.atomic
def decide_touch(*, touch_id: int, decider: User, grant: bool, now: datetime) -> Touch:
    """Let a back-dated touch count from when it happened, or not at all for the deadlines.

    Raises:
        DecisionRefused: no manager, their own touch or deadline, or decided already.
    """
    handoff = lock_any(Touch.objects.values_list("handoff", flat=True).get(pk=touch_id))
    touch = Touch.objects.select_related("rep").get(pk=touch_id)
    owed = handoff.clocks.filter(kind__in=BY_TOUCH).values_list("answerable", flat=True)
    _check_decider(decider, touch.approval, concerned=[touch.rep_id, *owed])
    touch.approval = _decided(grant=grant)
    touch.decided_by, touch.decided_at = decider, now
    touch.save(update_fields=["approval", "decided_by", "decided_at"])
    if grant:
        for kind in BY_TOUCH:
            antedate_stop(handoff, kind, at=touch.occurred_at)
        date_touch(handoff, touch)
    _answer(handoff, touch.rep, f"touch:{touch.pk}", "Late evidence", decider, touch.approval, now)
    return touch


@transaction.atomic
def ask_excuse(
    *,
    clock_id: int,
    asker: User,
    reason: ExcuseReason,
    started_at: datetime,
    ended_at: datetime,
    now: datetime,
    note: str = "",
) -> Excuse:
    """Ask the managers to excuse a breach for what happened from ``started_at`` to ``ended_at``.

    Raises:
        ExcuseRefused: no breach, not theirs to excuse, a stretch outside of the clock's time, or an
            excuse that stands already.
    """
    handoff = lock_any(Clock.objects.values_list("handoff", flat=True).get(pk=clock_id))
    clock = Clock.objects.get(pk=clock_id)
    _check_excusable(clock, asker, now)
    _check_stretch(clock, started_at, ended_at, now)
    excuse = Excuse.objects.create(
        clock=clock,
        reason=reason,
        note=note,
        started_at=started_at,
        ended_at=ended_at,
        asked_by=asker,
        asked_at=now,
    )
    notify(
        kind=NewsKind.DECISION,
        recipients=[each for each in managers_of(handoff.team_id) if each != asker],
        key=f"handoff:{handoff.pk}:excuse:{excuse.pk}",
        title=f"Excuse to decide: {handoff.lead.display_name}",
        body=f"{asker.full_name}: {reason.label}. {note}".strip(),
        url=handoff.get_absolute_url(),
        icon="message-square-warning",
        topic=f"handoff:{handoff.pk}",
        now=now,
    )
    return excuse


@transaction.atomic
def decide_excuse(
    *, excuse_id: int, decider: User, grant: bool, now: datetime, answer: str = ""
) -> Excuse:
    """Grant or refuse an excuse. The breach stays recorded; a granted one counts apart.

    Raises:
        DecisionRefused: no manager, their own excuse or deadline, decided already, or evidence in
            time came in since.
    """
    handoff = lock_any(Excuse.objects.values_list("clock__handoff", flat=True).get(pk=excuse_id))
    excuse = Excuse.objects.select_related("asked_by", "clock").get(pk=excuse_id)
    concerned = [excuse.asked_by_id, excuse.clock.answerable_id]
    _check_decider(decider, excuse.approval, concerned=concerned)
    if grant and not excuse.clock.is_missed(now):
        raise DecisionRefused("This deadline was kept after all: there is nothing to excuse.")
    excuse.approval, excuse.answer = _decided(grant=grant), answer
    excuse.decided_by, excuse.decided_at = decider, now
    excuse.save(update_fields=["approval", "answer", "decided_by", "decided_at"])
    if grant:
        handoff.clocks.filter(pk=excuse.clock_id).update(excused_at=now)
    topic = f"excuse:{excuse.pk}"
    _answer(handoff, excuse.asked_by, topic, "Excuse", decider, excuse.approval, now)
    return excuse


def may_excuse(clock: Clock, asker: User, *, now: datetime) -> bool:
    """Say whether ``asker`` may ask for this breach: it is theirs, or they manage."""
    is_theirs = clock.answerable_id == asker.pk or asker.has_role(*DECIDERS)
    return is_theirs and clock.is_missed(now)


def _check_excusable(clock: Clock, asker: User, now: datetime) -> None:
    if not clock.is_missed(now):
        raise ExcuseRefused("This deadline was not missed: there is nothing to excuse.")
    if not may_excuse(clock, asker, now=now):
        raise ExcuseRefused("Who let the deadline pass asks to be excused, or a manager does.")
    if clock.excuses.exclude(approval=Approval.REFUSED).exists():
        raise ExcuseRefused("There is an excuse for this deadline already.")


def _check_stretch(clock: Clock, started_at: datetime, ended_at: datetime, now: datetime) -> None:
    if started_at >= ended_at:
        raise ExcuseRefused("It ends before it begins: turn the two times around.")
    if ended_at > now:
        raise ExcuseRefused("This lies in the future: ask once it is over.")
    if started_at < clock.started_at or ended_at > (clock.ended_at or now):
        raise ExcuseRefused("This lies outside of the time in which the clock ran.")


def _check_decider(decider: User, approval: str, *, concerned: Collection[int | None]) -> None:
    if approval != Approval.PENDING:
        raise DecisionRefused(f"This is decided already: {Approval(approval).label.lower()}.")
    if not decider.has_role(*DECIDERS):
        raise DecisionRefused("A manager decides on this.")
    if decider.pk in concerned:
        raise DecisionRefused("Somebody else has to decide: this is about you.")


def _decided(*, grant: bool) -> Approval:
    return Approval.GRANTED if grant else Approval.REFUSED


def _answer(
    handoff: Handoff, to: User, what: str, title: str, decider: User, approval: str, now: datetime
) -> None:
    notify(
        kind=NewsKind.DECISION,
        recipients=[to],
        key=f"handoff:{handoff.pk}:{what}:decided",
        title=f"{title} {Approval(approval).label.lower()}: {handoff.lead.display_name}",
        body=f"By {decider.full_name}.",
        url=handoff.get_absolute_url(),
        icon="check" if approval == Approval.GRANTED else "x",
        topic=f"handoff:{handoff.pk}",
        now=now,
    )


def waiting_figure(most: int = MOST_COUNTED) -> str:
    """Say how much waits for a manager, counted up to ``most``: ``12``, ``1000+``."""
    rows = (each.objects.filter(approval=Approval.PENDING)[:most] for each in (Excuse, Touch))
    number = min(sum(found.count() for found in rows), most)
    return f"{number}+" if number == most else str(number or "")
