"""Forget predictions of models that are shown no more: lists were in their order."""

from __future__ import annotations

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("scoring", "0019_index_of_high_engagement")]

    operations = [
        migrations.RunSQL(
            "DELETE FROM scoring_leadprediction WHERE model_id NOT IN"
            " (SELECT id FROM scoring_predictivemodel WHERE is_active)",
            migrations.RunSQL.noop,
        ),
    ]
