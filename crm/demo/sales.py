"""What sales does with an invented MQL: answers, calls, the verdict, the deal. Pure.

Every time is working time of the team's calendar, laid out by the real arithmetic. A plan goes on
into the future; whoever carries it out stops at the present.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from handoff.business_hours import BusinessCalendar, add_working_time
from handoff.enums import (
    BantAnswer,
    ClockKind,
    DisqualifyReason,
    RecycleReason,
    RejectionReason,
    TouchChannel,
    TouchOutcome,
    Verdict,
)
from handoff.evidence import CONNECTED

DAY = timedelta(days=1)
Targets = Mapping[ClockKind, timedelta]

_REJECTIONS = {
    RejectionReason.NOT_A_FIT: (30, "Job shop without own machines"),
    RejectionReason.NO_CONTACT_DATA: (20, "Number does not exist, mail bounced"),
    RejectionReason.DUPLICATE: (15, "Same project as a colleague"),
    RejectionReason.TOO_EARLY: (25, "Only reading for a thesis on maintenance"),
    RejectionReason.COMPETITOR: (10, "Works for another vendor"),
}
_NOTES = {
    TouchOutcome.CONNECTED: ("Good talk, sends the machine list", "Wants to involve the plant",
                             "Explained the rollout, interested", "Short call, will read first"),
    TouchOutcome.NO_ANSWER: ("",),
    TouchOutcome.LEFT_MESSAGE: ("Message with the assistant", "Asked for a call back"),
    TouchOutcome.SENT: ("Sent the case study", "Sent two dates"),
    TouchOutcome.BOOKED: ("Demo booked with the shift leads", "Meeting at the plant booked"),
}  # fmt: skip
_NEXT_STEPS = ("Demo for the maintenance team", "Send an offer for two sites",
               "Site visit with operations", "Call with IT about the connection")  # fmt: skip
_DETAILS = {
    "budget": ("25-50k approved", "Part of next year's plan", "10-25k", "Decided by the group"),
    "authority": ("Plant director decides", "Decides alone up to 30k", "Buying committee"),
    "need": ("Stops cost a shift a month", "Audit asks for a plan", "Spreadsheets break down"),
    "timeline": ("Start in the spring shutdown", "Within two months", "After the audit"),
}
_LACKS = (
    ("budget", RecycleReason.NO_BUDGET),
    ("authority", RecycleReason.NO_AUTHORITY),
    ("timeline", RecycleReason.NO_TIMELINE),
)


@dataclass(frozen=True, slots=True)
class Rep:
    """How a salesperson works: ``pace`` below 1 is quicker than the team, above 1 slower."""

    pace: float
    closes: float


@dataclass(frozen=True, slots=True)
class Contact:
    """One attempt to reach the lead."""

    at: datetime
    channel: TouchChannel
    outcome: TouchOutcome
    note: str = ""


@dataclass(frozen=True, slots=True)
class Ruling:
    """The verdict and everything that the BANT form holds beside it."""

    at: datetime
    verdict: Verdict
    fields: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Close:
    """How the deal ends."""

    at: datetime
    won: bool
    value: Decimal


@dataclass
class Plan:
    """What sales will do, in order of time."""

    accept_at: datetime | None = None
    rejection: tuple[datetime, RejectionReason, str] | None = None
    handed_on_at: datetime | None = None
    contacts: list[Contact] = field(default_factory=list)
    ruling: Ruling | None = None
    close: Close | None = None


def make_plan(
    rng: Random,
    *,
    opened_at: datetime,
    targets: Targets,
    calendar: BusinessCalendar,
    rep: Rep,
    promise: float,
) -> Plan:
    """Return what happens to a handoff; ``promise`` is the chance of an SQL for a lead like this.

    About nine of ten answers come in time.
    """

    def after(start: datetime, span: timedelta) -> datetime:
        return add_working_time(start, span, calendar)

    def within(kind: ClockKind, median: float, spread: float) -> datetime:
        share = rep.pace * rng.lognormvariate(0, spread) * median
        return after(opened_at, targets[kind] * min(share, 3.0))

    answered_at = max(within(ClockKind.ACCEPT, 0.36, 0.64), opened_at + timedelta(seconds=40))
    if rng.random() < 0.10:
        return _rejected(rng, answered_at)
    plan = Plan(accept_at=answered_at)
    if rng.random() < 0.04:
        plan.handed_on_at = after(answered_at, targets[ClockKind.FIRST_TOUCH] * 0.3)
    start = max(
        plan.handed_on_at or answered_at, within(ClockKind.FIRST_TOUCH, 0.43, 0.5)
    ) + timedelta(minutes=rng.uniform(0.5, 3))
    plan.contacts = _contacts(rng, start, targets[ClockKind.VERDICT], after)
    is_reached = plan.contacts[-1].outcome in CONNECTED
    ready_at = plan.contacts[-1].at + timedelta(minutes=rng.uniform(4, 40))
    ruled_at = max(ready_at, within(ClockKind.VERDICT, 0.45, 0.45))
    plan.ruling = (_ruling if is_reached else _gave_up)(rng, ruled_at, promise * rep.closes)
    if plan.ruling.verdict is Verdict.SQL:
        plan.close = _close(rng, ruled_at, promise)
    return plan


def _rejected(rng: Random, at: datetime) -> Plan:
    reason = rng.choices(list(_REJECTIONS), [weight for weight, _ in _REJECTIONS.values()])[0]
    return Plan(rejection=(at, reason, _REJECTIONS[reason][1] if rng.random() < 0.6 else ""))


def _contacts(rng: Random, start: datetime, allowed: timedelta, after: Any) -> list[Contact]:
    """Up to six attempts; the last one is the one that succeeds, if any does."""
    contacts = []
    at = start
    for _ in range(rng.choice((4, 5, 6, 6))):
        contact = _contact(rng, at)
        contacts.append(contact)
        if contact.outcome in CONNECTED:
            break
        at = after(at, allowed * rng.uniform(0.04, 0.13))
    return contacts


def _contact(rng: Random, at: datetime) -> Contact:
    draw = rng.random()
    if draw < 0.40:
        kind = TouchChannel.CALL, TouchOutcome.CONNECTED
    elif draw < 0.48:
        kind = TouchChannel.MEETING, TouchOutcome.BOOKED
    elif draw < 0.74:
        kind = TouchChannel.CALL, TouchOutcome.NO_ANSWER
    elif draw < 0.88:
        kind = TouchChannel.CALL, TouchOutcome.LEFT_MESSAGE
    else:
        kind = TouchChannel.EMAIL, TouchOutcome.SENT
    return Contact(at, *kind, note=rng.choice(_NOTES[kind[1]]))


def _ruling(rng: Random, at: datetime, promise: float) -> Ruling:
    if rng.random() < promise:
        return _qualified(rng, at)
    if rng.random() < 0.68:
        return _recycled(rng, at)
    reasons = (DisqualifyReason.NO_NEED, DisqualifyReason.NOT_A_FIT, DisqualifyReason.COMPETITOR)
    answers = _answers(rng, need=BantAnswer.NO)
    return Ruling(at, Verdict.DISQUALIFY, {**answers, "disqualify_reason": rng.choice(reasons)})


def _qualified(rng: Random, at: datetime) -> Ruling:
    lacking: dict[str, BantAnswer] = {}
    fields: dict[str, Any] = {}
    if rng.random() < 0.14:
        lacking = {rng.choice(("budget", "timeline")): BantAnswer.UNKNOWN}
        fields["override_reason"] = "Known customer group, the missing answer follows"
    return Ruling(
        at,
        Verdict.SQL,
        {
            **_answers(rng, **lacking),
            **fields,
            "next_step": rng.choice(_NEXT_STEPS),
            "next_step_at": at + rng.uniform(2, 12) * DAY,
        },
    )


def _recycled(rng: Random, at: datetime) -> Ruling:
    question, reason = rng.choice(_LACKS)
    answers = _answers(rng, **{question: BantAnswer.NO})
    return Ruling(at, Verdict.RECYCLE, {**answers, **_back(rng, at, reason)})


def _gave_up(rng: Random, at: datetime, _promise: float) -> Ruling:
    """Nobody was reached: back to nurture without an answer."""
    return Ruling(at, Verdict.RECYCLE, _back(rng, at, RecycleReason.NO_RESPONSE))


def _back(rng: Random, at: datetime, reason: RecycleReason) -> dict[str, Any]:
    return {"recycle_reason": reason, "wake_date": (at + rng.uniform(20, 120) * DAY).date()}


def _answers(rng: Random, **lacking: BantAnswer) -> dict[str, Any]:
    """Return four answers, yes where nothing else is said, with details for most."""
    fields: dict[str, Any] = {}
    for question, details in _DETAILS.items():
        answer = lacking.get(question, BantAnswer.YES)
        fields[question] = answer
        if answer is BantAnswer.YES and rng.random() < 0.8:
            fields[f"{question}_detail"] = rng.choice(details)
    return fields


def _close(rng: Random, ruled_at: datetime, promise: float) -> Close:
    """Return how it ends, weeks later."""
    value = Decimal(round(min(180_000, 4_000 + rng.lognormvariate(9.6, 0.6)), -2))
    won = rng.random() < 0.25 + 0.5 * promise
    return Close(ruled_at + rng.uniform(10, 75) * DAY, won, value)
