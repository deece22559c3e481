"""Asking how a score came about, as of any instant and by what was known at any other."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.utils import timezone
from psycopg.sql import SQL, Literal

from crm.common.prepared import prepared
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
from scoring.fit import NO_TIME, fit_tables, numbered_rules, of_leads
from scoring.forecast import forecast
from scoring.past import past_events, past_leads
from scoring.query import ASK, KEEP, engagement_tables
from scoring.scored import points
from scoring.services.fast_track import BuyingAct, telling_act
from scoring.services.publishing import definition_of, model_at
from scoring.services.surroundings import surroundings_of
from scoring.sql import record, rendered, with_tables

_FIT = SQL("SELECT * FROM fit JOIN outcome ON outcome.id = fit.lead_id")


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
        known_at: only what was known by then counts: acts that had been received and were known
            to be this lead's and a person's, attributes that had been recorded; by default
            ``as_of``.

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
    around = surroundings_of(lead_id, as_of=as_of, known_at=known_at)
    is_past = around.has_changed
    [found] = prepared(_engagement_query(definition, is_past), [[lead_id], as_of, known_at])
    fit = _fit(definition, lead_id, min(as_of, known_at), is_past=is_past)
    return Explanation(
        lead_id=lead_id,
        as_of=as_of,
        known_at=known_at,
        model_version=version,
        definition=definition.cells,
        **_engagement_part(definition, found, as_of),
        **_fit_part(definition, fit),
        **_standing(definition, found, fit, as_of),
        **_fast_track(definition, lead_id, as_of, known_at, is_past=is_past),
        acts_unknown=around.unknown,
        uncounted=around.uncounted(),
        counts_from=around.counts_from,
        unreadable=definition.unreadable,
    )


@lru_cache(maxsize=16)
def _engagement_query(definition: Definition, is_past: bool) -> SQL:
    tables = engagement_tables(definition, ASK, evidence=True)
    if is_past:
        tables = [past_events(SQL("$1"), known_at=SQL("$3")), *tables]
    return rendered(with_tables(tables, SQL("SELECT * FROM engagement"), keep=KEEP))


def why_mql(*, lead_id: int, moment: datetime) -> str:
    """Return in a sentence or two why a lead was an MQL at ``moment``, or why it was none.

    Raises:
        NoModel: before the first model was published.
    """
    reason = reason_of_mql(lead_id=lead_id, moment=moment)
    if reason:
        return reason
    told = explain(lead_id=lead_id, as_of=moment)
    return f"No MQL on {_day(moment)}. {told.standing}: {told.needs}."


def reason_of_mql(*, lead_id: int, moment: datetime) -> str:
    """Return in a sentence or two why a lead was an MQL at ``moment``; nothing if it was none.

    Raises:
        NoModel: before the first model was published.
    """
    stages = StageInterval.objects.filter(lead_id=lead_id, started_at__lte=moment)
    latest = stages.order_by("sequence").last()
    mqls = stages.filter(stage=LifecycleStage.MQL, cycle=latest.cycle) if latest else stages.none()
    change = mqls.order_by("sequence").last()
    if change is None:
        return ""
    if change.is_imported:
        return f"MQL since {_day(change.started_at)}, as imported history tells."
    told = explain(lead_id=lead_id, as_of=change.started_at)
    rule = change.rule[:1].lower() + change.rule[1:]
    by = " ".join(filter(None, [rule, f"by {change.actor}" if change.actor else ""]))
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


def _fit(definition: Definition, lead_id: int, then: datetime, *, is_past: bool) -> dict[str, Any]:
    """Return the fit and each rule's outcome by what was known ``then``."""
    if not is_past and not definition.moves_with_time:
        [found] = prepared(_fit_query(definition), [[lead_id]])
        return found
    tables = fit_tables(definition, of_leads([lead_id]), now=then, is_past=is_past)
    if is_past:
        asked, moment = Literal([lead_id]), Literal(then)
        past = [past_leads(asked, as_of=moment), past_events(asked, known_at=moment)]
        tables = [*past, *tables]
    return record(with_tables(tables, _FIT, keep=["outcome"]))


@lru_cache(maxsize=16)
def _fit_query(definition: Definition) -> SQL:
    """Ask for the fit of a lead by what is so; no criterion looks at the time."""
    tables = fit_tables(definition, SQL("id = ANY($1::bigint[])"), now=NO_TIME)
    return rendered(with_tables(tables, _FIT, keep=["outcome"]))


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
        "level_changes_at": ahead.level_changes_at,
    }


def _fast_track(
    definition: Definition, lead_id: int, as_of: datetime, known_at: datetime, *, is_past: bool
) -> dict[str, Any]:
    """Return the act by which the lead is on the fast track, or the one that its offer kept off."""
    act = telling_act(definition, lead_id, now=as_of, known_at=known_at, is_past=is_past)
    told = _told(act) if act else ""
    if act and act.is_held_back:
        return {"fast_track": "", "held_back": f"{told}, which is no fast track"}
    return {"fast_track": told}


def _told(act: BuyingAct) -> str:
    told = f"{act.kind.label.lower()} on {_day(act.occurred_at)}"
    return f"{told} by the offer {act.offer}" if act.offer else told


def _day(moment: datetime) -> str:
    local = timezone.localtime(moment)
    return f"{local.day} {local:%B %Y}"
