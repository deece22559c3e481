"""Asking how a score came about, as of any instant and by what was known at any other."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.utils import timezone
from psycopg.sql import SQL

from crm.common.prepared import prepared
from engagement.enums import Actor
from leads.enums import LifecycleStage
from leads.models import StageInterval
from scoring.definition import Definition
from scoring.explanation import (
    Evidence,
    Explanation,
    Line,
    engagement_lines,
    fit_lines,
    needs,
    persona_gaps,
)
from scoring.fit import fit_tables, numbered_rules, of_leads, past_leads
from scoring.forecast import forecast
from scoring.query import ASK, KEEP, engagement_tables
from scoring.scored import points
from scoring.services.fast_track import BuyingAct, buying_acts, held_back_act
from scoring.services.publishing import definition_of, model_at
from scoring.sql import record, rendered, with_tables

#: What was learned of a lead ``$1`` after ``$2``, or of its acts until then only after ``$3``; and
#: since when its acts count, as ``scoring.query.with_cycle_start`` has it.
_AROUND = SQL(
    "SELECT EXISTS (SELECT FROM leads_leadfact WHERE lead_id = $1 AND recorded_at > $2)"
    " AS has_changed, (SELECT count(*) FROM engagement_event WHERE lead_id = $1"
    " AND occurred_at <= $2 AND received_at > $3 AND actor = $4) AS acts_unknown,"
    " (SELECT max(stage.started_at) FROM leads_stageinterval stage JOIN leads_lead lead"
    " ON lead.id = stage.lead_id WHERE lead.id = $1 AND lead.cycle > 1 AND stage.stage = $5"
    " AND stage.started_at <= $2) AS counts_from"
)


class NoModel(Exception):
    """Nothing can be explained before the first model was published."""

    def __init__(self) -> None:
        """Compose the sentence a person reads."""
        super().__init__("No scoring model has been published yet")


def explain(*, lead_id: int, as_of: datetime, known_at: datetime | None = None) -> Explanation:
    """Return how the score of a lead came about as of ``as_of``.

    Args:
        lead_id: the lead.
        as_of: what had happened by then counts, under the model then in force.
        known_at: only what had been received by then counts; by default ``as_of``.

    Raises:
        NoModel: before the first model was published.
    """
    model = model_at(as_of)
    if model is None:
        raise NoModel
    definition = definition_of(model)
    return explain_by(
        definition, model.version, lead_id=lead_id, as_of=as_of, known_at=known_at or as_of
    )


def explain_by(
    definition: Definition, version: int, *, lead_id: int, as_of: datetime, known_at: datetime
) -> Explanation:
    """Return how the score of a lead would come about by the rules of one version, a draft's too.

    ``as_of`` and ``known_at`` are as ``explain`` has them.
    """
    [found] = prepared(_engagement_query(definition), [[lead_id], as_of, known_at])
    asked = [lead_id, as_of, known_at, Actor.HUMAN.value, LifecycleStage.RECYCLED.value]
    [around] = prepared(_AROUND, asked)
    fit = _fit(definition, lead_id, as_of, has_changed=around["has_changed"])
    return Explanation(
        lead_id=lead_id,
        as_of=as_of,
        known_at=known_at,
        model_version=version,
        definition=definition.cells,
        **_engagement_part(definition, found, as_of),
        **_fit_part(definition, fit),
        **_standing(definition, found, fit, as_of),
        **_fast_track(definition, lead_id, as_of),
        acts_unknown=around["acts_unknown"],
        counts_from=around["counts_from"],
        unreadable=definition.unreadable,
    )


@lru_cache(maxsize=16)
def _engagement_query(definition: Definition) -> SQL:
    tables = engagement_tables(definition, ASK, evidence=True)
    return rendered(with_tables(tables, SQL("SELECT * FROM engagement"), keep=KEEP))


def why_mql(*, lead_id: int, moment: datetime) -> str:
    """Return in a sentence or two why a lead was an MQL at ``moment``, or why it was none.

    Raises:
        NoModel: before the first model was published.
    """
    stages = StageInterval.objects.filter(lead_id=lead_id, started_at__lte=moment)
    latest = stages.order_by("sequence").last()
    mqls = stages.filter(stage=LifecycleStage.MQL, cycle=latest.cycle) if latest else stages.none()
    change = mqls.order_by("sequence").last()
    if change is None:
        told = explain(lead_id=lead_id, as_of=moment)
        return f"No MQL on {_day(moment)}. {told.standing}: {told.needs}."
    if change.is_imported:
        return f"MQL since {_day(change.started_at)}, as imported history tells."
    told = explain(lead_id=lead_id, as_of=change.started_at)
    by = f"by {change.actor}" if change.actor else change.rule[:1].lower() + change.rule[1:]
    return f"MQL since {_day(change.started_at)}: {by}. {_main_reasons(told)}"


def _main_reasons(told: Explanation) -> str:
    """Return the score and its three largest lines as a sentence."""
    fit = (
        f"fit {told.fit_score} ({told.fit_grade}, {told.persona})"
        if told.fit_score is not None
        else "fit not evaluated"
    )
    lines = [line for line in told.engagement_lines if line.points > 0][:3]
    reasons = ", ".join(f"{line.text} (+{line.points})" for line in lines)
    engagement = f"engagement {told.engagement_score} (level {told.engagement_level})"
    return f"Then {fit} and {engagement}" + (f", mostly {reasons}." if reasons else ".")


def _engagement_part(
    definition: Definition, found: Mapping[str, Any], as_of: datetime
) -> dict[str, Any]:
    moments = [moment and timezone.localtime(moment) for moment in found["moments"]]
    evidence = Evidence(found["amounts"], found["counts"], moments)
    return {
        "engagement_score": points(found["score"]),
        "engagement_level": definition.level(found["score"]),
        "engagement_lines": engagement_lines(definition, evidence, today=timezone.localdate(as_of)),
    }


def _fit(
    definition: Definition, lead_id: int, as_of: datetime, *, has_changed: bool
) -> dict[str, Any]:
    """Return the fit and each rule's outcome; from the fact log when the lead changed since."""
    tables = fit_tables(definition, of_leads([lead_id]), now=as_of)
    if has_changed:
        tables = [past_leads([lead_id], as_of=as_of), *tables]
    body = SQL("SELECT * FROM fit JOIN outcome ON outcome.id = fit.lead_id")
    return record(with_tables(tables, body, keep=["outcome"]))


def _fit_part(definition: Definition, fit: Mapping[str, Any]) -> dict[str, Any]:
    lines: tuple[Line, ...] = ()
    gaps: tuple[str, ...] = ()
    for persona, rules in numbered_rules(definition):
        if persona.name == fit["persona"]:
            answers = [fit[f"r{number}"] for number, _ in rules]
            lines = fit_lines(definition, persona, answers)
            gaps = persona_gaps(persona, answers)
    return {
        "fit_score": points(fit["fit"]),
        "fit_grade": definition.grade(fit["fit"]),
        "persona": fit["persona"],
        "fit_lines": lines,
        "gaps": gaps,
    }


def _standing(
    definition: Definition, found: Mapping[str, Any], fit: Mapping[str, Any], as_of: datetime
) -> dict[str, Any]:
    """Return where the lead stands to the MQL definition, and for how long."""
    cell = definition.cell(fit["fit"], found["score"])
    is_barred = bool(fit["blocked_by"] or fit["disqualified_by"])
    inside = cell in definition.cells and not is_barred
    ahead = forecast(definition, found["amounts"], now=as_of, cell=cell if inside else "")
    return {
        "cell": cell,
        "meets_definition": inside,
        "needs": needs(definition, fit["fit"], found["score"]),
        "blocked_by": fit["blocked_by"],
        "disqualified_by": fit["disqualified_by"],
        "changes_at": ahead.changes_at,
        "drops_out_at": ahead.drops_out_at,
    }


def _fast_track(definition: Definition, lead_id: int, as_of: datetime) -> dict[str, Any]:
    """Return the act by which the lead is on the fast track, or the one that its offer kept off."""
    act = buying_acts(definition, [lead_id], now=as_of).get(lead_id)
    held_back = None if act else held_back_act(definition, lead_id, now=as_of)
    return {
        "fast_track": _told(act) if act else "",
        "held_back": f"{_told(held_back)}, which is no fast track" if held_back else "",
    }


def _told(act: BuyingAct) -> str:
    told = f"{act.kind.label.lower()} on {_day(act.occurred_at)}"
    return f"{told} by the offer {act.offer}" if act.offer else told


def _day(moment: datetime) -> str:
    local = timezone.localtime(moment)
    return f"{local.day} {local:%B %Y}"
