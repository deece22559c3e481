"""What back-tests replay is called a cycle, as everywhere else."""

from django.db import migrations, models
from django.db.models import CASCADE, ForeignKey

# The figures of finished back-tests name their counts so too.
FIGURES = """
UPDATE scoring_backtest SET results = replace(results::text, '"{}":', '"{}":')::jsonb
"""


class Migration(migrations.Migration):
    dependencies = [("scoring", "0002_standing")]

    operations = [
        migrations.RenameModel("BackTestTrip", "BackTestCycle"),
        migrations.RenameField("BackTestCycle", "cycle", "number"),
        migrations.AlterField(
            "BackTestCycle",
            "back_test",
            ForeignKey("scoring.backtest", CASCADE, related_name="cycles", db_index=False),
        ),
        migrations.RenameIndex(
            "BackTestCycle", old_name="back_test_trip_change", new_name="back_test_cycle_change"
        ),
        migrations.RemoveConstraint("BackTestCycle", "back_test_trip_once"),
        migrations.AddConstraint(
            "BackTestCycle",
            models.UniqueConstraint(
                fields=["back_test", "lead", "number"], name="back_test_cycle_once"
            ),
        ),
        migrations.RunSQL(FIGURES.format("trips", "cycles"), FIGURES.format("cycles", "trips")),
    ]
