"""Index verdicts by why sales let a lead go, for lists of them."""

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("handoff", "0003_indexes"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddIndex(
            model_name="bantassessment",
            index=models.Index(
                condition=models.Q(("submitted_at__isnull", False), ("verdict", "DISQUALIFY")),
                fields=["disqualify_reason"],
                name="bant_by_disqualify_reason",
            ),
        ),
        migrations.AddIndex(
            model_name="bantassessment",
            index=models.Index(
                condition=models.Q(("submitted_at__isnull", False), ("verdict", "RECYCLE")),
                fields=["recycle_reason"],
                name="bant_by_recycle_reason",
            ),
        ),
    ]
