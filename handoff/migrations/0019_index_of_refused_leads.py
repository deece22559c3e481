from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("handoff", "0018_clocks_of_people_by_start")]

    operations = [
        migrations.AddIndex(
            model_name="handoff",
            index=models.Index(
                condition=models.Q(("state", "REJECTED")),
                fields=["lead"],
                name="handoff_refused_lead",
            ),
        ),
    ]
