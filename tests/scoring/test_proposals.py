"""Which suggestions a model has as rules already."""

from __future__ import annotations

import pytest

from scoring.quality.candidates import Candidate, Counts
from scoring.quality.proposals import is_covered
from tests.scoring.logs import document

COUNTS = Counts(0, 0, 0, 0)


@pytest.mark.parametrize(("asked", "is_same"), [(1, True), (1.0, True), (True, False)])
def test_a_rule_for_one_does_not_cover_an_answer_of_true(asked: object, is_same: bool) -> None:
    match, candidate = (
        {"kind": "DOWNLOAD", "property": {"name": "vip", "equals": value}} for value in (1, asked)
    )
    model = document({"label": "Answer", "match": match, "points": 10})
    assert is_covered(Candidate(1, COUNTS, COUNTS, match=candidate), model) is is_same
