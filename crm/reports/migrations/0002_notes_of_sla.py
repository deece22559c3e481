"""Note from which hour something changed that a counted day of SLA compliance may hold.

Triggers, because much of it is written by many: services, imports, merges, the admin, a hand on the
database. What changes without a trace here would leave a wrong figure standing. Rows of updates are
looked at only where a column that figures are made of is written, and noted only where it changed.

A handoff is due to be split once it was touched or ended, and again when one of the things that its
split clock is made of changes. Whatever its split clock becomes changes the sums of its day.
"""

from django.db import migrations

CLOCK = (
    "kind, started_at, due_at, stopped_at, withdrawn_at, excused_at, elapsed, answerable_id, target"
)
HANDOFF = (
    "lead_id, cycle, team_id, tier_id, agreement_id, state, accepted_at, connected_at, attempts,"
    " calendar_id"
)
ENDS = "raised_at, opened_at, first_touch_at, closed_at, calendar_id"


def changed(columns: str) -> str:
    """Return the condition that one of ``columns`` differs."""
    old, new = (
        ", ".join(f"{row}.{each}" for each in columns.split(", ")) for row in ("OLD", "NEW")
    )
    return f"({old}) IS DISTINCT FROM ({new})"


NOTES = """
CREATE FUNCTION reports_note_handoffs(ids bigint[]) RETURNS void LANGUAGE sql AS $$
    INSERT INTO reports_slachange (kind, hour)
    SELECT DISTINCT kind, date_trunc('hour', started_at, 'UTC')
    FROM handoff_clock WHERE handoff_id = ANY(ids)
$$;

CREATE FUNCTION reports_note_new_clocks() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO reports_slachange (kind, hour)
    SELECT DISTINCT kind, date_trunc('hour', started_at, 'UTC') FROM added;
    RETURN NULL;
END $$;

CREATE FUNCTION reports_note_clock() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO reports_slachange (kind, hour)
    VALUES (OLD.kind, date_trunc('hour', OLD.started_at, 'UTC'));
    IF TG_OP = 'UPDATE' AND (OLD.kind, OLD.started_at) IS DISTINCT FROM (NEW.kind, NEW.started_at)
    THEN
        INSERT INTO reports_slachange (kind, hour)
        VALUES (NEW.kind, date_trunc('hour', NEW.started_at, 'UTC'));
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION reports_note_handoff() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM reports_note_handoffs(ARRAY[NEW.id]);
    RETURN NULL;
END $$;

CREATE FUNCTION reports_note_imported() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM reports_note_handoffs(ARRAY[coalesce(NEW.handoff_id, OLD.handoff_id)]);
    RETURN NULL;
END $$;

CREATE FUNCTION reports_note_lead() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM reports_note_handoffs(
        ARRAY(SELECT id FROM handoff_handoff WHERE lead_id = NEW.id));
    RETURN NULL;
END $$;

CREATE FUNCTION reports_note_end_of_deal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM reports_note_handoffs(
        ARRAY(SELECT id FROM handoff_handoff WHERE lead_id IN (NEW.lead_id, OLD.lead_id)));
    RETURN NULL;
END $$;
"""

SPLITS = """
CREATE FUNCTION reports_split_handoff() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO reports_slasplitdue (handoff_id) VALUES (NEW.id);
    RETURN NULL;
END $$;

CREATE FUNCTION reports_split_holder() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO reports_slasplitdue (handoff_id)
    SELECT id FROM handoff_handoff WHERE id = coalesce(NEW.handoff_id, OLD.handoff_id)
        AND (first_touch_at IS NOT NULL OR closed_at IS NOT NULL);
    RETURN NULL;
END $$;

CREATE FUNCTION reports_split_excuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO reports_slasplitdue (handoff_id)
    SELECT handoff_id FROM handoff_clock WHERE id = coalesce(NEW.clock_id, OLD.clock_id);
    RETURN NULL;
END $$;

CREATE FUNCTION reports_note_splits() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO reports_slachange (kind, hour)
    SELECT DISTINCT kind, date_trunc('hour', started_at, 'UTC')
    FROM changed JOIN handoff_clock USING (handoff_id) WHERE kind = 'FIRST_TOUCH';
    RETURN NULL;
END $$;
"""

TRIGGERS = f"""
CREATE TRIGGER reports_new_clocks AFTER INSERT ON handoff_clock
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION reports_note_new_clocks();
CREATE TRIGGER reports_clock_changes AFTER UPDATE OF {CLOCK} ON handoff_clock
    FOR EACH ROW WHEN ({changed(CLOCK)}) EXECUTE FUNCTION reports_note_clock();
CREATE TRIGGER reports_clock_ends AFTER DELETE ON handoff_clock
    FOR EACH ROW EXECUTE FUNCTION reports_note_clock();
CREATE TRIGGER reports_handoff_changes AFTER UPDATE OF {HANDOFF} ON handoff_handoff
    FOR EACH ROW WHEN ({changed(HANDOFF)}) EXECUTE FUNCTION reports_note_handoff();
CREATE TRIGGER reports_imported_changes AFTER INSERT OR UPDATE OR DELETE ON handoff_importedhandoff
    FOR EACH ROW EXECUTE FUNCTION reports_note_imported();
CREATE TRIGGER reports_lead_changes AFTER UPDATE OF source ON leads_lead
    FOR EACH ROW WHEN (OLD.source IS DISTINCT FROM NEW.source)
    EXECUTE FUNCTION reports_note_lead();
CREATE TRIGGER reports_deal_ends AFTER INSERT ON leads_stageinterval
    FOR EACH ROW WHEN (NEW.stage IN ('WON', 'LOST')) EXECUTE FUNCTION reports_note_end_of_deal();
CREATE TRIGGER reports_deal_end_changes
    AFTER UPDATE OF lead_id, stage, cycle, sequence ON leads_stageinterval
    FOR EACH ROW WHEN (OLD.stage IN ('WON', 'LOST') OR NEW.stage IN ('WON', 'LOST'))
    EXECUTE FUNCTION reports_note_end_of_deal();
CREATE TRIGGER reports_deal_end_vanishes AFTER DELETE ON leads_stageinterval
    FOR EACH ROW WHEN (OLD.stage IN ('WON', 'LOST')) EXECUTE FUNCTION reports_note_end_of_deal();
CREATE TRIGGER reports_split_begins AFTER INSERT ON handoff_handoff FOR EACH ROW
    WHEN (NEW.first_touch_at IS NOT NULL OR NEW.closed_at IS NOT NULL)
    EXECUTE FUNCTION reports_split_handoff();
CREATE TRIGGER reports_split_changes AFTER UPDATE OF {ENDS} ON handoff_handoff FOR EACH ROW
    WHEN ({changed(ENDS)})
    EXECUTE FUNCTION reports_split_handoff();
CREATE TRIGGER reports_split_holders AFTER INSERT OR UPDATE OR DELETE ON handoff_holderinterval
    FOR EACH ROW EXECUTE FUNCTION reports_split_holder();
CREATE TRIGGER reports_split_excuses AFTER INSERT OR UPDATE OR DELETE ON handoff_excuse
    FOR EACH ROW EXECUTE FUNCTION reports_split_excuse();
CREATE TRIGGER reports_splits_added AFTER INSERT ON reports_slasplit
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION reports_note_splits();
CREATE TRIGGER reports_splits_changed AFTER UPDATE ON reports_slasplit
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION reports_note_splits();
CREATE TRIGGER reports_splits_removed AFTER DELETE ON reports_slasplit
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION reports_note_splits();
"""

DROP = """
DROP TRIGGER reports_splits_removed ON reports_slasplit;
DROP TRIGGER reports_splits_changed ON reports_slasplit;
DROP TRIGGER reports_splits_added ON reports_slasplit;
DROP TRIGGER reports_split_excuses ON handoff_excuse;
DROP TRIGGER reports_split_holders ON handoff_holderinterval;
DROP TRIGGER reports_split_changes ON handoff_handoff;
DROP TRIGGER reports_split_begins ON handoff_handoff;
DROP TRIGGER reports_deal_end_vanishes ON leads_stageinterval;
DROP TRIGGER reports_deal_end_changes ON leads_stageinterval;
DROP TRIGGER reports_deal_ends ON leads_stageinterval;
DROP TRIGGER reports_lead_changes ON leads_lead;
DROP TRIGGER reports_imported_changes ON handoff_importedhandoff;
DROP TRIGGER reports_handoff_changes ON handoff_handoff;
DROP TRIGGER reports_clock_ends ON handoff_clock;
DROP TRIGGER reports_clock_changes ON handoff_clock;
DROP TRIGGER reports_new_clocks ON handoff_clock;
DROP FUNCTION reports_note_splits();
DROP FUNCTION reports_split_excuse();
DROP FUNCTION reports_split_holder();
DROP FUNCTION reports_split_handoff();
DROP FUNCTION reports_note_end_of_deal();
DROP FUNCTION reports_note_lead();
DROP FUNCTION reports_note_imported();
DROP FUNCTION reports_note_handoff();
DROP FUNCTION reports_note_clock();
DROP FUNCTION reports_note_new_clocks();
DROP FUNCTION reports_note_handoffs(bigint[]);
"""


class Migration(migrations.Migration):
    replaces = [
        ("reports", "0002_note_changes"),
        ("reports", "0003_where_the_time_went"),
        ("reports", "0004_sums_of_parts"),
    ]

    dependencies = [("reports", "0001_tables")]

    operations = [migrations.RunSQL(NOTES + SPLITS + TRIGGERS, DROP)]
