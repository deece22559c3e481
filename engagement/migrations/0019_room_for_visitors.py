import django.db.models.deletion
from django.db import migrations, models

#: Whenever a visitor is seen its row is written anew. With room on its page no index is touched.
LEAVE_ROOM = "ALTER TABLE engagement_visitor SET (fillfactor = 90)"
FILL_UP = "ALTER TABLE engagement_visitor RESET (fillfactor)"


class Migration(migrations.Migration):
    dependencies = [
        ("engagement", "0018_events_of_merged_leads"),
        ("leads", "0016_woken_by_act"),
    ]

    operations = [
        migrations.RunSQL(LEAVE_ROOM, FILL_UP),
        migrations.AlterField(
            model_name="visitor",
            name="claim",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="engagement.visitorlink",
            ),
        ),
        migrations.AlterField(
            model_name="visitor",
            name="lead",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="visitors",
                to="leads.lead",
            ),
        ),
        migrations.AlterField(
            model_name="visitor",
            name="link",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="engagement.visitorlink",
            ),
        ),
        migrations.AddIndex(
            model_name="visitor",
            index=models.Index(
                condition=models.Q(("lead__isnull", False)), fields=["lead"], name="visitor_by_lead"
            ),
        ),
        migrations.AddIndex(
            model_name="visitor",
            index=models.Index(
                condition=models.Q(("link__isnull", False)), fields=["link"], name="visitor_by_link"
            ),
        ),
        migrations.AddIndex(
            model_name="visitor",
            index=models.Index(
                condition=models.Q(("claim__isnull", False)),
                fields=["claim"],
                name="visitor_by_claim",
            ),
        ),
    ]
