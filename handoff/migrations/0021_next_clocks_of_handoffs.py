"""The clock of a handoff that falls due next, from an index; another one begins with the handoff."""

import django.db.models.deletion
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("handoff", "0020_handoffs_of_teams_by_opening")]

    operations = [
        AddIndexConcurrently(
            model_name="clock",
            index=models.Index(
                condition=models.Q(("stopped_at__isnull", True), ("withdrawn_at__isnull", True)),
                fields=["handoff", "due_at", "id"],
                name="clock_next_due",
            ),
        ),
        migrations.AlterField(
            model_name="clock",
            name="handoff",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="clocks",
                to="handoff.handoff",
            ),
        ),
    ]
