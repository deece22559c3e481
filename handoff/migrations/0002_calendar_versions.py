"""Hours become versions: one current calendar a name and a team, the others are history."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_admin_by_role"),
        ("handoff", "0001_initial"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="workcalendar",
            name="calendar_one_default",
        ),
        migrations.AddField(
            model_name="workcalendar",
            name="superseded_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AlterField(
            model_name="workcalendar",
            name="name",
            field=models.CharField(max_length=100),
        ),
        migrations.AlterField(
            model_name="workcalendar",
            name="team",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="calendars",
                to="accounts.salesteam",
            ),
        ),
        migrations.AddConstraint(
            model_name="workcalendar",
            constraint=models.UniqueConstraint(
                condition=models.Q(("is_default", True), ("superseded_at__isnull", True)),
                fields=("is_default",),
                name="calendar_one_default",
            ),
        ),
        migrations.AddConstraint(
            model_name="workcalendar",
            constraint=models.UniqueConstraint(
                condition=models.Q(("superseded_at__isnull", True)),
                fields=("name",),
                name="calendar_one_current_of_name",
            ),
        ),
        migrations.AddConstraint(
            model_name="workcalendar",
            constraint=models.UniqueConstraint(
                condition=models.Q(("superseded_at__isnull", True)),
                fields=("team",),
                name="calendar_one_current_of_team",
            ),
        ),
    ]
