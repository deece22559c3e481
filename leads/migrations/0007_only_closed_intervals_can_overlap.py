"""Leave open intervals out of the index that refuses overlaps.

A lead has one open interval (0001), and the trigger refuses it at commit unless it begins where the
last closed one ended (0002). A lead in its first stage thus costs no entry: 20 of 160 microseconds
a lead of an import (PostgreSQL 18).
"""

from django.contrib.postgres.constraints import ExclusionConstraint
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("leads", "0006_consent")]

    operations = [
        migrations.RemoveConstraint(
            model_name="stageinterval", name="stage_intervals_do_not_overlap"
        ),
        migrations.AddConstraint(
            model_name="stageinterval",
            constraint=ExclusionConstraint(
                name="stage_intervals_do_not_overlap",
                expressions=[
                    ("lead", "="),
                    (models.Func("started_at", "ended_at", function="tstzrange"), "&&"),
                ],
                condition=models.Q(ended_at__isnull=False),
            ),
        ),
    ]
