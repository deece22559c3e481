import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("handoff", "0011_what_was_decided"),
    ]

    operations = [
        migrations.AddField(
            model_name="holderinterval",
            name="calendar",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="handoff.workcalendar",
            ),
        ),
    ]
