"""Lists never show merged leads: their indexes hold none, so that counting reads no row."""

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0006_mail_of_kinds"),
        ("leads", "0017_merges"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="lead",
            name="lead_by_activity",
        ),
        migrations.RemoveIndex(
            model_name="lead",
            name="lead_by_created",
        ),
        migrations.RemoveIndex(
            model_name="lead",
            name="lead_by_name",
        ),
        migrations.RemoveIndex(
            model_name="lead",
            name="lead_by_company",
        ),
        migrations.RemoveIndex(
            model_name="lead",
            name="lead_stage_activity",
        ),
        migrations.RemoveIndex(
            model_name="lead",
            name="lead_stage_created",
        ),
        migrations.RemoveIndex(
            model_name="lead",
            name="lead_source_activity",
        ),
        migrations.RemoveIndex(
            model_name="lead",
            name="lead_country_activ",
        ),
        migrations.AddIndex(
            model_name="lead",
            index=models.Index(
                condition=models.Q(("merged_into__isnull", True)),
                fields=["-last_activity_at", "-id"],
                name="lead_by_activity",
            ),
        ),
        migrations.AddIndex(
            model_name="lead",
            index=models.Index(
                condition=models.Q(("merged_into__isnull", True)),
                fields=["-created_at", "-id"],
                name="lead_by_created",
            ),
        ),
        migrations.AddIndex(
            model_name="lead",
            index=models.Index(
                condition=models.Q(("merged_into__isnull", True)),
                fields=["last_name", "first_name", "id"],
                name="lead_by_name",
            ),
        ),
        migrations.AddIndex(
            model_name="lead",
            index=models.Index(
                condition=models.Q(("merged_into__isnull", True)),
                fields=["company_name", "id"],
                name="lead_by_company",
            ),
        ),
        migrations.AddIndex(
            model_name="lead",
            index=models.Index(
                condition=models.Q(("merged_into__isnull", True)),
                fields=["stage", "-last_activity_at", "-id"],
                name="lead_stage_activity",
            ),
        ),
        migrations.AddIndex(
            model_name="lead",
            index=models.Index(
                condition=models.Q(("merged_into__isnull", True)),
                fields=["stage", "-created_at", "-id"],
                name="lead_stage_created",
            ),
        ),
        migrations.AddIndex(
            model_name="lead",
            index=models.Index(
                condition=models.Q(("merged_into__isnull", True)),
                fields=["source", "-last_activity_at", "-id"],
                name="lead_source_activity",
            ),
        ),
        migrations.AddIndex(
            model_name="lead",
            index=models.Index(
                condition=models.Q(("merged_into__isnull", True)),
                fields=["country", "-last_activity_at", "-id"],
                name="lead_country_activ",
            ),
        ),
    ]
