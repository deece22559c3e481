"""Lines add up to what is shown, exactly and in tenths, whatever a model says and leads do."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from scoring.definition import Definition, parse_definition
from scoring.explanation import Evidence, engagement_lines, fit_lines
from scoring.points import line_value, total
from tests.scoring.logs import document

AT = datetime(2026, 5, 12, 9, 0, tzinfo=UTC)
tenths = st.integers(1, 1000).map(lambda n: n / 10)


@st.composite
def models(draw: st.DrawFn) -> Definition:
    groups = []
    for place in range(draw(st.integers(1, 4))):
        rules: list[dict[str, Any]] = []
        for i in range(draw(st.integers(1, 4))):
            worth = draw(tenths)
            rules.append(
                {
                    "label": f"Rule {place}.{i}",
                    "match": {"kind": "DOWNLOAD"},
                    "points": worth * draw(st.sampled_from([1, -1])),
                    "cap": draw(st.sampled_from([worth, 100])),
                }
            )
        cap, floor = draw(st.integers(1, 250)) / 10, -draw(st.integers(0, 1000)) / 10
        groups.append({"name": f"Group {place}", "cap": cap, "floor": floor, "rules": rules})
    engagement = {"levels": {"1": 75, "2": 50, "3": 25}, "groups": groups}
    return parse_definition(document(engagement=engagement))


@given(definition=models(), drawn=st.data())
def test_the_lines_of_engagement_add_up_to_the_score(
    definition: Definition, drawn: st.DataObject
) -> None:
    size = len(definition.rules)
    amounts = drawn.draw(
        st.lists(st.floats(-1e7, 1e7, allow_nan=False), min_size=size, max_size=size)
    )
    evidence = Evidence(amounts, [1] * size, [AT] * size)

    lines = engagement_lines(definition, evidence, today=AT.date())

    score = total(definition, [*map(line_value, definition.rules, amounts)])
    assert sum((line.points for line in lines), Decimal(0)) == Decimal(score).scaleb(-1)
    assert all(line.points == line.points.quantize(Decimal("0.1")) for line in lines)
    assert 0 <= score <= 1000


@given(
    base=st.integers(0, 1000),
    worths=st.lists(st.integers(-1000, 1000).filter(bool), min_size=1, max_size=6),
    drawn=st.data(),
)
def test_the_lines_of_fit_add_up_to_the_fit(
    base: int, worths: list[int], drawn: st.DataObject
) -> None:
    definition = replace(parse_definition(document()), fit_base=base)
    [persona] = definition.personas
    [rule] = persona.rules
    rules = tuple(replace(rule, label=f"Rule {i}", points=w) for i, w in enumerate(worths))
    answers = [drawn.draw(st.sampled_from([1, 0, None])) for _ in rules]

    lines = fit_lines(definition, replace(persona, rules=rules), answers)

    given_points = sum(worth for worth, fits in zip(worths, answers, strict=True) if fits)
    fit = min(max(base + given_points, 0), 1000)
    assert sum(line.points for line in lines) == Decimal(fit).scaleb(-1)
