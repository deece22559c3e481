"""Forms, their versions and what was sent with them. A version is as people saw it, for good."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

GUARD = """
CREATE FUNCTION engagement_formversion_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'engagement_formversion is as people saw it: % is refused', TG_OP
        USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER engagement_formversion_guard BEFORE UPDATE OR DELETE ON engagement_formversion
    FOR EACH ROW EXECUTE FUNCTION engagement_formversion_refuse_change();
"""
NO_GUARD = """
DROP TRIGGER engagement_formversion_guard ON engagement_formversion;
DROP FUNCTION engagement_formversion_refuse_change;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("engagement", "0005_machines_and_links"),
        ("leads", "0006_consent"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="CaptureForm",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("title", models.CharField(max_length=150)),
                ("intro", models.TextField(blank=True)),
                ("button", models.CharField(default="Send", max_length=40)),
                ("questions", models.JSONField(default=list)),
                ("consent_text", models.TextField(blank=True)),
                (
                    "consent_purpose",
                    models.CharField(
                        choices=[("CONTACT", "Contact"), ("MARKETING", "Marketing mail")],
                        default="MARKETING",
                        max_length=9,
                    ),
                ),
                ("needs_consent", models.BooleanField(default=False)),
                ("name", models.CharField(max_length=100)),
                ("slug", models.SlugField(max_length=60, unique=True)),
                (
                    "event_kind",
                    models.CharField(
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
                        default="FORM_SUBMIT",
                        max_length=20,
                    ),
                ),
                ("thank_you", models.TextField(default="Thank you.")),
                ("redirect_url", models.CharField(blank=True, max_length=500)),
                ("mails_link", models.BooleanField(default=False)),
                ("double_opt_in", models.BooleanField(default=False)),
                (
                    "embed_origins",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=200),
                        blank=True,
                        default=list,
                        size=None,
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("DRAFT", "Draft"),
                            ("PUBLISHED", "Published"),
                            ("ARCHIVED", "Archived"),
                        ],
                        default="DRAFT",
                        max_length=9,
                    ),
                ),
                ("unkept", models.PositiveIntegerField(default=0)),
                ("unkept_at", models.DateTimeField(null=True)),
                ("created_at", models.DateTimeField()),
                (
                    "asset",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="forms",
                        to="engagement.asset",
                    ),
                ),
                (
                    "created_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ["DRAFT", "PUBLISHED", "ARCHIVED"])),
                        name="form_status_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "event_kind__in",
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
                        name="form_kind_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("redirect_url", ""),
                            ("redirect_url__regex", "^https?://"),
                            _connector="OR",
                        ),
                        name="form_leads_to_the_web_only",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="FormVersion",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("title", models.CharField(max_length=150)),
                ("intro", models.TextField(blank=True)),
                ("button", models.CharField(default="Send", max_length=40)),
                ("questions", models.JSONField(default=list)),
                ("consent_text", models.TextField(blank=True)),
                (
                    "consent_purpose",
                    models.CharField(
                        choices=[("CONTACT", "Contact"), ("MARKETING", "Marketing mail")],
                        default="MARKETING",
                        max_length=9,
                    ),
                ),
                ("needs_consent", models.BooleanField(default=False)),
                ("number", models.PositiveIntegerField()),
                ("published_at", models.DateTimeField()),
                (
                    "form",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="versions",
                        to="engagement.captureform",
                    ),
                ),
                (
                    "published_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("form", "number"), name="form_version_number_once"
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="captureform",
            name="version",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="engagement.formversion",
            ),
        ),
        migrations.CreateModel(
            name="Submission",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("nonce", models.CharField(max_length=32, unique=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("ACCEPTED", "Accepted"),
                            ("WAITING", "Waiting for confirmation"),
                            ("REFUSED", "Refused"),
                        ],
                        max_length=8,
                    ),
                ),
                (
                    "reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("TRAP", "Filled in a field that people cannot see"),
                            ("TOO_FAST", "Sent within two seconds"),
                            ("TOO_MANY", "Too many from one address"),
                        ],
                        max_length=10,
                    ),
                ),
                ("email", models.EmailField(max_length=254)),
                ("answers", models.JSONField()),
                ("has_consent", models.BooleanField()),
                ("differences", models.JSONField(default=dict)),
                ("anonymous_id", models.CharField(blank=True, max_length=200)),
                ("page_url", models.CharField(blank=True, max_length=2000)),
                ("touch", models.JSONField(default=dict)),
                ("sender", models.CharField(max_length=64)),
                ("received_at", models.DateTimeField()),
                ("mailed_at", models.DateTimeField(null=True)),
                ("decided_at", models.DateTimeField(null=True)),
                (
                    "decided_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "form",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="submissions",
                        to="engagement.captureform",
                    ),
                ),
                (
                    "lead",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="submissions",
                        to="leads.lead",
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="submissions",
                        to="engagement.formversion",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["ACCEPTED", "WAITING", "REFUSED"])),
                        name="submission_state_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("reason__in", ["", "TRAP", "TOO_FAST", "TOO_MANY"])),
                        name="submission_reason_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "REFUSED"), _negated=True),
                            models.Q(("reason", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="submission_refused_for_a_reason",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "ACCEPTED"), _negated=True),
                            models.Q(
                                ("decided_at__gte", models.F("received_at")),
                                ("decided_at__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="submission_accepted_at_a_time",
                    ),
                ],
                "indexes": [
                    models.Index(
                        fields=["form", "state", "-received_at", "-id"], name="submission_newest"
                    ),
                    models.Index(
                        fields=["sender", "form", "received_at"], name="submission_of_sender"
                    ),
                    models.Index(fields=["email", "form"], name="submission_of_email"),
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="captureform",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "PUBLISHED"), _negated=True),
                    ("version__isnull", False),
                    _connector="OR",
                ),
                name="form_published_has_a_version",
            ),
        ),
        migrations.RunSQL(GUARD, NO_GUARD),
    ]
