"""Drop the indexes that others cover: each costs every insert."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("engagement", "0003_form_versions"),
    ]

    operations = [
        migrations.AlterField(
            model_name="attendancerow",
            name="upload",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="rows",
                to="engagement.attendanceupload",
            ),
        ),
        migrations.AlterField(
            model_name="formversion",
            name="form",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="versions",
                to="engagement.captureform",
            ),
        ),
        migrations.AlterField(
            model_name="submission",
            name="form",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="submissions",
                to="engagement.captureform",
            ),
        ),
        migrations.AlterField(
            model_name="visitorlink",
            name="visitor",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="links",
                to="engagement.visitor",
            ),
        ),
    ]
