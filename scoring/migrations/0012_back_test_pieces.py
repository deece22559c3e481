import django.db.models.deletion
from django.db import migrations, models

#: What was begun without pieces begins anew.
ANEW = """
    DELETE FROM scoring_backtesttrip
    WHERE back_test_id IN (SELECT id FROM scoring_backtest WHERE state = 'RUNNING');
    UPDATE scoring_backtest SET state = 'WAITING', leads_done = 0 WHERE state = 'RUNNING';
"""


class Migration(migrations.Migration):
    dependencies = [
        ("scoring", "0011_news_not_acted_on"),
    ]

    operations = [
        migrations.RunSQL(ANEW, migrations.RunSQL.noop),
        migrations.RemoveField(
            model_name="backtest",
            name="replayed_up_to",
        ),
        migrations.CreateModel(
            name="BackTestPiece",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("first_lead", models.BigIntegerField()),
                ("last_lead", models.BigIntegerField()),
                ("lead_count", models.PositiveIntegerField()),
                ("is_done", models.BooleanField(default=False)),
                (
                    "back_test",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="pieces",
                        to="scoring.backtest",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("first_lead__lte", models.F("last_lead"))),
                        name="back_test_piece_has_leads",
                    )
                ],
            },
        ),
    ]
