"""Handoffs of the past, written in the shape in which the services would have left them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from crm.accounts.models import SalesTeam, User
from crm.demo.company import DemoCompany
from crm.demo.copying import copy_in
from crm.demo.sales import Plan, Ruling
from handoff.answer_lines import blank_lines, with_fields
from handoff.bant import DECISION_FIELDS, propose
from handoff.brief import digest
from handoff.business_hours import working_time_between
from handoff.enums import Alarm, ClockKind, HandoffState, Verdict
from handoff.evidence import CONNECTED
from handoff.models import (
    Agreement,
    AssignmentDecision,
    BantAssessment,
    Clock,
    Handoff,
    HolderInterval,
    SlaTier,
    Touch,
)
from handoff.services.briefs import Findings, compose_brief
from handoff.services.clocks import new_clock
from handoff.split_clock import had_most
from handoff.splits import course_of
from leads.models import Lead, StageInterval

_CLOSED_AS = {
    Verdict.SQL: HandoffState.QUALIFIED,
    Verdict.RECYCLE: HandoffState.RECYCLED,
    Verdict.DISQUALIFY: HandoffState.DISQUALIFIED,
}


@dataclass
class Rows:
    """What a chunk of history adds to the tables of ``handoff``."""

    handoffs: list[Handoff] = field(default_factory=list)
    holders: list[HolderInterval] = field(default_factory=list)
    decisions: list[AssignmentDecision] = field(default_factory=list)
    clocks: list[Clock] = field(default_factory=list)
    touches: list[Touch] = field(default_factory=list)
    bants: list[BantAssessment] = field(default_factory=list)

    def write(self) -> None:
        """Write everything, in an order in which each row finds what it points to."""
        copy_in(self.handoffs)
        for rows in (self.decisions, self.holders, self.clocks, self.touches, self.bants):
            copy_in(rows)


@dataclass(frozen=True)
class Given:
    """Who got a handoff, and why."""

    team: SalesTeam
    rep: User
    rule: str
    candidates: list[dict[str, Any]]


def tier_of(demo: DemoCompany, agreement: Agreement, findings: Findings, cell: str) -> SlaTier:
    """Return the tier of the agreement then in force, as ``open_handoff`` chooses it."""
    tiers = demo.tiers[agreement.pk]
    if findings.is_fast_track:
        return tiers[0]
    fitting = (tier for tier in tiers[1:] if not tier.criteria or cell in tier.criteria["value"])
    return next(fitting, tiers[-1])


def targets_of(handoff: Handoff) -> dict[ClockKind, timedelta]:
    """Return the working time that the handoff's tier allows per clock."""
    return {kind: getattr(handoff.tier, SlaTier.TARGETS[kind]) for kind in ClockKind}


@dataclass
class PastHandoff:
    """One handoff being written: what was planned, as far as it had happened by ``now``."""

    handoff: Handoff
    plan: Plan
    now: datetime
    colleague: User | None = None

    @property
    def answered_at(self) -> datetime | None:
        """Return when sales accepted or rejected."""
        at = self.plan.rejection[0] if self.plan.rejection else self.plan.accept_at
        return at if at and at <= self.now else None

    @property
    def ruling(self) -> Ruling | None:
        """Return the verdict, once it was given."""
        ruling = self.plan.ruling
        return ruling if ruling and ruling.at <= self.now else None

    @property
    def handed_on_at(self) -> datetime | None:
        """Return when a colleague took over."""
        at = self.plan.handed_on_at
        return at if at and self.colleague and at <= self.now else None

    def holder_at(self, moment: datetime) -> User | None:
        """Return who held the handoff at ``moment``."""
        changed = self.handed_on_at is not None and self.handed_on_at <= moment
        return self.colleague if changed else self.first_holder

    def __post_init__(self) -> None:
        """Remember who got it first; the holder of the row is who has it last."""
        self.first_holder = self.handoff.holder

    def settle(self) -> None:
        """Bring the handoff's row to its state at ``now``."""
        handoff, plan = self.handoff, self.plan
        done = [contact for contact in plan.contacts if contact.at <= self.now]
        if self.handed_on_at:
            handoff.holder = self.colleague
        handoff.attempts = len(done)
        handoff.first_touch_at = done[0].at if done else None
        handoff.connected_at = min((c.at for c in done if c.outcome in CONNECTED), default=None)
        if self.answered_at and plan.rejection:
            _, handoff.rejection_reason, handoff.rejection_note = plan.rejection
            handoff.state, handoff.closed_at = HandoffState.REJECTED, self.answered_at
            return
        if self.answered_at:
            handoff.accepted_at = self.answered_at
            handoff.state = HandoffState.WORKING if done else HandoffState.ACCEPTED
        if self.ruling:
            handoff.state, handoff.closed_at = _CLOSED_AS[self.ruling.verdict], self.ruling.at

    def clocks(self) -> list[Clock]:
        """Return the three clocks: stopped, withdrawn, in breach or running."""
        stops = {
            ClockKind.ACCEPT: self.answered_at,
            ClockKind.FIRST_TOUCH: self.handoff.first_touch_at,
            ClockKind.VERDICT: self.ruling.at if self.ruling else None,
        }
        return [self._clock(kind, stops[kind]) for kind in ClockKind]

    def _clock(self, kind: ClockKind, stopped_at: datetime | None) -> Clock:
        handoff = self.handoff
        clock = new_clock(handoff, kind, targets_of(handoff)[kind])
        ended_at = stopped_at or handoff.closed_at
        breached = (ended_at or self.now) > clock.due_at
        clock.answerable_id = self._answering(clock, ended_at)
        clock.breached_at = clock.due_at if breached else None
        clock.alarm, clock.alarm_at, clock.reassign_at = "", None, None
        if stopped_at:
            clock.stopped_at = stopped_at
            hours = handoff.calendar.hours
            clock.elapsed = working_time_between(handoff.opened_at, stopped_at, hours)
        elif ended_at:
            clock.withdrawn_at = ended_at
        elif not breached:
            clock.alarm, clock.alarm_at = _next_alarm(clock, self.now)
        return clock

    def _answering(self, clock: Clock, ended_at: datetime | None) -> int | None:
        """Return who answers for ``clock``: in time who had it last, else who had it longest."""
        if ended_at and ended_at <= clock.due_at:
            return getattr(self.holder_at(ended_at), "pk", None)
        return had_most(course_of(self.handoff, self.holders(), ended_at=clock.due_at))

    def holders(self) -> list[HolderInterval]:
        """Return who had it when."""
        handoff, handed_on = self.handoff, self.handed_on_at
        first = HolderInterval(
            handoff=handoff,
            holder=self.first_holder,
            started_at=handoff.opened_at,
            ended_at=handed_on or handoff.closed_at,
        )
        if not handed_on:
            return [first]
        second = HolderInterval(
            handoff=handoff,
            holder=self.colleague,
            started_at=handed_on,
            ended_at=handoff.closed_at,
        )
        return [first, second]

    def touches(self) -> list[Touch]:
        """Return the attempts made so far, each written down when it was made."""
        return [
            Touch(
                handoff=self.handoff,
                rep=self.holder_at(contact.at),
                channel=contact.channel,
                outcome=contact.outcome,
                occurred_at=contact.at,
                recorded_at=contact.at,
                note=contact.note,
            )
            for contact in self.plan.contacts
            if contact.at <= self.now
        ]


def open_past_handoff(
    demo: DemoCompany,
    lead: Lead,
    change: StageInterval,
    findings: Findings,
    given: Given,
    rows: Rows,
    *,
    pk: int,
) -> tuple[Handoff, BantAssessment]:
    """Add handoff ``pk`` as ``open_handoff`` leaves it, with its frozen brief; not yet answered."""
    at = change.started_at
    agreement = demo.agreement_at(at)
    brief = compose_brief(lead, findings, agreement=agreement, now=at)
    handoff = Handoff(
        pk=pk,
        lead=lead,
        cycle=change.cycle,
        team=given.team,
        holder=given.rep,
        agreement=agreement,
        tier=tier_of(demo, agreement, findings, change.cell),
        calendar=demo.calendars[given.team.name],
        is_fast_track=findings.is_fast_track,
        raised_at=min(findings.raised_at, at),
        opened_at=at,
        brief=brief,
        brief_digest=digest(brief),
        why=findings.why,
        score=change.engagement_score,
        cell=change.cell,
    )
    rows.handoffs.append(handoff)
    rows.decisions.append(
        AssignmentDecision(
            handoff=handoff,
            rule=given.rule,
            candidates=given.candidates,
            chosen=given.rep,
            decided_at=at,
        )
    )
    policy = handoff.policy
    bant = BantAssessment(
        handoff=handoff,
        framework=policy.framework,
        lines=blank_lines(policy, findings.told),
        saved_at=at,
    )
    rows.bants.append(bant)
    return handoff, bant


def write_down(past: PastHandoff, bant: BantAssessment, rows: Rows) -> None:
    """Add everything that happened to a handoff after it was opened."""
    past.settle()
    rows.clocks += past.clocks()
    rows.holders += past.holders()
    rows.touches += past.touches()
    if past.handed_on_at and past.colleague:
        rows.decisions.append(_handed_on(past, past.handed_on_at, past.colleague))
    if past.ruling:
        _submit(bant, past.ruling, past.holder_at(past.ruling.at))


def _submit(bant: BantAssessment, ruling: Ruling, rep: User | None) -> None:
    bant.lines = with_fields(bant.lines, ruling.fields)
    for name in ruling.fields.keys() & set(DECISION_FIELDS):
        setattr(bant, name, ruling.fields[name])
    bant.proposed_verdict = propose(bant.answers, policy=bant.handoff.policy).verdict
    bant.verdict = ruling.verdict
    if bant.verdict != bant.proposed_verdict and not bant.override_reason:
        bant.override_reason = "The call said more than the boxes"
    bant.saved_at = bant.submitted_at = ruling.at
    bant.saved_by = rep


def _next_alarm(clock: Clock, now: datetime) -> tuple[Alarm, datetime]:
    """Return what the sweep does next for a running clock."""
    if clock.first_warning_at >= now:
        return Alarm.FIRST, clock.first_warning_at
    if clock.last_warning_at >= now:
        return Alarm.LAST, clock.last_warning_at
    return Alarm.BREACH, clock.due_at


def _handed_on(past: PastHandoff, at: datetime, colleague: User) -> AssignmentDecision:
    line = {"user": colleague.pk, "name": colleague.full_name, "chosen": True, "reason": "Holiday"}
    return AssignmentDecision(
        handoff=past.handoff,
        rule="Reassigned by Hanna Korvik",
        candidates=[line],
        chosen=colleague,
        decided_at=at,
    )
