"""Drop the indexes that others cover: each costs every insert."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("scoring", "0003_cycles"),
    ]

    operations = [
        migrations.AlterField(
            model_name="releasewave",
            name="plan",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="waves",
                to="scoring.releaseplan",
            ),
        ),
        migrations.AlterField(
            model_name="wavelead",
            name="wave",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="leads",
                to="scoring.releasewave",
            ),
        ),
    ]
