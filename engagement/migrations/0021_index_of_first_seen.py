"""How many visitors were first seen in a period, and which leads came of them."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("engagement", "0020_lanes_of_the_inbox"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="visitor",
            index=models.Index(
                condition=models.Q(("source", "")),
                fields=["first_seen_at"],
                include=["lead"],
                name="visitor_first_seen",
            ),
        ),
    ]
