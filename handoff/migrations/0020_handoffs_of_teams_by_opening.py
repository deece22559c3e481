"""What a team was handed in some days, which no sum is kept of where it is narrowed once more."""

import django.db.models.deletion
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("accounts", "0001_initial"),
        ("handoff", "0019_index_of_refused_leads"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="handoff",
            index=models.Index(fields=["team", "opened_at"], name="handoff_of_team"),
        ),
        migrations.AlterField(
            model_name="handoff",
            name="team",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                to="accounts.salesteam",
            ),
        ),
    ]
