"""The verdict policy: what is proposed, and what a verdict needs."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from handoff.bant import Decision, problems, propose, without_leftovers
from handoff.enums import BantAnswer, RecycleReason, Verdict
from handoff.frameworks import DEFAULT_QUALIFICATION
from tests.factories import NOW

YES, NO, UNKNOWN, NOT_ASKED = BantAnswer


def _answers(*answers: BantAnswer) -> dict[str, BantAnswer]:
    return dict(zip(DEFAULT_QUALIFICATION.names, answers, strict=True))


def test_four_times_yes_proposes_sql() -> None:
    proposal = propose(_answers(YES, YES, YES, YES), policy=DEFAULT_QUALIFICATION)

    assert proposal.verdict is Verdict.SQL
    assert proposal.sentence == "4 of 4 answered yes. The policy in force asks for 4 of 4."


def test_a_missing_answer_proposes_recycle_and_says_which() -> None:
    proposal = propose(_answers(YES, NOT_ASKED, YES, UNKNOWN), policy=DEFAULT_QUALIFICATION)

    assert proposal.verdict is Verdict.RECYCLE
    assert proposal.sentence == (
        "Authority not asked and timeline unknown. The policy in force asks for 4 of 4."
    )
    assert proposal.recycle_reason is None


def test_a_no_suggests_the_reason_for_recycling() -> None:
    proposal = propose(_answers(YES, YES, YES, NO), policy=DEFAULT_QUALIFICATION)

    assert (proposal.verdict, proposal.recycle_reason) == (
        Verdict.RECYCLE,
        RecycleReason.NO_TIMELINE,
    )


def test_no_need_proposes_to_disqualify_whatever_else_is_answered() -> None:
    assert (
        propose(
            _answers(YES, YES, NO, YES), policy=replace(DEFAULT_QUALIFICATION, yes_needed=3)
        ).verdict
        is Verdict.DISQUALIFY
    )


def test_the_policy_may_ask_for_less_than_four() -> None:
    assert (
        propose(
            _answers(YES, NOT_ASKED, YES, YES), policy=replace(DEFAULT_QUALIFICATION, yes_needed=3)
        ).verdict
        is Verdict.SQL
    )


def test_an_untouched_form_proposes_recycle() -> None:
    proposal = propose(_answers(*[NOT_ASKED] * 4), policy=DEFAULT_QUALIFICATION)

    assert proposal.sentence.startswith(
        "Budget not asked, authority not asked, need not asked and timeline not asked."
    )


@pytest.mark.parametrize(
    ("fields", "proposed", "wrong"),
    [
        ({}, Verdict.SQL, {"verdict"}),
        ({"verdict": "SQL"}, Verdict.SQL, {"next_step", "next_step_at"}),
        (
            {"verdict": "SQL", "next_step": "Demo", "next_step_at": NOW},
            Verdict.SQL,
            {"next_step_at"},
        ),
        (
            {"verdict": "SQL", "next_step": "Demo", "next_step_at": NOW + timedelta(days=1)},
            Verdict.SQL,
            set(),
        ),
        ({"verdict": "RECYCLE"}, Verdict.RECYCLE, {"recycle_reason", "wake_date"}),
        (
            {"verdict": "RECYCLE", "recycle_reason": "TOO_EARLY", "wake_date": NOW.date()},
            Verdict.RECYCLE,
            {"wake_date"},
        ),
        ({"verdict": "DISQUALIFY"}, Verdict.DISQUALIFY, {"disqualify_reason"}),
        (
            {"verdict": "DISQUALIFY", "disqualify_reason": "NO_NEED"},
            Verdict.SQL,
            {"override_reason"},
        ),
        (
            {"verdict": "DISQUALIFY", "disqualify_reason": "NO_NEED", "override_reason": "Rival"},
            Verdict.SQL,
            set(),
        ),
    ],
)
def test_a_verdict_needs_what_belongs_to_it(
    fields: dict[str, Any], proposed: Verdict, wrong: set[str]
) -> None:
    found = problems(Decision(**fields), proposed=proposed, now=NOW, today=NOW.date())

    assert set(found) == wrong


def test_what_was_filled_in_for_another_verdict_is_left_out() -> None:
    decision = Decision(
        verdict="SQL", next_step="Demo", next_step_at=NOW, recycle_reason="TOO_EARLY"
    )

    assert without_leftovers(decision) == Decision(
        verdict="SQL", next_step="Demo", next_step_at=NOW
    )
