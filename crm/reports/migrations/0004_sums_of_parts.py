"""Sums of parts: of each team, tier, source and version the same figures as of all.

With them how much of their target answers took, and what is open the longest. The sums are counted
anew from the clocks; until they are, pages count for themselves.
"""

from importlib import import_module

import django.db.models.deletion
from django.db import migrations, models

noting = import_module("crm.reports.migrations.0002_note_changes")
CLOCK = f"{noting.CLOCK}, target"
HANDOFF = f"{noting.HANDOFF}, calendar_id"


def _triggers(clock: str, handoff: str) -> str:
    """Return the statements that note changes of these columns instead of those before."""
    return f"""
    DROP TRIGGER reports_clock_changes ON handoff_clock;
    DROP TRIGGER reports_handoff_changes ON handoff_handoff;
    CREATE TRIGGER reports_clock_changes AFTER UPDATE OF {clock} ON handoff_clock
        FOR EACH ROW WHEN ({noting._changed(clock)}) EXECUTE FUNCTION reports_note_clock();
    CREATE TRIGGER reports_handoff_changes AFTER UPDATE OF {handoff} ON handoff_handoff
        FOR EACH ROW WHEN ({noting._changed(handoff)}) EXECUTE FUNCTION reports_note_handoff();
    """


COUNT_ANEW = "UPDATE reports_sladay SET counted_at = NULL;"


class Migration(migrations.Migration):
    dependencies = [("reports", "0003_where_the_time_went")]

    operations = [
        migrations.DeleteModel("SlaSum"),
        migrations.CreateModel(
            name="SlaSum",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "day_id",
                        "part",
                        "of",
                        "by",
                        "key",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "day",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sums",
                        to="reports.sladay",
                    ),
                ),
                ("part", models.CharField(max_length=8)),
                ("of", models.CharField(max_length=200)),
                ("by", models.CharField(max_length=8)),
                ("key", models.CharField(max_length=200)),
                *(
                    (name, models.IntegerField())
                    for name in (
                        "received", "on_time", "late", "not_yet_due", "excused", "withdrawn",
                        "used_25", "used_50", "used_75",
                    )
                ),
                ("minutes", models.BinaryField()),
                ("open_since", models.DateTimeField(null=True)),
                ("open_calendar", models.BigIntegerField(null=True)),
                ("split", models.IntegerField(null=True)),
                *(
                    (f"split_{name}", models.BigIntegerField(null=True))
                    for name in (
                        "system", "unassigned", "holder_a", "holder_b", "outside", "excused"
                    )
                ),
            ],
        ),
        migrations.RunSQL(COUNT_ANEW, COUNT_ANEW),
        migrations.RunSQL(
            _triggers(CLOCK, HANDOFF), _triggers(noting.CLOCK, noting.HANDOFF)
        ),
    ]  # fmt: skip
