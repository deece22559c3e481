"""Note of which hours leads were captured, became MQLs or moved whose day in the funnel changed.

Triggers, because stages, sources and personas are written by many: services, imports, merges, the
admin, a hand on the database. Whoever moves changes the days on which they were captured and became
an MQL, however long ago, and the flow of the day itself; who holds a handoff changes what its lead
is counted under. An hour is noted once in a transaction, not once for each lead of a re-score; one
that another transaction noted is no help, as a round may have taken it up meanwhile.
"""

from importlib import import_module

from django.db import migrations

changed = import_module("crm.reports.migrations.0002_notes_of_sla").changed
ENTRY = "lead_id, stage, cycle, started_at, is_override"
FACTS = "source, campaign, merged_into_id"
HELD = "holder_id, lead_id, cycle"

_FRESH = """
    NOT EXISTS (
        SELECT FROM reports_funnelchange noted
        WHERE noted.basis = entered.basis AND noted.hour = entered.hour
            AND noted.xmin = pg_current_xact_id()::xid)
"""
_BASES = """
    unnest(CASE WHEN stage IN ('LEAD', 'MQL') THEN ARRAY['FLOW', stage] ELSE ARRAY['FLOW'] END)
"""

FUNCTIONS = f"""
CREATE FUNCTION reports_note_entry(entered varchar, at timestamptz) RETURNS void
LANGUAGE sql AS $$
    INSERT INTO reports_funnelchange (basis, hour)
    SELECT basis, hour FROM (
        SELECT {_BASES} AS basis, date_trunc('hour', at, 'UTC') AS hour
        FROM (VALUES (entered)) AS one (stage)) AS entered
    WHERE {_FRESH}
$$;

CREATE FUNCTION reports_note_cohorts(ids bigint[]) RETURNS void LANGUAGE sql AS $$
    INSERT INTO reports_funnelchange (basis, hour)
    SELECT basis, hour FROM (
        SELECT DISTINCT {_BASES} AS basis, date_trunc('hour', started_at, 'UTC') AS hour
        FROM leads_stageinterval WHERE lead_id = ANY(ids)) AS entered
    WHERE {_FRESH}
$$;

CREATE FUNCTION reports_note_entries() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM reports_note_cohorts(ARRAY(SELECT DISTINCT lead_id FROM written));
    RETURN NULL;
END $$;

CREATE FUNCTION reports_note_lost_entries() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM reports_note_entry(stage, started_at) FROM written;
    PERFORM reports_note_cohorts(ARRAY(SELECT DISTINCT lead_id FROM written));
    RETURN NULL;
END $$;

CREATE FUNCTION reports_note_changed_entry() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM reports_note_entry(OLD.stage, OLD.started_at);
    PERFORM reports_note_cohorts(ARRAY[OLD.lead_id, NEW.lead_id]);
    RETURN NULL;
END $$;

CREATE FUNCTION reports_note_cohorts_of_lead() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM reports_note_cohorts(ARRAY[NEW.id]);
    RETURN NULL;
END $$;

CREATE FUNCTION reports_note_scored() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM reports_note_cohorts(ARRAY(SELECT lead_id FROM written WHERE persona <> ''));
    RETURN NULL;
END $$;

CREATE FUNCTION reports_note_cohorts_of_score() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM reports_note_cohorts(ARRAY[coalesce(NEW.lead_id, OLD.lead_id)]);
    RETURN NULL;
END $$;

CREATE FUNCTION reports_note_held() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM reports_note_cohorts(ARRAY(SELECT DISTINCT lead_id FROM written));
    RETURN NULL;
END $$;

CREATE FUNCTION reports_note_holder() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM reports_note_cohorts(ARRAY[OLD.lead_id, NEW.lead_id]);
    RETURN NULL;
END $$;
"""  # noqa: S608 -- names from this module

TRIGGERS = f"""
CREATE TRIGGER reports_entries AFTER INSERT ON leads_stageinterval
    REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION reports_note_entries();
CREATE TRIGGER reports_entries_vanish AFTER DELETE ON leads_stageinterval
    REFERENCING OLD TABLE AS written FOR EACH STATEMENT
    EXECUTE FUNCTION reports_note_lost_entries();
CREATE TRIGGER reports_entry_changes
    AFTER UPDATE OF {ENTRY}, ended_at ON leads_stageinterval FOR EACH ROW
    WHEN ({changed(ENTRY)}
        OR (NEW.stage = 'SAL' AND (OLD.ended_at IS NULL) <> (NEW.ended_at IS NULL)))
    EXECUTE FUNCTION reports_note_changed_entry();
CREATE TRIGGER reports_facts_change AFTER UPDATE OF {FACTS} ON leads_lead FOR EACH ROW
    WHEN ({changed(FACTS)}) EXECUTE FUNCTION reports_note_cohorts_of_lead();
CREATE TRIGGER reports_persona_known AFTER INSERT ON scoring_leadscore
    REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION reports_note_scored();
CREATE TRIGGER reports_persona_changes AFTER UPDATE OF persona ON scoring_leadscore FOR EACH ROW
    WHEN (OLD.persona <> NEW.persona) EXECUTE FUNCTION reports_note_cohorts_of_score();
CREATE TRIGGER reports_persona_vanishes AFTER DELETE ON scoring_leadscore FOR EACH ROW
    WHEN (OLD.persona <> '') EXECUTE FUNCTION reports_note_cohorts_of_score();
CREATE TRIGGER reports_held AFTER INSERT ON handoff_handoff
    REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION reports_note_held();
CREATE TRIGGER reports_held_vanish AFTER DELETE ON handoff_handoff
    REFERENCING OLD TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION reports_note_held();
CREATE TRIGGER reports_holder_changes AFTER UPDATE OF {HELD} ON handoff_handoff FOR EACH ROW
    WHEN ({changed(HELD)}) EXECUTE FUNCTION reports_note_holder();
"""

DROP = """
DROP TRIGGER reports_holder_changes ON handoff_handoff;
DROP TRIGGER reports_held_vanish ON handoff_handoff;
DROP TRIGGER reports_held ON handoff_handoff;
DROP TRIGGER reports_persona_vanishes ON scoring_leadscore;
DROP TRIGGER reports_persona_changes ON scoring_leadscore;
DROP TRIGGER reports_persona_known ON scoring_leadscore;
DROP TRIGGER reports_facts_change ON leads_lead;
DROP TRIGGER reports_entry_changes ON leads_stageinterval;
DROP TRIGGER reports_entries_vanish ON leads_stageinterval;
DROP TRIGGER reports_entries ON leads_stageinterval;
DROP FUNCTION reports_note_holder();
DROP FUNCTION reports_note_held();
DROP FUNCTION reports_note_cohorts_of_score();
DROP FUNCTION reports_note_scored();
DROP FUNCTION reports_note_cohorts_of_lead();
DROP FUNCTION reports_note_changed_entry();
DROP FUNCTION reports_note_lost_entries();
DROP FUNCTION reports_note_entries();
DROP FUNCTION reports_note_cohorts(bigint[]);
DROP FUNCTION reports_note_entry(varchar, timestamptz);
"""


class Migration(migrations.Migration):
    replaces = [
        ("reports", "0005_funnel_sums"),
    ]

    dependencies = [("reports", "0002_notes_of_sla")]

    operations = [migrations.RunSQL(FUNCTIONS + TRIGGERS, DROP)]
