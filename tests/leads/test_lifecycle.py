from itertools import product

import pytest

from leads.enums import LifecycleStage as Stage
from leads.lifecycle import TRANSITIONS, IllegalTransition, check_transition, cycle_after

ALLOWED = {
    ("LEAD", "MQL"), ("LEAD", "DISQUALIFIED"),
    ("MQL", "SAL"), ("MQL", "RECYCLED"), ("MQL", "DISQUALIFIED"),
    ("SAL", "SQL"), ("SAL", "RECYCLED"), ("SAL", "DISQUALIFIED"),
    ("SQL", "WON"), ("SQL", "LOST"), ("SQL", "RECYCLED"), ("SQL", "DISQUALIFIED"),
    ("LOST", "RECYCLED"), ("LOST", "DISQUALIFIED"),
    ("RECYCLED", "MQL"), ("RECYCLED", "DISQUALIFIED"),
    ("DISQUALIFIED", "LEAD"),
}  # fmt: skip


def test_every_stage_has_a_row_in_the_table() -> None:
    assert set(TRANSITIONS) == set(Stage)


@pytest.mark.parametrize(("from_stage", "to_stage"), list(product(Stage, Stage)))
def test_a_move_is_allowed_exactly_when_the_table_says_so(
    from_stage: Stage, to_stage: Stage
) -> None:
    if (from_stage, to_stage) in ALLOWED:
        check_transition(from_stage, to_stage)
    else:
        with pytest.raises(IllegalTransition):
            check_transition(from_stage, to_stage)


def test_a_refused_move_names_what_is_allowed() -> None:
    with pytest.raises(IllegalTransition) as refused:
        check_transition(Stage.LEAD, Stage.SQL)

    assert str(refused.value) == "LEAD -> SQL is not allowed; allowed: DISQUALIFIED, MQL"


def test_a_final_stage_says_that_it_is_final() -> None:
    with pytest.raises(IllegalTransition) as refused:
        check_transition(Stage.WON, Stage.LOST)

    assert str(refused.value) == "WON -> LOST is not allowed; allowed: nothing: it is final"


@pytest.mark.parametrize(
    ("from_stage", "to_stage", "cycle"),
    [
        (Stage.LEAD, Stage.MQL, 1),
        (Stage.MQL, Stage.RECYCLED, 2),
        (Stage.RECYCLED, Stage.MQL, 1),
        (Stage.RECYCLED, Stage.DISQUALIFIED, 1),
        (Stage.DISQUALIFIED, Stage.LEAD, 2),
        (Stage.DISQUALIFIED, Stage.MQL, 2),
        (Stage.WON, Stage.MQL, 2),
        (Stage.LOST, Stage.RECYCLED, 2),
        (Stage.LOST, Stage.SQL, 1),
    ],
)
def test_recycling_and_coming_back_from_an_end_start_the_next_cycle(
    from_stage: Stage, to_stage: Stage, cycle: int
) -> None:
    assert cycle_after(1, from_stage, to_stage) == cycle
