"""Tables that hide the present ones and hold what was known at a past time.

Put before a query, each stands for the table of its name. What they hold is written in two ways: a
fact of the log has the time at which it was recorded, and what is overwritten (whose act it was,
who caused it) keeps the time and the value before.
"""

from __future__ import annotations

from psycopg.sql import SQL, Composable, Composed

_BLANK = "CASE fact.field WHEN 'attributes' THEN '{}'::jsonb ELSE 'null'::jsonb END"


def past_leads(lead_ids: Composable, *, as_of: Composable) -> tuple[str, Composed]:
    """Return ``leads_lead`` as it was at ``as_of``: attributes by the fact log, stage by history.

    A value that was recorded later only was not known then. A column without any fact was never
    logged, so its present value stands. Companies keep no log and stand as they are.
    """
    return (
        "leads_lead",
        SQL(
            "SELECT past.* FROM leads_lead lead CROSS JOIN LATERAL ({log}) AS log"
            " CROSS JOIN LATERAL (SELECT coalesce((SELECT jsonb_build_object('stage', stage,"
            " 'cycle', cycle, 'stage_since', started_at) FROM leads_stageinterval"
            " WHERE lead_id = lead.id AND started_at <= {as_of}"
            " ORDER BY sequence DESC LIMIT 1), '{{}}') AS stood) AS history"
            " CROSS JOIN LATERAL jsonb_populate_record(lead, log.told || history.stood) AS past"
            " WHERE lead.id = ANY({lead_ids}::bigint[])"
        ).format(as_of=as_of, log=_log(as_of), lead_ids=lead_ids),
    )


def open_lead() -> tuple[str, Composed]:
    """Return ``leads_lead`` as it was for an outer ``moment``: of one lead in an open cycle.

    ``moment`` has ``lead_id``, ``as_of`` and the ``stage``, ``cycle`` and ``stage_since`` of the
    cycle: what history made of it later is not looked at.
    """
    return (
        "leads_lead",
        SQL(
            "SELECT past.* FROM leads_lead lead CROSS JOIN LATERAL ({log}) AS log"
            " CROSS JOIN LATERAL jsonb_populate_record(lead, log.told || jsonb_build_object("
            "'stage', moment.stage, 'cycle', moment.cycle, 'stage_since', moment.stage_since"
            ")) AS past WHERE lead.id = moment.lead_id"
        ).format(log=_log(SQL("moment.as_of"))),
    )


def _log(as_of: Composable) -> Composed:
    """What the fact log told of ``lead`` at a time, as ``told``."""
    return SQL(
        "SELECT coalesce(jsonb_object_agg(field, value), '{{}}') AS told FROM ("
        "SELECT DISTINCT ON (fact.field) fact.field,"
        " CASE WHEN fact.recorded_at <= {as_of} THEN fact.value ELSE {blank} END AS value"
        " FROM leads_leadfact fact WHERE fact.lead_id = lead.id"
        " ORDER BY fact.field, (fact.recorded_at <= {as_of}) DESC, fact.recorded_at DESC,"
        " fact.id DESC) AS latest"
    ).format(as_of=as_of, blank=SQL(_BLANK))


def past_events(lead_ids: Composable, *, known_at: Composable) -> tuple[str, Composed]:
    """Return ``engagement_event`` as far as it was known at ``known_at``.

    An act is known from when it was received and it was proven whose it is, and that of a merged
    lead from the merge on; who caused it is what was thought then.
    """
    return (
        "engagement_event",
        SQL(
            "SELECT event.id, event.lead_id, event.asset_id, event.kind, event.name,"
            " event.funnel_stage, event.properties, event.occurred_at, event.received_at,"
            " coalesce(later.was_actor, event.actor) AS actor"
            " FROM engagement_event event"
            " LEFT JOIN engagement_visitorlink link ON link.id = event.link_id"
            " LEFT JOIN LATERAL (SELECT change.was_actor FROM engagement_actorchange change"
            " WHERE change.event_id = event.id AND change.changed_at > {known_at}"
            " ORDER BY change.changed_at, change.id LIMIT 1) AS later ON true"
            " WHERE event.lead_id = ANY({lead_ids}::bigint[]) AND event.received_at <= {known_at}"
            " AND (link.proven_at IS NULL OR link.proven_at <= {known_at})"
            " AND (event.merged_from IS NULL OR NOT EXISTS ("
            "SELECT FROM leads_leadmerge merge WHERE merge.undone_at IS NULL"
            " AND merge.merged_at > {known_at} AND merge.merged_id IN (event.merged_from,"
            " (SELECT first.survivor_id FROM leads_leadmerge first"
            " WHERE first.merged_id = event.merged_from AND first.undone_at IS NULL))))"
        ).format(known_at=known_at, lead_ids=lead_ids),
    )
