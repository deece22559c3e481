"""How many scores of the past came about, in two queries: as much of it as a brief shows.

Says for many what ``scoring.services.explain`` says for one; a test holds the briefs equal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, cast

from django.db import connection
from django.utils import timezone
from psycopg.sql import SQL, Composable

from crm.demo.qualifying import ask
from scoring.definition import Definition
from scoring.explanation import (
    Evidence,
    Explanation,
    engagement_lines,
    fit_lines,
    needs,
    persona_gaps,
)
from scoring.fit import fit_tables, numbered_rules, of_leads
from scoring.query import KEEP, engagement_tables
from scoring.scored import points
from scoring.sql import with_tables

Moment = tuple[int, datetime]


def explain_many(
    definition: Definition, version: int, moments: Sequence[Moment]
) -> dict[Moment, Explanation]:
    """Return how the scores of leads came about, each as of an instant of its own.

    Forecasts are left out, and attributes are taken as they are: nobody changes them here.
    """
    if not moments:
        return {}
    engagement = _records(
        with_tables(
            engagement_tables(definition, ask(moments), evidence=True),
            SQL("SELECT * FROM engagement"),
            keep=KEEP,
        )
    )
    body = SQL("SELECT * FROM fit JOIN outcome ON outcome.id = fit.lead_id")
    chosen = of_leads([lead_id for lead_id, _ in moments])
    tables = fit_tables(definition, chosen, now=max(at for _, at in moments))
    fits = {row["lead_id"]: row for row in _records(with_tables(tables, body, keep=["outcome"]))}
    return {
        (row["lead_id"], row["as_of"]): _explanation(definition, version, row, fits[row["lead_id"]])
        for row in engagement
    }


def _explanation(
    definition: Definition, version: int, found: Mapping[str, Any], fit: Mapping[str, Any]
) -> Explanation:
    as_of, score = found["as_of"], found["score"]
    seen = [moment and timezone.localtime(moment) for moment in found["moments"]]
    evidence = Evidence(found["amounts"], found["counts"], seen)
    cell = definition.cell(fit["fit"], score)
    return Explanation(
        lead_id=found["lead_id"],
        as_of=as_of,
        known_at=as_of,
        model_version=version,
        definition=definition.cells,
        engagement_score=cast("Decimal", points(score)),
        engagement_level=definition.level(score),
        engagement_lines=engagement_lines(definition, evidence, today=timezone.localdate(as_of)),
        cell=cell,
        meets_definition=cell in definition.cells and not fit["blocked_by"],
        needs=needs(definition, fit["fit"], score),
        blocked_by=fit["blocked_by"],
        disqualified_by=fit["disqualified_by"],
        fast_track="",
        changes_at=None,
        drops_out_at=None,
        acts_unknown=0,
        **_fit_part(definition, fit),
    )


def _fit_part(definition: Definition, fit: Mapping[str, Any]) -> dict[str, Any]:
    part: dict[str, Any] = {
        "fit_score": points(fit["fit"]),
        "fit_grade": definition.grade(fit["fit"]),
        "persona": fit["persona"],
        "fit_lines": (),
        "gaps": (),
    }
    for persona, rules in numbered_rules(definition):
        if persona.name == fit["persona"]:
            answers = [fit[f"r{number}"] for number, _ in rules]
            part["fit_lines"] = fit_lines(definition, persona, answers)
            part["gaps"] = persona_gaps(persona, answers)
    return part


def _records(query: Composable) -> list[dict[str, Any]]:
    """Run a query and return its rows by column."""
    with connection.cursor() as cursor:
        cursor.execute(query)
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
