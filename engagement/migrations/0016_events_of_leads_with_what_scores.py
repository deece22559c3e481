from django.db import migrations, models


class Migration(migrations.Migration):
    """Put what scoring asks of an act into the index of a lead's acts.

    The new index comes first: while it is made the log can be read, only nothing is absorbed.
    """

    dependencies = [
        ("engagement", "0015_refusals"),
        ("leads", "0011_who_recorded_a_consent"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="event",
            index=models.Index(
                condition=models.Q(("lead__isnull", False)),
                fields=["lead", "occurred_at"],
                include=("received_at", "kind", "actor", "funnel_stage", "asset"),
                name="event_acts_of_lead",
            ),
        ),
        migrations.RemoveIndex(model_name="event", name="event_of_lead"),
    ]
