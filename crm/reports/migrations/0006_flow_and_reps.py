"""Notes for the flow, which counts every move, and for reps.

An hour is noted for the flow besides; all hours of a statement in one go, as a lead has more of them
now. Who holds a handoff changes what its lead is counted under. Days that were counted have no sums
of reps and nurture: they are counted again.
"""

from importlib import import_module

from django.db import migrations

noting = import_module("crm.reports.migrations.0002_note_changes")
former = import_module("crm.reports.migrations.0005_funnel_sums")
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
CREATE OR REPLACE FUNCTION reports_note_entry(entered varchar, at timestamptz) RETURNS void
LANGUAGE sql AS $$
    INSERT INTO reports_funnelchange (basis, hour)
    SELECT basis, hour FROM (
        SELECT {_BASES} AS basis, date_trunc('hour', at, 'UTC') AS hour
        FROM (VALUES (entered)) AS one (stage)) AS entered
    WHERE {_FRESH}
$$;

CREATE OR REPLACE FUNCTION reports_note_cohorts(ids bigint[]) RETURNS void LANGUAGE sql AS $$
    INSERT INTO reports_funnelchange (basis, hour)
    SELECT basis, hour FROM (
        SELECT DISTINCT {_BASES} AS basis, date_trunc('hour', started_at, 'UTC') AS hour
        FROM leads_stageinterval WHERE lead_id = ANY(ids)) AS entered
    WHERE {_FRESH}
$$;

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
CREATE TRIGGER reports_held AFTER INSERT ON handoff_handoff
    REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION reports_note_held();
CREATE TRIGGER reports_held_vanish AFTER DELETE ON handoff_handoff
    REFERENCING OLD TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION reports_note_held();
CREATE TRIGGER reports_holder_changes AFTER UPDATE OF {HELD} ON handoff_handoff FOR EACH ROW
    WHEN ({noting._changed(HELD)}) EXECUTE FUNCTION reports_note_holder();
"""

ANEW = "UPDATE reports_funnelday SET counted_at = NULL;"

BACK = f"""
DROP TRIGGER reports_holder_changes ON handoff_handoff;
DROP TRIGGER reports_held_vanish ON handoff_handoff;
DROP TRIGGER reports_held ON handoff_handoff;
DROP FUNCTION reports_note_holder();
DROP FUNCTION reports_note_held();
{former.FUNCTIONS.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")}
DELETE FROM reports_funnelsum WHERE by IN ('rep', 'nurture')
    OR day_id IN (SELECT id FROM reports_funnelday WHERE basis = 'FLOW');
DELETE FROM reports_funnelday WHERE basis = 'FLOW';
DELETE FROM reports_funnelchange WHERE basis = 'FLOW';
"""  # noqa: S608 -- names from this module


class Migration(migrations.Migration):
    dependencies = [
        ("reports", "0005_funnel_sums"),
    ]

    operations = [
        migrations.RunSQL(FUNCTIONS + TRIGGERS + ANEW, BACK),
    ]
