from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("leads", "0022_possible_duplicates")]

    operations = [
        migrations.AddIndex(
            model_name="lead",
            index=models.Index(
                condition=models.Q(("merged_into__isnull", True), ("has_duplicate", True)),
                fields=["company_name", "id"],
                name="lead_duplicates_company",
            ),
        ),
    ]
