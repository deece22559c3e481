"""Count how many clocks run; days that were counted without are counted anew."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("reports", "0003_notes_of_funnel")]

    operations = [
        migrations.AddField(
            model_name="slasum",
            name="still_open",
            field=models.IntegerField(default=0),
            preserve_default=False,
        ),
        migrations.RunSQL("UPDATE reports_sladay SET counted_at = NULL", migrations.RunSQL.noop),
    ]
