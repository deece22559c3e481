"""Messages lie in lanes by what their requests told; the few that wait are written anew."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("engagement", "0019_room_for_visitors"),
    ]

    operations = [
        migrations.AddField(
            model_name="inboxmessage",
            name="lane",
            field=models.GeneratedField(
                db_persist=True,
                expression=models.Func(
                    models.F("meta"), function="hashtext", output_field=models.IntegerField()
                ).bitand(1),
                output_field=models.SmallIntegerField(),
            ),
        ),
        migrations.RemoveIndex(model_name="inboxmessage", name="inbox_due"),
        migrations.AddIndex(
            model_name="inboxmessage",
            index=models.Index(
                condition=models.Q(("due_at__isnull", False)),
                fields=["lane", "due_at", "id"],
                name="inbox_due_in_lane",
            ),
        ),
    ]
