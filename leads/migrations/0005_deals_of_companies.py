"""Deals by the company of whoever closed them, as a view: what stands before leads hides no buyer."""

from django.db import migrations, models

CREATE = """
CREATE VIEW leads_companydeal AS
    SELECT deal.id, lead.company_id, deal.outcome, deal.closed_at, deal.created_at
    FROM leads_deal AS deal JOIN leads_lead AS lead ON lead.id = deal.lead_id
"""


class Migration(migrations.Migration):
    dependencies = [("leads", "0004_statistics")]

    operations = [
        migrations.RunSQL(CREATE, "DROP VIEW leads_companydeal"),
        migrations.CreateModel(
            name="CompanyDeal",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("company_id", models.BigIntegerField(null=True)),
                (
                    "outcome",
                    models.CharField(choices=[("WON", "Won"), ("LOST", "Lost")], max_length=4),
                ),
                ("closed_at", models.DateTimeField()),
                ("created_at", models.DateTimeField()),
            ],
            options={"managed": False, "default_permissions": ()},
        ),
    ]
