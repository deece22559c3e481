"""Sums of the funnel by day, and notes of whose day something changed.

Triggers, because stages, sources and personas are written by many: services, imports, merges, the
admin, a hand on the database. Whoever moves changes the days on which they were captured and became
an MQL, however long ago. An hour is noted once in a transaction, not once for each lead of a
re-score; one that another transaction noted is no help, as a round may have taken it up meanwhile.
"""

from importlib import import_module

import django.db.models.deletion
from django.db import migrations, models

noting = import_module("crm.reports.migrations.0002_note_changes")
ENTRY = "lead_id, stage, cycle, started_at, is_override"
FACTS = "source, campaign, merged_into_id"

FUNCTIONS = """
CREATE FUNCTION reports_note_entry(entered varchar, at timestamptz) RETURNS void
LANGUAGE sql AS $$
    INSERT INTO reports_funnelchange (basis, hour)
    SELECT entered, date_trunc('hour', at, 'UTC')
    WHERE entered IN ('LEAD', 'MQL') AND NOT EXISTS (
        SELECT FROM reports_funnelchange
        WHERE basis = entered AND hour = date_trunc('hour', at, 'UTC')
            AND xmin = pg_current_xact_id()::xid)
$$;

CREATE FUNCTION reports_note_cohorts(ids bigint[]) RETURNS void LANGUAGE sql AS $$
    SELECT reports_note_entry(stage, hour) FROM (
        SELECT DISTINCT stage, date_trunc('hour', started_at, 'UTC') AS hour
        FROM leads_stageinterval
        WHERE lead_id = ANY(ids) AND stage IN ('LEAD', 'MQL')) AS entered
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
"""

TRIGGERS = f"""
CREATE TRIGGER reports_entries AFTER INSERT ON leads_stageinterval
    REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION reports_note_entries();
CREATE TRIGGER reports_entries_vanish AFTER DELETE ON leads_stageinterval
    REFERENCING OLD TABLE AS written FOR EACH STATEMENT
    EXECUTE FUNCTION reports_note_lost_entries();
CREATE TRIGGER reports_entry_changes
    AFTER UPDATE OF {ENTRY}, ended_at ON leads_stageinterval FOR EACH ROW
    WHEN ({noting._changed(ENTRY)}
        OR (NEW.stage = 'SAL' AND (OLD.ended_at IS NULL) <> (NEW.ended_at IS NULL)))
    EXECUTE FUNCTION reports_note_changed_entry();
CREATE TRIGGER reports_facts_change AFTER UPDATE OF {FACTS} ON leads_lead FOR EACH ROW
    WHEN ({noting._changed(FACTS)}) EXECUTE FUNCTION reports_note_cohorts_of_lead();
CREATE TRIGGER reports_persona_known AFTER INSERT ON scoring_leadscore
    REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION reports_note_scored();
CREATE TRIGGER reports_persona_changes AFTER UPDATE OF persona ON scoring_leadscore FOR EACH ROW
    WHEN (OLD.persona <> NEW.persona) EXECUTE FUNCTION reports_note_cohorts_of_score();
CREATE TRIGGER reports_persona_vanishes AFTER DELETE ON scoring_leadscore FOR EACH ROW
    WHEN (OLD.persona <> '') EXECUTE FUNCTION reports_note_cohorts_of_score();
"""

DROP = """
DROP TRIGGER reports_persona_vanishes ON scoring_leadscore;
DROP TRIGGER reports_persona_changes ON scoring_leadscore;
DROP TRIGGER reports_persona_known ON scoring_leadscore;
DROP TRIGGER reports_facts_change ON leads_lead;
DROP TRIGGER reports_entry_changes ON leads_stageinterval;
DROP TRIGGER reports_entries_vanish ON leads_stageinterval;
DROP TRIGGER reports_entries ON leads_stageinterval;
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
    dependencies = [
        ("reports", "0004_sums_of_parts"),
    ]

    operations = [
        migrations.CreateModel(
            name="FunnelChange",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("basis", models.CharField(max_length=4)),
                ("hour", models.DateTimeField()),
            ],
            options={
                "indexes": [models.Index(fields=["basis", "hour"], name="funnel_change_by_hour")],
            },
        ),
        migrations.CreateModel(
            name="FunnelDay",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("zone", models.CharField(max_length=64)),
                ("basis", models.CharField(max_length=4)),
                ("unit", models.CharField(max_length=6)),
                ("day", models.DateField()),
                ("began_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField()),
                ("counted_at", models.DateTimeField(null=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("zone", "basis", "unit", "day"), name="funnel_day_counted_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="FunnelSum",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "day_id",
                        "by",
                        "key",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("by", models.CharField(max_length=8)),
                ("key", models.CharField(max_length=200)),
                ("lead", models.IntegerField()),
                ("no_lead", models.IntegerField()),
                ("mql", models.IntegerField()),
                ("no_mql", models.IntegerField()),
                ("sal", models.IntegerField()),
                ("no_sal", models.IntegerField()),
                ("sql", models.IntegerField()),
                ("no_sql", models.IntegerField()),
                ("won", models.IntegerField()),
                ("no_won", models.IntegerField()),
                ("recycled", models.IntegerField()),
                ("disqualified", models.IntegerField()),
                ("lost", models.IntegerField()),
                ("overridden", models.IntegerField()),
                ("in_progress", models.IntegerField()),
                ("to_mql", models.BinaryField(null=True)),
                ("to_sal", models.BinaryField(null=True)),
                ("to_sql", models.BinaryField(null=True)),
                ("to_won", models.BinaryField(null=True)),
                (
                    "day",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sums",
                        to="reports.funnelday",
                    ),
                ),
            ],
        ),
        migrations.RunSQL(FUNCTIONS + TRIGGERS, DROP),
    ]
