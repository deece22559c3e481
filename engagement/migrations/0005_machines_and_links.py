"""Tracked links, the agents of events, and who people say caused them."""

import django.db.models.deletion
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("engagement", "0004_proven_and_claimed"),
        ("leads", "0006_consent"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ActorDecision",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("event_id", models.UUIDField(unique=True)),
                ("occurred_at", models.DateTimeField()),
                (
                    "actor",
                    models.CharField(
                        choices=[
                            ("HUMAN", "Human"),
                            ("MACHINE", "Machine"),
                            ("UNKNOWN", "Unknown"),
                        ],
                        max_length=7,
                    ),
                ),
                (
                    "was_actor",
                    models.CharField(
                        choices=[
                            ("HUMAN", "Human"),
                            ("MACHINE", "Machine"),
                            ("UNKNOWN", "Unknown"),
                        ],
                        max_length=7,
                    ),
                ),
                ("was_reason", models.CharField(blank=True, max_length=100)),
                ("decided_at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("actor__in", ("HUMAN", "MACHINE"))),
                        name="decision_is_clear",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Agent",
            fields=[
                ("id", models.BigIntegerField(primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=500)),
            ],
        ),
        migrations.CreateModel(
            name="TrackedLink",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("target", models.CharField(max_length=1000)),
                ("mailing", models.CharField(blank=True, max_length=100)),
                ("is_hidden", models.BooleanField(default=False)),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("target__iregex", "^https?://[^/?#]")),
                        name="link_leads_to_the_web",
                    ),
                    models.UniqueConstraint(
                        models.F("mailing"),
                        django.db.models.functions.text.MD5("target"),
                        models.F("is_hidden"),
                        name="link_once_in_a_mailing",
                    ),
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="source",
            constraint=models.CheckConstraint(
                condition=models.Q(("name", "baton"), _negated=True), name="source_is_not_ourselves"
            ),
        ),
        migrations.AddField(
            model_name="actordecision",
            name="decided_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="event",
            name="agent",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="events",
                to="engagement.agent",
            ),
        ),
        migrations.AddIndex(
            model_name="event",
            index=models.Index(
                condition=models.Q(("actor", "HUMAN"), _negated=True),
                fields=["-occurred_at", "-id"],
                include=("actor_reason",),
                name="event_of_no_person",
            ),
        ),
    ]
