from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("leads", "0020_pinned_views"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="lead",
            index=models.Index(
                condition=models.Q(("woken_at__isnull", False)),
                fields=["woken_at"],
                name="lead_woken",
            ),
        ),
    ]
