"""Warnings, escalation and time-out by the agreement; approvals, excuses, owners of sources."""

import datetime

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

#: Until now managers were told of every breach at once, and back-dated touches waited for nobody.
CARRY_OVER = """
UPDATE handoff_clock SET escalate_at = due_at,
    alarm = CASE alarm WHEN 'HALF' THEN 'FIRST' WHEN 'MOST' THEN 'LAST' ELSE alarm END;
UPDATE handoff_touch SET
    approval = CASE WHEN closed_at IS NULL THEN 'PENDING' ELSE 'REFUSED' END,
    decided_at = CASE WHEN closed_at IS NULL THEN NULL ELSE recorded_at END
FROM handoff_handoff AS handoff WHERE handoff.id = handoff_id AND is_backdated;
UPDATE handoff_handoff SET connected_at = spoken.at FROM (
    SELECT handoff_id, min(occurred_at) AS at FROM handoff_touch
    WHERE outcome IN ('CONNECTED', 'BOOKED') GROUP BY 1
) AS spoken WHERE spoken.handoff_id = handoff_handoff.id;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("handoff", "0004_agreement_of_a_revision"),
        ("scoring", "0008_rank_of_predictions"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Excuse",
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
                            ("OUTAGE", "Phone, mail or Baton was down"),
                            ("BUYER_ASKED", "The buyer asked to wait"),
                            ("WRONG_DATA", "Contact data was wrong"),
                            ("ABSENCE", "Absent, and nobody was told"),
                            ("LEFT_IN_POOL", "Left in the pool"),
                            ("OTHER", "Something else"),
                        ],
                        max_length=20,
                    ),
                ),
                ("note", models.CharField(blank=True, max_length=500)),
                ("started_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField()),
                ("asked_at", models.DateTimeField()),
                (
                    "approval",
                    models.CharField(
                        choices=[
                            ("PENDING", "Waits for a manager"),
                            ("GRANTED", "Granted"),
                            ("REFUSED", "Refused"),
                        ],
                        default="PENDING",
                        max_length=7,
                    ),
                ),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
                ("answer", models.CharField(blank=True, max_length=500)),
            ],
        ),
        migrations.CreateModel(
            name="SourceOwner",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("source", models.CharField(max_length=100, unique=True)),
            ],
        ),
        migrations.RenameField(
            model_name="clock",
            old_name="warn_most_at",
            new_name="last_warning_at",
        ),
        migrations.RenameField(
            model_name="clock",
            old_name="warn_half_at",
            new_name="first_warning_at",
        ),
        migrations.AddField(
            model_name="agreement",
            name="escalate_after",
            field=models.DurationField(default=datetime.timedelta),
        ),
        migrations.AddField(
            model_name="agreement",
            name="first_warning",
            field=models.PositiveSmallIntegerField(default=50),
        ),
        migrations.AddField(
            model_name="agreement",
            name="last_warning",
            field=models.PositiveSmallIntegerField(default=80),
        ),
        migrations.AddField(
            model_name="agreement",
            name="reassign_after",
            field=models.DurationField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="agreement",
            name="times_out_to",
            field=models.CharField(
                choices=[("NEXT_REP", "The next rep in turn"), ("POOL", "The pool of the team")],
                default="NEXT_REP",
                max_length=8,
            ),
        ),
        migrations.AddField(
            model_name="clock",
            name="excused_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="clock",
            name="escalate_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="clock",
            name="reassign_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="handoff",
            name="connected_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="touch",
            name="approval",
            field=models.CharField(
                blank=True,
                choices=[
                    ("PENDING", "Waits for a manager"),
                    ("GRANTED", "Granted"),
                    ("REFUSED", "Refused"),
                ],
                db_default="",
                default="",
                max_length=7,
            ),
        ),
        migrations.AddField(
            model_name="touch",
            name="decided_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="touch",
            name="decided_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AlterField(
            model_name="clock",
            name="alarm",
            field=models.CharField(
                blank=True,
                choices=[
                    ("FIRST", "Warn"),
                    ("LAST", "Warn again"),
                    ("BREACH", "Breach"),
                    ("ESCALATE", "Tell the managers"),
                ],
                max_length=8,
            ),
        ),
        migrations.RunSQL(CARRY_OVER, migrations.RunSQL.noop),
        migrations.AlterField(
            model_name="clock",
            name="escalate_at",
            field=models.DateTimeField(),
        ),
        migrations.RemoveIndex(model_name="clock", name="clock_breach_owed"),
        migrations.AddIndex(
            model_name="clock",
            index=models.Index(
                condition=models.Q(("alarm_at__isnull", False), ("breached_at__isnull", True)),
                fields=["due_at"],
                name="clock_breach_owed",
            ),
        ),
        migrations.AddIndex(
            model_name="clock",
            index=models.Index(
                condition=models.Q(("reassign_at__isnull", False)),
                fields=["reassign_at", "id"],
                name="clock_reassign",
            ),
        ),
        migrations.AddIndex(
            model_name="touch",
            index=models.Index(
                condition=models.Q(("approval", "PENDING")),
                fields=["recorded_at"],
                name="touch_to_approve",
            ),
        ),
        migrations.AddConstraint(
            model_name="agreement",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("first_warning__gte", 1),
                    ("last_warning__lt", 100),
                    ("first_warning__lt", models.F("last_warning")),
                ),
                name="agreement_warns_before_due",
            ),
        ),
        migrations.AddConstraint(
            model_name="agreement",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("escalate_after__gte", datetime.timedelta(0)),
                    models.Q(
                        ("reassign_after__isnull", True),
                        ("reassign_after__gte", models.F("escalate_after")),
                        _connector="OR",
                    ),
                ),
                name="agreement_escalates_before_it_reassigns",
            ),
        ),
        migrations.AddConstraint(
            model_name="clock",
            constraint=models.CheckConstraint(
                condition=models.Q(("escalate_at__gte", models.F("due_at"))),
                name="clock_escalates_after_breach",
            ),
        ),
        migrations.AddConstraint(
            model_name="clock",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("reassign_at__isnull", True),
                    models.Q(("stopped_at__isnull", True), ("withdrawn_at__isnull", True)),
                    _connector="OR",
                ),
                name="clock_reassigns_while_running",
            ),
        ),
        migrations.AddConstraint(
            model_name="touch",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("approval", ""), ("is_backdated", False)),
                    models.Q(
                        ("approval__in", ["PENDING", "GRANTED", "REFUSED"]), ("is_backdated", True)
                    ),
                    _connector="OR",
                ),
                name="touch_backdated_needs_approval",
            ),
        ),
        migrations.AddConstraint(
            model_name="touch",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("approval__in", ["", "PENDING"]), ("decided_at__isnull", True)),
                    models.Q(
                        ("approval__in", ["GRANTED", "REFUSED"]), ("decided_at__isnull", False)
                    ),
                    _connector="OR",
                ),
                name="touch_decided_when_approval_says_so",
            ),
        ),
        migrations.AddConstraint(
            model_name="touch",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("decided_by__isnull", True),
                    models.Q(("decided_by", models.F("rep")), _negated=True),
                    _connector="OR",
                ),
                name="touch_approved_by_another",
            ),
        ),
        migrations.AddField(
            model_name="excuse",
            name="asked_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="excuse",
            name="clock",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="excuses",
                to="handoff.clock",
            ),
        ),
        migrations.AddField(
            model_name="excuse",
            name="decided_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="sourceowner",
            name="owner",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="sources",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddIndex(
            model_name="excuse",
            index=models.Index(
                condition=models.Q(("approval", "PENDING")),
                fields=["asked_at"],
                name="excuse_to_decide",
            ),
        ),
        migrations.AddConstraint(
            model_name="excuse",
            constraint=models.UniqueConstraint(
                condition=models.Q(("approval", "REFUSED"), _negated=True),
                fields=("clock",),
                name="excuse_one_that_stands",
            ),
        ),
        migrations.AddConstraint(
            model_name="excuse",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("ended_at__lte", models.F("asked_at")),
                    ("started_at__lt", models.F("ended_at")),
                ),
                name="excuse_of_the_past",
            ),
        ),
        migrations.AddConstraint(
            model_name="excuse",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("approval", "PENDING"), ("decided_at__isnull", True)),
                    models.Q(
                        ("approval__in", ["GRANTED", "REFUSED"]), ("decided_at__isnull", False)
                    ),
                    _connector="OR",
                ),
                name="excuse_decided_when_approval_says_so",
            ),
        ),
        migrations.AddConstraint(
            model_name="excuse",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("decided_by__isnull", True),
                    models.Q(("decided_by", models.F("asked_by")), _negated=True),
                    _connector="OR",
                ),
                name="excuse_granted_by_another",
            ),
        ),
    ]
