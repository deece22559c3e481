"""The BANT verdict policy: what four answers propose, and what a verdict needs. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime

from crm.common.instants import day_problem, instant_problem, plan_day_problem, plan_problem
from handoff.enums import BantAnswer, RecycleReason, Verdict

QUESTIONS = ("budget", "authority", "need", "timeline")

_RECYCLE_REASONS = {
    "budget": RecycleReason.NO_BUDGET,
    "authority": RecycleReason.NO_AUTHORITY,
    "timeline": RecycleReason.NO_TIMELINE,
}
_ANSWER_WORDS = {
    BantAnswer.NO: "no",
    BantAnswer.UNKNOWN: "unknown",
    BantAnswer.NOT_ASKED: "not asked",
}


@dataclass(frozen=True, slots=True)
class Proposal:
    """What the policy proposes, with its reason as a sentence.

    ``recycle_reason`` is the one that the answers suggest, or None.
    """

    verdict: Verdict
    sentence: str
    recycle_reason: RecycleReason | None = None


def propose(answers: Mapping[str, BantAnswer], *, yes_needed: int) -> Proposal:
    """Propose a verdict: SQL from ``yes_needed`` (0 to 4) times yes, out without a need.

    Everything else goes back to nurture, since money, a decision maker and a date can still come.
    """
    yes = sum(answers[question] is BantAnswer.YES for question in QUESTIONS)
    asks = f"The policy in force asks for {yes_needed} of 4."
    if answers["need"] is BantAnswer.NO:
        return Proposal(Verdict.DISQUALIFY, "There is no need that we could serve.")
    if yes >= yes_needed:
        return Proposal(Verdict.SQL, f"{yes} of 4 answered yes. {asks}")
    missing = [question for question in QUESTIONS if answers[question] is not BantAnswer.YES]
    words = [f"{question} {_ANSWER_WORDS[answers[question]]}" for question in missing]
    reasons = [
        _RECYCLE_REASONS[question]
        for question in missing
        if answers[question] is BantAnswer.NO and question in _RECYCLE_REASONS
    ]
    return Proposal(
        Verdict.RECYCLE, f"{_joined(words).capitalize()}. {asks}", reasons[0] if reasons else None
    )


@dataclass(frozen=True, slots=True)
class Decision:
    """A salesperson's verdict with all that may belong to it, as stored: codes, "" for none."""

    verdict: str = ""
    next_step: str = ""
    next_step_at: datetime | None = None
    recycle_reason: str = ""
    wake_date: date | None = None
    disqualify_reason: str = ""
    override_reason: str = ""


DECISION_FIELDS = tuple(each.name for each in fields(Decision))

_BELONGS = {
    Verdict.SQL: ("next_step", "next_step_at"),
    Verdict.RECYCLE: ("recycle_reason", "wake_date"),
    Verdict.DISQUALIFY: ("disqualify_reason",),
}


def without_leftovers(decision: Decision) -> Decision:
    """Return ``decision`` without what was filled in for verdicts that were not chosen."""
    kept = ("verdict", "override_reason", *_BELONGS[Verdict(decision.verdict)])
    return Decision(**{name: getattr(decision, name) for name in kept})


def unkept(*, next_step_at: datetime | None, wake_date: date | None) -> dict[str, str]:
    """Return by field which dates not even a draft can hold; one that has passed it can."""
    found = {
        "next_step_at": instant_problem(next_step_at) if next_step_at else "",
        "wake_date": day_problem(wake_date) if wake_date else "",
    }
    return {name: problem for name, problem in found.items() if problem}


def problems(
    decision: Decision, *, proposed: Verdict, now: datetime, today: date
) -> dict[str, str]:
    """Return what is missing or wrong, by field, in the order of the form; empty when complete.

    Args:
        decision: What is to be recorded.
        proposed: What the policy proposes for the answers.
        now: The moment of recording.
        today: Its date where the salesperson is.
    """
    if not decision.verdict:
        return {"verdict": "Choose a verdict."}
    verdict = Verdict(decision.verdict)
    found = _CHECKS[verdict](decision, now, today)
    if verdict is not proposed and not decision.override_reason.strip():
        found["override_reason"] = (
            f"Say why: the policy proposes {proposed.label}, you chose {verdict.label}."
        )
    return found


def _sql_problems(decision: Decision, now: datetime, _today: date) -> dict[str, str]:
    found = {}
    if not decision.next_step.strip():
        found["next_step"] = "SQL needs a next step."
    if decision.next_step_at is None:
        found["next_step_at"] = "SQL needs a date for the next step."
    elif problem := plan_problem(decision.next_step_at, now=now):
        found["next_step_at"] = problem
    return found


def _recycle_problems(decision: Decision, _now: datetime, today: date) -> dict[str, str]:
    found = {}
    if not decision.recycle_reason:
        found["recycle_reason"] = "Recycle needs a reason."
    if decision.wake_date is None:
        found["wake_date"] = "Recycle needs a wake-up date."
    elif problem := plan_day_problem(decision.wake_date, today=today):
        found["wake_date"] = problem
    return found


def _disqualify_problems(decision: Decision, _now: datetime, _today: date) -> dict[str, str]:
    if not decision.disqualify_reason:
        return {"disqualify_reason": "Disqualify needs a reason."}
    return {}


_CHECKS = {
    Verdict.SQL: _sql_problems,
    Verdict.RECYCLE: _recycle_problems,
    Verdict.DISQUALIFY: _disqualify_problems,
}


def _joined(words: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
