"""The BANT form of a handoff: saved as often as one likes, submitted once with its verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, time
from typing import Any

from django.db import transaction

from crm.accounts.enums import Role
from crm.accounts.models import User
from handoff.answer_lines import aligned, with_fields
from handoff.bant import (
    DECISION_FIELDS,
    Decision,
    is_last,
    problems,
    propose,
    unkept,
    without_leftovers,
)
from handoff.enums import ClockKind, HandoffState, Verdict, WakeOn
from handoff.models import BantAssessment, Handoff
from handoff.services.answers import record_acceptance
from handoff.services.clocks import stop_clock
from handoff.services.closing import close_handoff
from handoff.services.locking import lock_for
from leads.enums import LifecycleStage
from leads.services import change_stage, set_next_step

#: Verdict -> how the handoff closes, where the lead goes.
_OUTCOMES = {
    Verdict.SQL: (HandoffState.QUALIFIED, LifecycleStage.SQL),
    Verdict.RECYCLE: (HandoffState.RECYCLED, LifecycleStage.RECYCLED),
    Verdict.DISQUALIFY: (HandoffState.DISQUALIFIED, LifecycleStage.DISQUALIFIED),
}


_SAVED = ("proposed_verdict", "saved_at", "saved_by")


class BantIncomplete(ValueError):
    """The verdict lacks something, or a date cannot be; ``problems`` says what, by field."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        """Join the sentences for whoever shows one line."""
        super().__init__(" ".join(problems.values()))
        self.problems = dict(problems)


@transaction.atomic
def save_bant(
    *, handoff_id: int, rep: User, fields: Mapping[str, Any], now: datetime
) -> BantAssessment:
    """Keep a draft: any part of the form, complete or not.

    Args:
        handoff_id: An open handoff.
        rep: Who writes.
        fields: Values by name, of ``answer_lines.field_names`` and ``DECISION_FIELDS``; the others
            stay.
        now: The moment of saving.

    Raises:
        BantIncomplete: a date lies outside of the years that are known; nothing is written.
        HandoffClosed: it is no longer open.
        HandoffTaken: it is in the hands of somebody else.
    """
    handoff = lock_for(handoff_id, rep)
    return _save(handoff, rep, fields, now)


@transaction.atomic
def submit_bant(
    *, handoff_id: int, rep: User, fields: Mapping[str, Any], now: datetime
) -> BantAssessment:
    """Record answers, verdict and next step as one act, move the lead and close the handoff.

    Stops the verdict clock. A first touch that was never logged stays unproven: that clock is
    withdrawn, in breach if it was overdue. ``fields`` as for ``save_bant``.

    Raises:
        BantIncomplete: the verdict lacks what it needs; nothing is written.
        CannotHold: it is in the pool, and ``rep`` is no sales rep.
        HandoffClosed: it is no longer open.
        HandoffTaken: it is in the hands of somebody else.
    """
    handoff = lock_for(handoff_id, rep)
    bant = _save(handoff, rep, fields, now)
    today = now.astimezone(handoff.calendar.hours.timezone).date()
    decision = Decision(**{name: getattr(bant, name) for name in DECISION_FIELDS})
    missing = problems(decision, proposed=Verdict(bant.proposed_verdict), now=now, today=today)
    missing |= _recycled_too_often(decision, handoff, rep)
    if missing:
        raise BantIncomplete(missing)
    for name, value in asdict(without_leftovers(decision)).items():
        setattr(bant, name, value)
    bant.submitted_at = now
    bant.save(update_fields=["submitted_at", *DECISION_FIELDS])
    state, stage = _OUTCOMES[Verdict(bant.verdict)]
    record_acceptance(handoff, rep=rep, now=now, evidence_at=now)
    stop_clock(handoff, ClockKind.VERDICT, at=now)
    close_handoff(handoff, state, now=now)
    _move_lead(bant, handoff, stage, now=now)
    return bant


def cycles_of(handoff: Handoff) -> int:
    """Return in how many cycles the lead came to sales; 1 where the policy does not ask."""
    return Handoff.objects.cycles_of(handoff) if handoff.policy.most_cycles else 1


def _recycled_too_often(decision: Decision, handoff: Handoff, rep: User) -> dict[str, str]:
    """Return why ``rep`` may not recycle the lead again: only a manager overrides the limit."""
    if decision.verdict != Verdict.RECYCLE or rep.has_role(Role.MANAGER, Role.ADMIN):
        return {}
    if not is_last(cycles_of(handoff), handoff.policy):
        return {}
    times = handoff.policy.most_cycles
    return {"verdict": f"It came to Sales {times} times already: only a manager recycles it again."}


def _save(handoff: Handoff, rep: User, fields: Mapping[str, Any], now: datetime) -> BantAssessment:
    _check_dates(fields)
    policy = handoff.policy
    bant, _ = BantAssessment.objects.get_or_create(handoff=handoff, defaults={"saved_at": now})
    bant.framework = policy.framework
    bant.lines = with_fields(aligned(bant.lines, policy), fields)
    decided = [name for name in DECISION_FIELDS if name in fields]
    for name in decided:
        setattr(bant, name, fields[name])
    bant.proposed_verdict = propose(bant.answers, policy=policy, cycles=cycles_of(handoff)).verdict
    bant.saved_at, bant.saved_by = now, rep
    bant.save(update_fields=[*decided, "framework", "lines", *_SAVED])
    return bant


def _check_dates(fields: Mapping[str, Any]) -> None:
    dates = {name: fields.get(name) for name in ("next_step_at", "wake_date")}
    if found := unkept(**dates):
        raise BantIncomplete(found)


def _move_lead(
    bant: BantAssessment, handoff: Handoff, stage: LifecycleStage, *, now: datetime
) -> None:
    """Take the lead where the verdict sends it, with its reason, wake-up and next step."""
    is_sql, is_recycled = stage is LifecycleStage.SQL, stage is LifecycleStage.RECYCLED
    reason = {
        LifecycleStage.SQL: bant.override_reason,
        LifecycleStage.RECYCLED: bant.get_recycle_reason_display(),
        LifecycleStage.DISQUALIFIED: bant.get_disqualify_reason_display(),
    }[stage]
    zone = handoff.calendar.hours.timezone
    change_stage(
        lead_id=handoff.lead_id,
        to_stage=stage,
        now=now,
        actor=bant.saved_by,
        rule="BANT verdict",
        reason=reason[:200],
        wake_at=datetime.combine(bant.wake_date, time(), tzinfo=zone)
        if is_recycled and bant.wake_date
        else None,
        wakes_on_act=is_recycled and bant.wake_on == WakeOn.ACT,
    )
    set_next_step(
        lead_id=handoff.lead_id,
        next_step=bant.next_step if is_sql else "",
        next_step_at=bant.next_step_at if is_sql else None,
    )
