"""An index of custom events by their names: lists ask who caused one, and which there are."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("engagement", "0004_indexes")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    "CREATE INDEX event_of_name ON engagement_event (name, lead_id, occurred_at)"
                    " WHERE lead_id IS NOT NULL AND actor = 'HUMAN' AND kind = 'CUSTOM'",
                    "DROP INDEX event_of_name",
                )
            ],
            state_operations=[
                migrations.AddIndex(
                    model_name="event",
                    index=models.Index(
                        fields=["name", "lead", "occurred_at"],
                        condition=models.Q(lead__isnull=False, actor="HUMAN", kind="CUSTOM"),
                        name="event_of_name",
                    ),
                )
            ],
        )
    ]
