from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("leads", "0021_index_of_woken_leads"),
        ("scoring", "0018_leads_with_many_acts"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="leadscore",
            index=models.Index(
                condition=models.Q(("engagement_level__lte", 2)),
                fields=["engagement_level", "lead"],
                name="lead_score_hot",
            ),
        ),
    ]
