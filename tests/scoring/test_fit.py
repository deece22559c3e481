from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from psycopg.sql import SQL, Literal

from leads.models import Lead
from leads.services import create_lead, update_lead
from scoring.definition import parse_definition
from scoring.fit import fit_tables, of_leads
from scoring.past import past_leads
from scoring.sql import rows, with_tables
from tests.factories import NOW, make_lead
from tests.scoring.logs import document

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
GERMANY = {"field": "country", "op": "in", "value": ["DE"]}
BUYER = {"field": "title", "op": "contains", "value": "buyer"}


def fit_of(lead: Lead, *rules: Any, at: datetime | None = None) -> tuple[int | None, str]:
    """Return fit in tenths and persona under one persona of ``(criteria, points)``, or several."""
    personas = rules if isinstance(rules[0], list) else [list(rules)]
    fit = {
        "grades": {"A": 75, "B": 50, "C": 25},
        "personas": [
            {
                "name": f"Persona {place}",
                "rules": [
                    {"label": f"Rule {i}", "criteria": criteria, "points": points}
                    for i, (criteria, points) in enumerate(persona)
                ],
            }
            for place, persona in enumerate(personas)
        ],
    }
    definition = parse_definition(document(fit=fit))
    tables = fit_tables(definition, of_leads([lead.pk]), now=NOW)
    if at:
        tables = [past_leads(Literal([lead.pk]), as_of=Literal(at)), *tables]
    [(fit_score, persona)] = rows(with_tables(tables, SQL("SELECT fit, persona FROM fit")))
    return fit_score, persona


def test_points_are_added_to_the_neutral_start() -> None:
    lead = make_lead(country="DE", title="Head buyer")
    assert fit_of(lead, (GERMANY, 12), (BUYER, 10.5)) == (725, "Persona 0")


def test_what_does_not_fit_counts_nothing() -> None:
    assert fit_of(make_lead(country="US"), (GERMANY, 12)) == (500, "Persona 0")


def test_negative_points_pull_down() -> None:
    assert fit_of(make_lead(country="DE"), (GERMANY, -20)) == (300, "Persona 0")


def test_unknown_is_neutral() -> None:
    lead = make_lead(country="DE", title="")
    assert fit_of(lead, (GERMANY, 12), (BUYER, -30)) == (620, "Persona 0")


def test_unknown_stays_neutral_under_a_negation() -> None:
    lead = make_lead(country="DE", title="")
    assert fit_of(lead, (GERMANY, 12), ({"not": BUYER}, -30)) == (620, "Persona 0")


def test_either_of_two_is_true_when_one_is_whatever_the_other_would_say() -> None:
    lead = make_lead(country="DE", title="")
    assert fit_of(lead, ({"any": [BUYER, GERMANY]}, 20)) == (700, "Persona 0")


def test_both_of_two_is_false_when_one_is_whatever_the_other_would_say() -> None:
    lead = make_lead(country="US", title="")
    assert fit_of(lead, ({"not": {"all": [BUYER, GERMANY]}}, 20)) == (700, "Persona 0")


def test_asking_whether_something_is_known_is_always_answered() -> None:
    lead = make_lead(title="")
    assert fit_of(lead, ({"field": "title", "op": "is_empty"}, -5)) == (450, "Persona 0")


def test_nothing_known_is_not_evaluated() -> None:
    assert fit_of(make_lead(country="", title=""), (GERMANY, 12), (BUYER, 10)) == (None, "")


def test_fit_stays_within_its_scale() -> None:
    lead = make_lead(country="DE", title="Buyer")
    assert fit_of(lead, (GERMANY, 60), (BUYER, 60))[0] == 1000
    assert fit_of(lead, (GERMANY, -60), (BUYER, -60))[0] == 0


def test_the_best_persona_wins() -> None:
    lead = make_lead(country="DE", title="Buyer")
    assert fit_of(lead, [(GERMANY, 12)], [(BUYER, 30)]) == (800, "Persona 1")


def test_of_two_that_fit_equally_the_first_wins() -> None:
    lead = make_lead(country="DE", title="Buyer")
    assert fit_of(lead, [(GERMANY, 12)], [(BUYER, 12)]) == (620, "Persona 0")


def test_a_persona_of_which_nothing_is_known_does_not_win_by_its_neutral_start() -> None:
    lead = make_lead(country="DE", title="")
    assert fit_of(lead, [(BUYER, 30)], [(GERMANY, -20)]) == (300, "Persona 1")


def test_fit_as_of_a_past_time_knows_only_what_was_known_then() -> None:
    lead = create_lead(now=NOW, email="ines@example.com", country="US", title="Buyer")
    update_lead(lead_id=lead.pk, now=NOW + DAY, country="DE")
    update_lead(lead_id=lead.pk, now=NOW + 2 * DAY, title="")
    rules = [(GERMANY, 12), (BUYER, 10)]
    found = [fit_of(lead, *rules, at=NOW + timedelta(days=days)) for days in (-1, 0, 0.5, 1, 2)]
    assert [fit for fit, _ in found] == [None, 600, 600, 720, 620]


def test_what_was_never_logged_stands_as_it_is() -> None:
    lead = make_lead(country="DE")
    assert fit_of(lead, (GERMANY, 12), at=NOW - DAY) == (620, "Persona 0")
