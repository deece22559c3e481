"""Levels, the formula in plain code, and its figures, against numbers known from elsewhere."""

from __future__ import annotations

import json
import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from scoring.predictive.accuracy import auc, calibration, share
from scoring.predictive.fitting import design, fit
from scoring.predictive.formula import (
    Formula,
    centred,
    formula_document,
    logistic,
    read_formula,
)
from scoring.predictive.levels import (
    Coding,
    Column,
    ColumnKind,
    Value,
    coding_of,
    is_number_of_rows,
)

CITY = Column("city", "City", ColumnKind.TEXT)
VISITS = Column("visits", "Visits", ColumnKind.NUMBER)
AGREES = Column("agrees", "Agrees", ColumnKind.BOOLEAN)


def test_rare_texts_are_folded_and_no_answer_is_a_level() -> None:
    coding = coding_of(CITY, ["Berlin"] * 20 + ["berlin "] * 15 + ["Bonn"] * 29 + [None, ""])
    assert dict(coding.levels) == {"=berlin": "Berlin", "*": "another answer", "": "no answer"}
    assert [coding.key(each) for each in ("BERLIN", "Rome", None)] == ["=berlin", "*", ""]


def test_a_text_that_nobody_shares_is_an_answer_or_none() -> None:
    coding = coding_of(CITY, [f"City {number}" for number in range(40)] + [None] * 40)
    assert dict(coding.levels) == {"*": "any answer", "": "no answer"}


def test_numbers_fall_into_ranges_of_like_size() -> None:
    coding = coding_of(VISITS, [0] * 95 + [1] * 40 + [2, 3] * 20 + [400] * 5)
    assert list(coding.levels.values()) == ["0", "1", "2 or more"]
    assert [coding.key(each) for each in (-1, 0, 1, 2, 1e9)] == ["#0", "#0", "#1", "#2", "#2"]
    assert coding.key(None) is None


def test_ranges_of_fractions_say_where_they_end() -> None:
    coding = coding_of(VISITS, [0.5] * 40 + [1.25] * 40 + [9.75] * 40)
    assert list(coding.levels.values()) == ["under 1.25", "1.25 to under 9.75", "9.75 or more"]


def test_yes_and_no_are_levels_and_a_number_of_rows_is_told() -> None:
    coding = coding_of(AGREES, [True] * 3 + [False] + [None])
    assert dict(coding.levels) == {"=yes": "yes", "=no": "no", "": "no answer"}
    assert is_number_of_rows(VISITS, [*range(100), None])
    assert not is_number_of_rows(VISITS, [*range(100), 7])
    assert not is_number_of_rows(VISITS, [number + 0.5 for number in range(100)])


def small_formula() -> Formula:
    codings = [
        coding_of(CITY, ["Berlin"] * 60 + ["Bonn"] * 40),
        coding_of(VISITS, [1] * 50 + [5] * 50),
    ]
    return centred(
        -0.5, codings, [[0.5, -0.75], [0.0, 1.0]], [[(60, 30), (40, 5)], [(50, 5), (50, 30)]]
    )


def test_a_formula_is_centred_so_that_reasons_compare_with_the_average() -> None:
    formula = small_formula()
    # the average of the first column is 0.6 * 0.5 - 0.4 * 0.75 = 0, of the second 0.5
    assert formula.intercept == 0.0
    assert formula.chance({"city": "Berlin", "visits": 9}) == pytest.approx(logistic(0.5 + 0.5))
    assert formula.chance({"city": "Rome"}) == 0.5, "what was never met counts nothing"
    reasons = formula.reasons({"city": "Bonn", "visits": 9})
    assert [(each.column, each.level, round(each.weight, 9)) for each in reasons] == [
        ("City", "Bonn", -0.75),
        ("Visits", "5 or more", 0.5),
    ]
    assert formula.reasons({"city": "Bonn", "visits": 9}, most=1) == reasons[:1]


def test_a_formula_survives_json() -> None:
    formula = small_formula()
    assert read_formula(json.loads(json.dumps(formula_document(formula)))) == formula


def invented(rng: random.Random) -> dict[str, Value]:
    return {
        "city": rng.choice(["Berlin", "Bonn", "Rome", None]),
        "visits": rng.choice([None, *range(12)]),
        "agrees": rng.choice([True, False]),
    }


def test_the_plain_formula_says_what_scikit_learn_says() -> None:
    rng = random.Random(7)
    sample = [invented(rng) for _ in range(600)]
    outcomes = [
        rng.random() < logistic(float(each["visits"] or 0) / 3 - 2 + (each["city"] == "Rome"))
        for each in sample
    ]
    codings = [
        coding_of(column, [each[column.name] for each in sample])
        for column in (CITY, VISITS, AGREES)
    ]
    places = [places_of(coding, sample) for coding in codings]
    sizes = [len(coding.levels) for coding in codings]
    learned = fit(places, sizes, outcomes, tell=lambda *_: None)
    counts = [
        [(column.count(place), 0) for place in range(size)]
        for column, size in zip(places, sizes, strict=True)
    ]
    formula = centred(learned.intercept, codings, learned.weights, counts)
    theirs = LogisticRegression(C=learned.strength, solver="newton-cholesky", max_iter=200)
    matrix = design(places, sizes)
    theirs.fit(matrix, np.asarray(outcomes))
    expected = theirs.predict_proba(matrix)[:, 1]
    assert [formula.chance(each) for each in sample] == pytest.approx(list(expected), abs=1e-9)
    assert auc(learned.predicted, outcomes).value > 0.7


def places_of(coding: Coding, sample: list[dict[str, Value]]) -> list[int]:
    keys = list(coding.levels)
    return [keys.index(str(coding.key(each[coding.column.name]))) for each in sample]


def test_an_area_by_hand() -> None:
    # of the six pairs of a positive and a negative, four are in order and one is equal
    told = auc([0.9, 0.5, 0.2, 0.5, 0.1], [True, True, True, False, False])
    assert told.value == pytest.approx(4.5 / 6)
    with pytest.raises(ValueError, match="both outcomes"):
        auc([0.1, 0.2], [True, True])


def test_the_interval_of_an_area_by_hand() -> None:
    # DeLong: components 1, 0.5 of the positives and 0.5, 1 of the negatives, variance 0.125 each;
    # standard error sqrt(0.125 / 2 + 0.125 / 2)
    told = auc([3, 1, 2, 0], [True, True, False, False])
    assert told.value == 0.75
    assert told.low == pytest.approx(0.75 - 1.959963984540054 * 0.125**0.5)
    assert told.high == 1.0


scored = st.lists(st.tuples(st.integers(0, 9), st.booleans()), min_size=2, max_size=60).filter(
    lambda pairs: len({is_one for _, is_one in pairs}) == 2
)


@given(scored)
def test_the_area_is_that_of_scikit_learn(pairs: list[tuple[int, bool]]) -> None:
    scores, outcomes = [score for score, _ in pairs], [is_one for _, is_one in pairs]
    assert auc(scores, outcomes).value == pytest.approx(roc_auc_score(outcomes, scores))


def test_an_interval_holds_the_true_area_as_often_as_it_says() -> None:
    rng = random.Random(3)
    true = 0.760249938906  # of two normal distributions, one apart: Phi(1 / sqrt(2))
    held = 0
    for _ in range(300):
        ones = [rng.gauss(1, 1) for _ in range(60)]
        noughts = [rng.gauss(0, 1) for _ in range(60)]
        told = auc([*ones, *noughts], [True] * 60 + [False] * 60)
        held += told.low <= true <= told.high
    assert 0.91 <= held / 300 <= 0.985


def test_calibration_has_bins_of_like_size_with_intervals() -> None:
    bins = calibration([at / 100 for at in range(100)], [at >= 50 for at in range(100)])
    assert [each.leads for each in bins] == [10] * 10
    assert [each.came_true.value for each in bins] == [0] * 5 + [1] * 5
    assert bins[0].predicted == pytest.approx(0.045)
    assert (bins[0].came_true.low, bins[9].came_true.high) == pytest.approx((0, 1))


def test_wilsons_interval_by_hand() -> None:
    told: Any = share(1, 10)
    assert (round(told.low, 4), round(told.high, 4)) == (0.0179, 0.4042)
