"""Weighted round robin: fair shares, no windfall for those who were away, reasons for everyone."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from handoff.rotation import Candidate, choose, give

ANNA, BEN, CARLA = (Candidate(n, name) for n, name in enumerate(("Anna", "Ben", "Carla"), start=1))


def _rounds(ring: list[Candidate], number: int) -> list[str]:
    """Choose ``number`` times, keeping the turns as the database would."""
    chosen = []
    for _ in range(number):
        choice = choose(ring)
        assert choice.chosen is not None
        chosen.append(choice.chosen.name)
        ring = [
            replace(each, turn=choice.turn) if each.user_id == choice.chosen.user_id else each
            for each in ring
        ]
    return chosen


def test_equal_reps_take_turns() -> None:
    assert _rounds([ANNA, BEN, CARLA], 6) == ["Anna", "Ben", "Carla", "Anna", "Ben", "Carla"]


def test_a_rep_of_double_weight_gets_twice_as_many() -> None:
    counts = Counter(_rounds([replace(ANNA, weight=2), BEN], 30))

    assert counts == {"Anna": 20, "Ben": 10}


def test_who_was_away_does_not_get_everything_on_return() -> None:
    ring = [replace(ANNA, turn=0), replace(BEN, turn=500), replace(CARLA, turn=500)]

    counts = Counter(_rounds(ring, 30))

    assert counts == {"Anna": 11, "Ben": 10, "Carla": 9}


def test_every_candidate_has_a_reason() -> None:
    choice = choose([replace(ANNA, barrier="Absent until 14 May"), replace(BEN, turn=2), CARLA])

    assert [(line.name, line.chosen, line.reason) for line in choice.considered] == [
        ("Carla", True, "Next in turn"),
        ("Ben", False, "Next after that"),
        ("Anna", False, "Absent until 14 May"),
    ]


def test_nobody_is_chosen_when_all_are_barred() -> None:
    choice = choose([replace(ANNA, barrier="No longer active")])

    assert choice.chosen is None
    assert [line.reason for line in choice.considered] == ["No longer active"]


def test_an_empty_ring_chooses_nobody() -> None:
    assert choose([]).chosen is None


def test_a_lead_out_of_turn_counts_as_a_turn() -> None:
    choice = give(replace(ANNA, turn=4, weight=2), "Looks after Kesterwald")

    assert (choice.chosen, choice.turn) == (replace(ANNA, turn=4, weight=2), 4.5)
