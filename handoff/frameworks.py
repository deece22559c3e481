"""Qualification frameworks and the policy over their answers, as data. Pure.

An agreement holds one policy as a document: which questions the form asks, and what the answers to
them have to be for SQL. BANT, CHAMP and MEDDIC are templates of that document, which people change.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from json import dumps, loads
from types import MappingProxyType
from typing import Any

from handoff.enums import RecycleReason

MOST_QUESTIONS = 6
MOST_CYCLES = 20


class PolicyInvalid(ValueError):
    """The policy cannot be followed; the message says what to change."""


@dataclass(frozen=True, slots=True)
class Question:
    """One block of the form.

    ``is_must`` asks for a yes whatever the others say; ``ends`` says that a no leaves nothing to
    sell. ``recycle_reason`` is the code that a no suggests, ``told_by`` the names of fields in
    forms that answer it.
    """

    name: str
    label: str
    prompt: str
    detail: str
    example: str = ""
    is_must: bool = False
    ends: bool = False
    recycle_reason: str = ""
    told_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class QualificationPolicy:
    """What is asked after the call, and from which answers on a lead is an SQL.

    ``yes_needed`` of the questions are yes, all musts among them. ``unknown_allowed`` lets the
    others be unknown or not asked. ``most_cycles`` is how often a lead comes to sales: after
    the last time it is not recycled again; 0 for no limit.
    """

    framework: str
    questions: tuple[Question, ...]
    yes_needed: int
    unknown_allowed: bool = True
    most_cycles: int = 0

    @property
    def names(self) -> tuple[str, ...]:
        """Return the questions by name, in their order."""
        return tuple(question.name for question in self.questions)

    @property
    def musts(self) -> tuple[Question, ...]:
        """Return the questions that have to be yes."""
        return tuple(question for question in self.questions if question.is_must)


def read_policy(document: Mapping[str, Any]) -> QualificationPolicy:
    """Return the policy that ``document`` holds."""
    return _read(dumps(document, sort_keys=True))


def write_policy(policy: QualificationPolicy) -> dict[str, Any]:
    """Return ``policy`` as JSON keeps it."""
    document: dict[str, Any] = loads(dumps(asdict(policy)))
    return document


def check_policy(policy: QualificationPolicy) -> None:
    """See that some answers can make an SQL, and that people can tell the questions apart.

    Raises:
        PolicyInvalid: they cannot; the message says what to change.
    """
    number = len(policy.questions)
    if not 1 <= number <= MOST_QUESTIONS:
        raise PolicyInvalid(f"Ask 1 to {MOST_QUESTIONS} questions.")
    if len(set(policy.names)) < number or len({each.label for each in policy.questions}) < number:
        raise PolicyInvalid("Two questions have the same name: give one another.")
    if not 1 <= policy.yes_needed <= number:
        raise PolicyInvalid(f"SQL needs 1 to {number} answers with yes.")
    if len(policy.musts) > policy.yes_needed:
        raise PolicyInvalid(
            f"{len(policy.musts)} questions must be yes, so SQL needs {len(policy.musts)} at least."
        )
    if not 0 <= policy.most_cycles <= MOST_CYCLES:
        raise PolicyInvalid(f"A lead comes to sales up to {MOST_CYCLES} times; 0 for no limit.")


@lru_cache(maxsize=64)
def _read(text: str) -> QualificationPolicy:
    """Agreements are few, and lists ask for the policy of each of their rows."""
    document = loads(text)
    questions = tuple(
        Question(**{**each, "told_by": tuple(each["told_by"])}) for each in document["questions"]
    )
    return QualificationPolicy(**{**document, "questions": questions})


_MONEY = ("budget", "budget_range", "money")
_PEOPLE = ("authority", "decision_maker", "economic_buyer")
_PAIN = ("need", "problem", "use_case", "challenges", "pain")
_TIME = ("timeline", "timeframe", "start_date", "prioritization")

_BANT = (
    Question("budget", "Budget", "Is money set aside for this?", "Amount band", "40,000-80,000",
             recycle_reason=RecycleReason.NO_BUDGET, told_by=_MONEY),
    Question("authority", "Authority", "Who signs, and have we met them?", "Decision maker",
             "Role and name", recycle_reason=RecycleReason.NO_AUTHORITY, told_by=_PEOPLE),
    Question("need", "Need", "What problem costs them today?", "Problem", "In their words",
             ends=True, told_by=_PAIN),
    Question("timeline", "Timeline", "When must it run?", "Date or quarter", "Q3 2026",
             recycle_reason=RecycleReason.NO_TIMELINE, told_by=_TIME),
)  # fmt: skip
_CHAMP = (
    Question("challenges", "Challenges", "What keeps them from their goal?", "Challenge",
             "In their words", is_must=True, ends=True, told_by=_PAIN),
    Question("authority", "Authority", "Who decides, and who has a say?", "Decision makers",
             "Roles and names", recycle_reason=RecycleReason.NO_AUTHORITY, told_by=_PEOPLE),
    Question("money", "Money", "What would they spend, and from where?", "Amount band",
             "40,000-80,000", recycle_reason=RecycleReason.NO_BUDGET, told_by=_MONEY),
    Question("prioritization", "Prioritization", "What comes before it?", "Date or rank",
             "First of three projects", recycle_reason=RecycleReason.NO_TIMELINE, told_by=_TIME),
)  # fmt: skip
_MEDDIC = (
    Question("metrics", "Metrics", "What would it be worth to them, in figures?", "Figure",
             "11 h of stops a month", told_by=("metrics",)),
    Question("economic_buyer", "Economic buyer", "Who can spend the money?", "Role and name",
             "Plant director", is_must=True, recycle_reason=RecycleReason.NO_AUTHORITY,
             told_by=(*_PEOPLE, *_MONEY)),
    Question("decision_criteria", "Decision criteria", "By what do they compare offers?",
             "Criteria", "Price, rollout, support", told_by=("decision_criteria",)),
    Question("decision_process", "Decision process", "Which steps, by when?", "Steps and dates",
             "Pilot, then tender in Q3", recycle_reason=RecycleReason.NO_TIMELINE, told_by=_TIME),
    Question("pain", "Identified pain", "What does it cost to do nothing?", "Pain",
             "In their words", is_must=True, ends=True, told_by=_PAIN),
    Question("champion", "Champion", "Who sells it for us inside?", "Role and name",
             "Head of maintenance", told_by=("champion",)),
)  # fmt: skip

#: What people start from, by the name of the framework.
TEMPLATES: Mapping[str, QualificationPolicy] = MappingProxyType(
    {
        "BANT": QualificationPolicy("BANT", _BANT, yes_needed=4),
        "CHAMP": QualificationPolicy("CHAMP", _CHAMP, yes_needed=3),
        "MEDDIC": QualificationPolicy("MEDDIC", _MEDDIC, yes_needed=5),
    }
)
#: What holds where nothing is agreed.
DEFAULT_QUALIFICATION = TEMPLATES["BANT"]


def default_document() -> dict[str, Any]:
    """Return the default policy as JSON keeps it."""
    return write_policy(DEFAULT_QUALIFICATION)


def with_questions(
    policy: QualificationPolicy, changed: Mapping[str, Mapping[str, Any]]
) -> QualificationPolicy:
    """Return ``policy`` with other words or rules for some questions, by their names."""
    questions = tuple(replace(each, **changed.get(each.name, {})) for each in policy.questions)
    return replace(policy, questions=questions)
