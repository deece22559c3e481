"""The verdict: what the answers propose by the policy, and what a verdict needs. Pure."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from itertools import product

from crm.common.instants import day_problem, instant_problem, plan_day_problem, plan_problem
from handoff.enums import BantAnswer, RecycleReason, Verdict
from handoff.frameworks import QualificationPolicy, Question

_YES, _NO = BantAnswer.YES, BantAnswer.NO
_NOTHING_LEFT = "There is nothing that we could serve."
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


def propose(
    answers: Mapping[str, BantAnswer], *, policy: QualificationPolicy, cycles: int = 1
) -> Proposal:
    """Propose a verdict: SQL when the answers meet the policy, out when a no leaves nothing.

    Everything else goes back to nurture, since money, a decision maker and a date can still come;
    unless these were all ``cycles`` that the policy gives a lead.

    Args:
        answers: By the name of the question; one that is missing was not asked.
        policy: Of the agreement to which the handoff is pinned.
        cycles: In how many cycles this lead came to sales, with the present one; from 1.
    """
    said = {each: answers.get(each.name, BantAnswer.NOT_ASKED) for each in policy.questions}
    ended = next((each for each, answer in said.items() if each.ends and answer is _NO), None)
    if ended:
        return Proposal(Verdict.DISQUALIFY, f"{ended.label} answered no. {_NOTHING_LEFT}")
    yes = sum(answer is _YES for answer in said.values())
    if _is_met(said, policy):
        return Proposal(Verdict.SQL, f"{yes} of {len(said)} answered yes. {_asks(policy)}")
    missing = {each: answer for each, answer in said.items() if answer is not _YES}
    words = [f"{each.label.lower()} {_ANSWER_WORDS[answer]}" for each, answer in missing.items()]
    sentence = f"{_joined(words).capitalize()}. {_asks(policy)}"
    if is_last(cycles, policy):
        return Proposal(Verdict.DISQUALIFY, f"{sentence} {_last_words(cycles, policy)}")
    return Proposal(Verdict.RECYCLE, sentence, _suggested(missing))


def is_last(cycles: int, policy: QualificationPolicy) -> bool:
    """Say whether a lead that came to sales in so many ``cycles`` does not come again."""
    return bool(policy.most_cycles) and cycles >= policy.most_cycles


def _last_words(cycles: int, policy: QualificationPolicy) -> str:
    return f"It came to Sales {cycles} of at most {policy.most_cycles} times: no more nurture."


def policy_sentence(policy: QualificationPolicy) -> str:
    """Say from which answers on a lead is an SQL, and how often it may come to sales."""
    labels = [question.label.lower() for question in policy.questions]
    needed = f"{policy.yes_needed} of {len(labels)} answered yes ({', '.join(labels)})"
    musts = _joined([question.label.lower() for question in policy.musts])
    parts = [
        f"SQL is proposed by {policy.framework} from {needed}",
        f"{musts} among them" if musts else "",
        "" if policy.unknown_allowed else "with nothing unknown",
    ]
    if policy.most_cycles:
        times = "once" if policy.most_cycles == 1 else f"at most {policy.most_cycles} times"
        parts.append(f"and a lead comes to Sales {times}")
    return ", ".join(filter(None, parts))


def outcomes(policy: QualificationPolicy) -> dict[Verdict, int]:
    """Return how many of all ways to answer propose each verdict, in a lead's first cycle."""
    ways = product(BantAnswer, repeat=len(policy.questions))
    said = (dict(zip(policy.names, way, strict=True)) for way in ways)
    counted = Counter(propose(answers, policy=policy).verdict for answers in said)
    return {verdict: counted[verdict] for verdict in Verdict}


def _is_met(said: Mapping[Question, BantAnswer], policy: QualificationPolicy) -> bool:
    """Say whether the answers make an SQL."""
    is_known = all(answer in (_YES, _NO) for answer in said.values())
    return (
        sum(answer is _YES for answer in said.values()) >= policy.yes_needed
        and all(said[must] is _YES for must in policy.musts)
        and (policy.unknown_allowed or is_known)
    )


def _suggested(missing: Mapping[Question, BantAnswer]) -> RecycleReason | None:
    """Return the reason that the first no suggests."""
    reasons = (each.recycle_reason for each, answer in missing.items() if answer is _NO)
    return next((RecycleReason(reason) for reason in reasons if reason), None)


def _asks(policy: QualificationPolicy) -> str:
    """Say what the policy asks for: ``4 of 4``, and what must be yes or known beyond that."""
    number = len(policy.questions)
    asked = f"The policy in force asks for {policy.yes_needed} of {number}"
    if policy.musts and policy.yes_needed < number:
        asked += f", {_joined([must.label.lower() for must in policy.musts])} among them"
    return f"{asked}." if policy.unknown_allowed else f"{asked}, and nothing unknown."


@dataclass(frozen=True, slots=True)
class Decision:
    """A salesperson's verdict with all that may belong to it, as stored: codes, "" for none."""

    verdict: str = ""
    next_step: str = ""
    next_step_at: datetime | None = None
    recycle_reason: str = ""
    wake_date: date | None = None
    wake_on: str = ""
    disqualify_reason: str = ""
    override_reason: str = ""


DECISION_FIELDS = tuple(each.name for each in fields(Decision))

_BELONGS = {
    Verdict.SQL: ("next_step", "next_step_at"),
    Verdict.RECYCLE: ("recycle_reason", "wake_date", "wake_on"),
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
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))
