"""Events remember whose they were before two leads were merged."""

from django.db import migrations, models

MAY_CHANGE = """
CREATE OR REPLACE FUNCTION engagement_event_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    may_change constant text[] := '{{{columns}}}';
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF to_jsonb(NEW) - may_change = to_jsonb(OLD) - may_change THEN
            RETURN NEW;
        END IF;
        RAISE EXCEPTION 'engagement_event is append-only: only % may change', may_change
            USING ERRCODE = 'restrict_violation';
    END IF;
    RAISE EXCEPTION 'engagement_event is append-only: % is refused', TG_OP
        USING ERRCODE = 'restrict_violation';
END $$;
"""
BEFORE = MAY_CHANGE.format(columns="lead_id,link_id,actor,actor_reason")
NOW = MAY_CHANGE.format(columns="lead_id,link_id,merged_from,actor,actor_reason")


class Migration(migrations.Migration):
    dependencies = [
        ("engagement", "0017_deliberate_acts_by_kind"),
        ("leads", "0017_merges"),
    ]

    operations = [
        migrations.AddField(
            model_name="event", name="merged_from", field=models.BigIntegerField(null=True)
        ),
        migrations.AddIndex(
            model_name="event",
            index=models.Index(
                condition=models.Q(("merged_from__isnull", False)),
                fields=["merged_from", "occurred_at"],
                name="event_merged",
            ),
        ),
        migrations.RunSQL(NOW, BEFORE),
    ]
