"""Where the time of each handoff went, and which handoffs are to be counted for it.

A handoff is due once it was touched or ended, and again when one of the things that its split clock
is made of changes. Whatever its split clock becomes changes the sums of its day.
"""

import django.db.models.deletion
from django.db import migrations, models

ENDS = "raised_at, opened_at, first_touch_at, closed_at, calendar_id"
FUNCTIONS = """
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
CREATE TRIGGER reports_split_begins AFTER INSERT ON handoff_handoff FOR EACH ROW
    WHEN (NEW.first_touch_at IS NOT NULL OR NEW.closed_at IS NOT NULL)
    EXECUTE FUNCTION reports_split_handoff();
CREATE TRIGGER reports_split_changes AFTER UPDATE OF {ENDS} ON handoff_handoff FOR EACH ROW
    WHEN (({", ".join(f"OLD.{each}" for each in ENDS.split(", "))})
        IS DISTINCT FROM ({", ".join(f"NEW.{each}" for each in ENDS.split(", "))}))
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
INSERT INTO reports_slasplitdue (handoff_id) SELECT id FROM handoff_handoff
    WHERE first_touch_at IS NOT NULL OR closed_at IS NOT NULL ORDER BY opened_at DESC;
"""  # noqa: S608 -- names from this module

DROP = """
DROP TRIGGER reports_splits_removed ON reports_slasplit;
DROP TRIGGER reports_splits_changed ON reports_slasplit;
DROP TRIGGER reports_splits_added ON reports_slasplit;
DROP TRIGGER reports_split_excuses ON handoff_excuse;
DROP TRIGGER reports_split_holders ON handoff_holderinterval;
DROP TRIGGER reports_split_changes ON handoff_handoff;
DROP TRIGGER reports_split_begins ON handoff_handoff;
DROP FUNCTION reports_note_splits();
DROP FUNCTION reports_split_excuse();
DROP FUNCTION reports_split_holder();
DROP FUNCTION reports_split_handoff();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("handoff", "0015_statistics_of_running_clocks"),
        ("reports", "0002_note_changes"),
    ]

    operations = [
        migrations.CreateModel(
            name="SlaSplit",
            fields=[
                (
                    "handoff",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="split_time",
                        serialize=False,
                        to="handoff.handoff",
                    ),
                ),
                ("system", models.DurationField()),
                ("unassigned", models.DurationField()),
                ("holder_a", models.DurationField()),
                ("holder_b", models.DurationField()),
                ("outside", models.DurationField()),
                ("excused", models.DurationField()),
            ],
        ),
        migrations.CreateModel(
            name="SlaSplitDue",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("handoff_id", models.BigIntegerField()),
            ],
        ),
        migrations.AddField(
            model_name="slasum",
            name="seconds",
            field=models.BigIntegerField(default=0),
        ),
        migrations.RunSQL(FUNCTIONS + TRIGGERS, DROP),
    ]
