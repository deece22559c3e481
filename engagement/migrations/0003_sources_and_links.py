"""Sources with keys, identifications as links of their own, and what brought a visitor.

Visitors identified before get a link each, so that what was attached to their lead can be detached
too. The log keeps its defaults in the database: COPY names only the columns it fills.
"""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

FROM_THE_PAST = """
ALTER TABLE engagement_event ALTER COLUMN touch SET DEFAULT '{}';
ALTER TABLE engagement_inbox ALTER COLUMN meta SET DEFAULT '{}';
INSERT INTO engagement_visitorlink (visitor_id, lead_id, reason, evidence, made_at, proven_at)
    SELECT id, lead_id, 'IDENTIFY', 'Identified before links were kept',
        coalesce(identified_at, first_seen_at), coalesce(identified_at, first_seen_at)
    FROM engagement_visitor WHERE lead_id IS NOT NULL;
UPDATE engagement_visitor visitor SET link_id = link.id
    FROM engagement_visitorlink link WHERE link.visitor_id = visitor.id;
UPDATE engagement_event event SET link_id = link.id
    FROM engagement_visitorlink link
    WHERE link.visitor_id = event.visitor_id AND link.lead_id = event.lead_id;
"""

MAY_CHANGE = """
CREATE OR REPLACE FUNCTION engagement_event_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    may_change constant text[] := '{{{columns}}}';
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF to_jsonb(NEW) - may_change = to_jsonb(OLD) - may_change THEN
            RETURN NEW;
        END IF;
        RAISE EXCEPTION 'engagement_event is append-only: only % may change', may_change
            USING ERRCODE = 'restrict_violation';
    END IF;
    RAISE EXCEPTION 'engagement_event is append-only: % is refused', TG_OP
        USING ERRCODE = 'restrict_violation';
END $$;
"""
BEFORE = MAY_CHANGE.format(columns="lead_id,actor,actor_reason")
NOW = MAY_CHANGE.format(columns="lead_id,link_id,actor,actor_reason")


class Migration(migrations.Migration):
    dependencies = [
        ("engagement", "0002_event_log"),
        ("leads", "0005_import_constraints"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Source",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.SlugField(unique=True)),
                ("label", models.CharField(max_length=100)),
                (
                    "kind",
                    models.CharField(
                        choices=[("WEBSITE", "Website"), ("SERVER", "Server")],
                        default="WEBSITE",
                        max_length=7,
                    ),
                ),
                ("write_key", models.CharField(max_length=40, unique=True)),
                (
                    "allowed_origins",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=200),
                        blank=True,
                        default=list,
                        size=None,
                    ),
                ),
                ("rate_limit", models.PositiveIntegerField(default=1000)),
                ("address_rate_limit", models.PositiveIntegerField(default=50)),
                ("asks_consent", models.BooleanField(default=False)),
                ("is_active", models.BooleanField(default=True)),
                ("created_at", models.DateTimeField()),
                ("last_received_at", models.DateTimeField(blank=True, null=True)),
            ],
        ),
        migrations.CreateModel(
            name="VisitorLink",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "reason",
                    models.CharField(
                        choices=[
                            ("IDENTIFY", "Identified by the site"),
                            ("SERVER", "Identified by a server"),
                            ("FORM", "Sent a form"),
                            ("EMAIL_CLICK", "Clicked in an e-mail"),
                            ("OFFER_LINK", "Accepted an offer"),
                            ("PERSON", "Confirmed by a colleague"),
                        ],
                        max_length=12,
                    ),
                ),
                ("evidence", models.CharField(blank=True, max_length=300)),
                ("made_at", models.DateTimeField()),
                ("proven_at", models.DateTimeField(blank=True, null=True)),
                ("detached_at", models.DateTimeField(blank=True, null=True)),
            ],
        ),
        migrations.RemoveConstraint(
            model_name="event",
            name="event_kind_is_known",
        ),
        migrations.AddField(
            model_name="event",
            name="touch",
            field=models.JSONField(default=dict),
        ),
        migrations.AddField(
            model_name="inboxmessage",
            name="meta",
            field=models.JSONField(default=dict),
        ),
        migrations.AlterField(
            model_name="event",
            name="kind",
            field=models.CharField(
                choices=[
                    ("PAGE_VIEW", "Viewed a page"),
                    ("DOWNLOAD", "Downloaded"),
                    ("FORM_SUBMIT", "Submitted a form"),
                    ("NEWSLETTER_SIGNUP", "Signed up for the newsletter"),
                    ("WEBINAR_REGISTERED", "Registered for a webinar"),
                    ("WEBINAR_ATTENDED", "Attended a webinar"),
                    ("WEBINAR_NO_SHOW", "Missed a webinar"),
                    ("EMAIL_OPEN", "Opened an e-mail"),
                    ("EMAIL_CLICK", "Clicked in an e-mail"),
                    ("UNSUBSCRIBE", "Unsubscribed"),
                    ("DEMO_REQUEST", "Asked for a demo"),
                    ("TRIAL_START", "Started a trial"),
                    ("CONSULTATION_REQUEST", "Asked for a consultation"),
                    ("PRICING_REQUEST", "Asked for a price"),
                    ("PROMOTION_ACCEPTED", "Accepted a promotion"),
                    ("PAGE_READ", "Read a page"),
                    ("LINK_CLICK", "Followed a link to another site"),
                    ("IDENTIFY", "Identified"),
                    ("CUSTOM", "Custom event"),
                ],
                max_length=20,
            ),
        ),
        migrations.AddField(
            model_name="source",
            name="created_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="visitorlink",
            name="detached_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="visitorlink",
            name="lead",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="visitor_links",
                to="leads.lead",
            ),
        ),
        migrations.AddField(
            model_name="visitorlink",
            name="visitor",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="links",
                to="engagement.visitor",
            ),
        ),
        migrations.AddField(
            model_name="event",
            name="link",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="events",
                to="engagement.visitorlink",
            ),
        ),
        migrations.AddField(
            model_name="visitor",
            name="link",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="engagement.visitorlink",
            ),
        ),
        migrations.AddConstraint(
            model_name="event",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "kind__in",
                        [
                            "PAGE_VIEW",
                            "DOWNLOAD",
                            "FORM_SUBMIT",
                            "NEWSLETTER_SIGNUP",
                            "WEBINAR_REGISTERED",
                            "WEBINAR_ATTENDED",
                            "WEBINAR_NO_SHOW",
                            "EMAIL_OPEN",
                            "EMAIL_CLICK",
                            "UNSUBSCRIBE",
                            "DEMO_REQUEST",
                            "TRIAL_START",
                            "CONSULTATION_REQUEST",
                            "PRICING_REQUEST",
                            "PROMOTION_ACCEPTED",
                            "PAGE_READ",
                            "LINK_CLICK",
                            "IDENTIFY",
                            "CUSTOM",
                        ],
                    )
                ),
                name="event_kind_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="source",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["WEBSITE", "SERVER"])), name="source_kind_is_known"
            ),
        ),
        migrations.AddIndex(
            model_name="visitorlink",
            index=models.Index(fields=["visitor", "-made_at"], name="link_of_visitor"),
        ),
        migrations.AddConstraint(
            model_name="visitorlink",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "reason__in",
                        ["IDENTIFY", "SERVER", "FORM", "EMAIL_CLICK", "OFFER_LINK", "PERSON"],
                    )
                ),
                name="link_reason_is_known",
            ),
        ),
        migrations.RunSQL(NOW, BEFORE),
        migrations.RunSQL(FROM_THE_PAST, migrations.RunSQL.noop),
    ]
