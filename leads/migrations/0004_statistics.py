"""Tell the planner how often a word occurs in the texts that filters search without regard to case.

Without statistics on ``upper(...)`` it expects next to nothing of any pattern, and sorts a million
leads where the first fifty of an index would have done (measured at 1 M leads: title contains a
common word, 558 ms without, 0.7 ms with).
"""

from django.db import migrations

COLUMNS = ("company_name", "title", "region", "city", "medium", "campaign")


def create(column: str) -> migrations.RunSQL:
    name = f"lead_{column}_upper"
    return migrations.RunSQL(
        f"CREATE STATISTICS {name} ON (upper({column}::text)) FROM leads_lead",
        f"DROP STATISTICS {name}",
    )


class Migration(migrations.Migration):
    replaces = [
        ("leads", "0004_upper_statistics"),
    ]

    dependencies = [("leads", "0003_notes_of_names")]

    operations = [create(column) for column in COLUMNS]
