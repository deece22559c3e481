"""The database refuses a stage history with holes, or one that its lead contradicts.

Exclusion and unique constraints forbid overlaps and a second open interval (0001). The rest is
checked when a transaction commits: the intervals of a lead are numbered 1, 2, 3 ..., each starts at
the instant at which the one before ended, and the last one is open and says what ``stage``,
``cycle`` and ``stage_since`` of the lead say.

Why inserting an open interval queues no check: only one interval of a lead may be open, so that its
lead was inserted, or the interval before was closed or deleted, in the same transaction, and each of
these queues one. A million imported leads with one interval each thus cost a million checks.

A check is two index look-ups, as long as the planner knows how full the tables are: whoever inserts
many rows in one transaction runs ANALYZE on both tables before the commit.
"""

from django.db import migrations

CREATE = """
CREATE FUNCTION leads_check_stage_history(subject_id bigint) RETURNS void
LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    subject leads_lead;
    step leads_stageinterval;
    last leads_stageinterval;
    fault text;
BEGIN
    SELECT * INTO subject FROM leads_lead WHERE id = subject_id;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    FOR step IN SELECT * FROM leads_stageinterval WHERE lead_id = subject_id ORDER BY sequence LOOP
        IF step.sequence <> coalesce(last.sequence, 0) + 1 THEN
            fault := 'has no interval ' || coalesce(last.sequence, 0) + 1;
        ELSIF step.sequence > 1 AND last.ended_at IS DISTINCT FROM step.started_at THEN
            fault := 'does not begin interval ' || step.sequence || ' where the one before ended';
        END IF;
        EXIT WHEN fault IS NOT NULL;
        last := step;
    END LOOP;
    IF fault IS NULL AND (last.id IS NULL OR last.ended_at IS NOT NULL) THEN
        fault := 'has no open interval';
    ELSIF fault IS NULL AND (subject.stage, subject.cycle, subject.stage_since)
            IS DISTINCT FROM (last.stage, last.cycle, last.started_at) THEN
        fault := 'is in another stage than the lead';
    END IF;
    IF fault IS NOT NULL THEN
        RAISE EXCEPTION 'The stage history of lead % %', subject_id, fault
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'stage_history_is_whole';
    END IF;
END $$;

CREATE FUNCTION leads_check_history_of_lead() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM leads_check_stage_history(NEW.id);
    RETURN NULL;
END $$;

CREATE FUNCTION leads_check_history_of_interval() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM leads_check_stage_history(coalesce(NEW.lead_id, OLD.lead_id));
    IF TG_OP = 'UPDATE' AND NEW.lead_id <> OLD.lead_id THEN
        PERFORM leads_check_stage_history(OLD.lead_id);
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER lead_has_its_stage_history
    AFTER INSERT OR UPDATE OF stage, cycle, stage_since
    ON leads_lead DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION leads_check_history_of_lead();

CREATE CONSTRAINT TRIGGER stage_interval_added_in_its_place
    AFTER INSERT ON leads_stageinterval DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.ended_at IS NOT NULL)
    EXECUTE FUNCTION leads_check_history_of_interval();

CREATE CONSTRAINT TRIGGER stage_interval_changed_in_its_place
    AFTER DELETE OR UPDATE OF lead_id, sequence, stage, cycle, started_at, ended_at
    ON leads_stageinterval DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION leads_check_history_of_interval();
"""

DROP = """
DROP TRIGGER stage_interval_changed_in_its_place ON leads_stageinterval;
DROP TRIGGER stage_interval_added_in_its_place ON leads_stageinterval;
DROP TRIGGER lead_has_its_stage_history ON leads_lead;
DROP FUNCTION leads_check_history_of_interval();
DROP FUNCTION leads_check_history_of_lead();
DROP FUNCTION leads_check_stage_history(bigint);
"""


class Migration(migrations.Migration):
    replaces = [
        ("leads", "0002_stage_history_guard"),
    ]

    dependencies = [("leads", "0001_tables")]

    operations = [migrations.RunSQL(CREATE, DROP)]
