"""What became of leads: qualified by the model, handed over, answered, won or lost.

When a lead becomes an MQL, in which tier it is, when its clocks fall due and what its brief says
follows from the real rules; what sales did is invented and written down in bulk.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, time, timedelta
from random import Random
from typing import Any

from django.db import connection

from crm.accounts.models import User
from crm.demo.capture import LAG, Chronicle
from crm.demo.company import DemoCompany
from crm.demo.copying import copy_in, endless_ids
from crm.demo.explaining import explain_many
from crm.demo.findings import find_out
from crm.demo.handoffs import (
    Given,
    PastHandoff,
    Rows,
    open_past_handoff,
    targets_of,
    write_down,
)
from crm.demo.model import ROUTING
from crm.demo.qualifying import DELAY, Deed, Qualified, first_qualified, present_scores
from crm.demo.sales import Ruling, make_plan
from handoff.enums import Verdict
from handoff.models import Handoff
from handoff.policy import WAKE_AFTER_REJECTION, WAY_OUT
from leads.enums import DealOutcome, LifecycleStage
from leads.models import Deal, StageInterval
from scoring.explanation import Explanation
from scoring.scored import Scored, points
from scoring.services import definition_of

S = LifecycleStage
DAY = timedelta(days=1)
#: The chance of an SQL by fit grade, before source and rep.
_PROMISE = {"A": 0.52, "B": 0.40, "C": 0.26, "D": 0.14, "": 0.2}
_WITH_MARKETING = frozenset({S.LEAD, S.RECYCLED, S.DISQUALIFIED})
_VERDICT_STAGE = {
    Verdict.SQL: S.SQL,
    Verdict.RECYCLE: S.RECYCLED,
    Verdict.DISQUALIFY: S.DISQUALIFIED,
}
_CLOSE_INTERVALS = """
    UPDATE leads_stageinterval kept SET ended_at = told.ended_at
    FROM unnest(%s::bigint[], %s::timestamptz[]) AS told (id, ended_at) WHERE kept.id = told.id
"""
_MOVE_LEADS = """
    UPDATE leads_lead lead SET stage = told.stage, stage_since = told.stage_since,
        cycle = told.cycle, owner_id = told.owner_id, team_id = told.team_id,
        next_step = told.next_step, next_step_at = told.next_step_at, wake_at = told.wake_at
    FROM unnest(%s::bigint[], %s::text[], %s::timestamptz[], %s::int[], %s::bigint[], %s::bigint[],
                %s::text[], %s::timestamptz[], %s::timestamptz[])
        AS told (id, stage, stage_since, cycle, owner_id, team_id, next_step, next_step_at, wake_at)
    WHERE lead.id = told.id
"""
_MOVED = ("pk", "stage", "stage_since", "cycle", "owner_id", "team_id", "next_step",
          "next_step_at", "wake_at")  # fmt: skip


class Historian:
    """Writes what became of leads up to ``now``; remembers who looks after whom and whose turn."""

    def __init__(self, demo: DemoCompany, rng: Random, now: datetime) -> None:
        """Begin with nobody's turn taken."""
        self._demo, self._rng, self._now = demo, rng, now
        self._definition = definition_of(demo.model)
        self._handoff_ids = endless_ids(Handoff)
        self._turns: dict[int, int] = defaultdict(int)
        self._owners: dict[str, User] = {}
        self._rows, self._deals = Rows(), list[Deal]()

    def tell(self, chronicles: Sequence[Chronicle]) -> list[tuple[Chronicle, Qualified]]:
        """Write the history of leads; return those that qualify by a script, for its own hand."""
        by_id = {each.lead.pk: each for each in chronicles}
        self._owners = {}  # leads of one firm come together
        scores = present_scores(self._definition, list(by_id), now=self._now)
        for each in chronicles:
            self._disqualify(each, scores[each.lead.pk])
        scripted: list[tuple[Chronicle, Qualified]] = []
        pending: Sequence[Chronicle] = chronicles
        while pending:
            found = [(by_id[each.lead_id], each) for each in self._qualified(pending, scores)]
            scripted += [(chronicle, each) for chronicle, each in found if chronicle.script]
            found = [(chronicle, each) for chronicle, each in found if not chronicle.script]
            self._hand_over_all(found)
            self._write(pending)
            moved = [chronicle for chronicle, _ in found]
            pending = [each for each in moved if each.lead.stage == S.RECYCLED]
        return scripted

    def turns(self) -> dict[int, int]:
        """Return how many handoffs each rep was given in turn."""
        return dict(self._turns)

    def _qualified(
        self, chronicles: Sequence[Chronicle], scores: dict[int, Scored]
    ) -> list[Qualified]:
        deeds = {
            each.lead.pk: list(self._deeds(each))
            for each in chronicles
            if each.lead.stage in (S.LEAD, S.RECYCLED)
        }
        return first_qualified(self._definition, self._demo.model.version, deeds, scores)

    def _deeds(self, chronicle: Chronicle) -> Iterator[Deed]:
        """What the lead did since it could qualify, as far as it was scored by now."""
        since = chronicle.lead.stage_since
        for act in chronicle.acts:
            is_counted = since <= act.at <= self._now - LAG - DELAY
            if is_counted and not act.machine:
                yield Deed(chronicle.lead.pk, act.at + LAG, act.kind)

    def _disqualify(self, chronicle: Chronicle, score: Scored) -> None:
        at = chronicle.lead.created_at + DELAY
        if score.disqualified_by and at <= self._now:
            version = self._demo.model.version
            chronicle.move(
                S.DISQUALIFIED,
                at,
                rule=f"Disqualifier of model v{version}",
                reason=score.disqualified_by,
                model_version=version,
                fit_score=points(score.fit),
                engagement_score=points(0),
            )

    def _hand_over_all(self, found: Sequence[tuple[Chronicle, Qualified]]) -> None:
        """Hand over in order of time, with the scores explained as the briefs show them."""
        scores = explain_many(
            self._definition, self._demo.model.version, [(q.lead_id, q.at) for _, q in found]
        )
        for chronicle, qualified in found:
            self._hand_over(chronicle, qualified, scores[qualified.lead_id, qualified.at])

    def _hand_over(self, chronicle: Chronicle, qualified: Qualified, score: Explanation) -> None:
        demo, rng, given = self._demo, self._rng, self._give(chronicle)
        cycle_start = chronicle.intervals[-1].started_at
        change = self._become_mql(chronicle, qualified)
        findings = find_out(self._definition, chronicle, change, score, cycle_start=cycle_start)
        handoff, bant = open_past_handoff(
            demo, chronicle.lead, change, findings, given, self._rows, pk=next(self._handoff_ids)
        )
        plan = make_plan(
            rng,
            opened_at=handoff.opened_at,
            targets=targets_of(handoff),
            calendar=handoff.calendar.hours,
            rep=demo.manners[given.rep.pk],
            promise=_promise(chronicle, qualified),
        )
        colleagues = [each for each in demo.reps[given.team.name] if each != given.rep]
        past = PastHandoff(handoff, plan, self._now, rng.choice(colleagues))
        write_down(past, bant, self._rows)
        self._follow(chronicle, past)

    def _become_mql(self, chronicle: Chronicle, qualified: Qualified) -> StageInterval:
        score = qualified.snapshot
        return chronicle.move(
            S.MQL,
            qualified.at,
            rule=qualified.rule,
            model_version=score.model_version,
            fit_score=score.fit_score,
            engagement_score=score.engagement_score,
            cell=score.cell,
        )

    def _give(self, chronicle: Chronicle) -> Given:
        """Choose the rep: who looks after the firm, else whose turn it is."""
        employer = chronicle.person.employer
        team = self._demo.teams[employer.country.team]
        owner = self._owners.get(employer.firm.domain)
        if owner:
            reason = f"Looks after {chronicle.lead.company}"
            return Given(team, owner, "Company owner first", [_line(owner, reason, chosen=True)])
        ring = sorted(self._demo.reps[team.name], key=lambda rep: (self._turns[rep.pk], rep.pk))
        self._turns[ring[0].pk] += 1
        self._owners[employer.firm.domain] = ring[0]
        words = ("Next in turn", "Next after that")
        lines = [
            _line(rep, words[place] if place < 2 else f"{place} turns later", chosen=place == 0)
            for place, rep in enumerate(ring)
        ]
        return Given(team, ring[0], f"Rule {self._rule(team.name)}", lines)

    def _rule(self, team: str) -> str:
        place = next(i for i, (_, name) in enumerate(ROUTING, start=1) if name == team)
        return f"{place}, {ROUTING[place - 1][0]}"

    def _follow(self, chronicle: Chronicle, past: PastHandoff) -> None:
        """Move the lead as the answers of sales move it."""
        lead, plan = chronicle.lead, past.plan
        if past.answered_at and plan.rejection:
            self._reject(chronicle, past)
        elif past.answered_at:
            chronicle.move(S.SAL, past.answered_at, actor=past.first_holder)
            if past.ruling:
                self._rule_on(chronicle, past, past.ruling)
        is_with_sales = lead.stage not in _WITH_MARKETING
        lead.owner = past.handoff.holder if is_with_sales else None
        lead.team = past.handoff.team if is_with_sales else None

    def _reject(self, chronicle: Chronicle, past: PastHandoff) -> None:
        at, reason, note = past.plan.rejection or (self._now, None, "")
        if reason is None:
            return
        stage = WAY_OUT[reason]
        chronicle.move(
            stage,
            at,
            actor=past.first_holder,
            rule="Rejected by sales",
            reason=f"{reason.label}: {note}" if note else reason.label,
        )
        chronicle.lead.wake_at = at + WAKE_AFTER_REJECTION if stage is S.RECYCLED else None

    def _rule_on(self, chronicle: Chronicle, past: PastHandoff, ruling: Ruling) -> None:
        lead, fields = chronicle.lead, ruling.fields
        reason = fields.get("recycle_reason") or fields.get("disqualify_reason")
        chronicle.move(
            _VERDICT_STAGE[ruling.verdict],
            ruling.at,
            actor=past.holder_at(ruling.at),
            rule="BANT verdict",
            reason=reason.label if reason else fields.get("override_reason", ""),
        )
        if wake := fields.get("wake_date"):
            lead.wake_at = datetime.combine(wake, time(), past.handoff.calendar.hours.timezone)
        if ruling.verdict is Verdict.SQL:
            lead.next_step, lead.next_step_at = fields["next_step"], fields["next_step_at"]
            self._close(chronicle, past)

    def _close(self, chronicle: Chronicle, past: PastHandoff) -> None:
        """Win or lose the deal, or agree on a next step while it is open."""
        lead, close, rng = chronicle.lead, past.plan.close, self._rng
        if close is None or close.at > self._now:
            if lead.next_step_at and lead.next_step_at < self._now:
                lead.next_step_at = self._now + rng.uniform(-2, 11) * DAY
            return
        outcome = DealOutcome.WON if close.won else DealOutcome.LOST
        rep = past.handoff.holder
        self._deals.append(
            Deal(
                lead=lead,
                cycle=lead.cycle,
                outcome=outcome,
                closed_at=close.at,
                value=close.value,
                currency="EUR",
                owner=rep,
                owner_name=rep.full_name if rep else "",
                company=lead.company,
                created_at=close.at,
            )
        )
        chronicle.move(S(outcome), close.at, actor=rep)
        lead.next_step, lead.next_step_at = "", None

    def _write(self, chronicles: Sequence[Chronicle]) -> None:
        """Write what changed since the last time."""
        intervals = [interval for each in chronicles for interval in each.intervals]
        known = [each for each in intervals if not each._state.adding and each.ended_at]
        with connection.cursor() as cursor:
            cursor.execute(
                _CLOSE_INTERVALS, [[each.pk for each in known], [each.ended_at for each in known]]
            )
            copy_in([each for each in intervals if each._state.adding])
            moved = [each.lead for each in chronicles if len(each.intervals) > 1]
            cursor.execute(
                _MOVE_LEADS, [[getattr(lead, name) for lead in moved] for name in _MOVED]
            )
        copy_in(self._deals)
        self._rows.write()
        self._rows, self._deals = Rows(), []


def _promise(chronicle: Chronicle, qualified: Qualified) -> float:
    """Return the chance that sales finds an SQL in this lead."""
    grade = qualified.snapshot.cell[:1]
    asked = 0.1 if qualified.is_fast_track else 0.0
    return min(0.85, (_PROMISE[grade] + asked) * chronicle.person.source.buys)


def _line(rep: User, reason: str, *, chosen: bool) -> dict[str, Any]:
    return {"user": rep.pk, "name": rep.full_name, "chosen": chosen, "reason": reason}
