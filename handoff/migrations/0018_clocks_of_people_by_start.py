"""What a person answers for, by the days that reports ask of: few clocks, which no sum is kept of."""

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("handoff", "0017_withdrawals_on_record"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddIndex(
            model_name="clock",
            index=models.Index(
                fields=["answerable", "kind", "started_at"], name="clock_of_person_by_start"
            ),
        ),
    ]
