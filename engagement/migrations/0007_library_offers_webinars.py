import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

#: At once, as a table with checks still to come cannot be altered.
KEEP_PATHS = """
SET CONSTRAINTS ALL IMMEDIATE;
INSERT INTO engagement_assetpattern (asset_id, host, path)
    SELECT id, '', path FROM engagement_asset WHERE path LIKE '/%';
"""


class Migration(migrations.Migration):
    dependencies = [
        ("engagement", "0006_forms"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="AssetFile",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("stored_as", models.CharField(max_length=40, unique=True)),
                ("filename", models.CharField(max_length=150)),
                ("content_type", models.CharField(max_length=100)),
                ("size", models.PositiveIntegerField()),
                ("uploaded_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="AssetPattern",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("host", models.CharField(blank=True, max_length=253)),
                ("path", models.CharField(max_length=300)),
            ],
        ),
        migrations.CreateModel(
            name="Offer",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=120)),
                ("slug", models.SlugField(max_length=100, unique=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("DEMO", "Demo"),
                            ("CONSULTATION", "Consultation"),
                            ("TRIAL", "Trial"),
                            ("PROMOTION", "Promotion"),
                        ],
                        max_length=12,
                    ),
                ),
                ("text", models.TextField(blank=True, max_length=2000)),
                ("is_fast_track", models.BooleanField(default=True)),
                ("is_active", models.BooleanField(default=True)),
                ("expires_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("kind__in", ["DEMO", "CONSULTATION", "TRIAL", "PROMOTION"])
                        ),
                        name="offer_kind_is_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Webinar",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=200)),
                ("slug", models.SlugField(max_length=100, unique=True)),
                ("starts_at", models.DateTimeField()),
                ("time_zone", models.CharField(max_length=50)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["-starts_at", "-id"], name="webinar_by_time"),
                ],
            },
        ),
        migrations.AddField(
            model_name="asset",
            name="is_archived",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="asset",
            name="persona",
            field=models.CharField(blank=True, max_length=60),
        ),
        migrations.AddConstraint(
            model_name="asset",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "kind__in",
                        [
                            "BLOG",
                            "GUIDE",
                            "EBOOK",
                            "CHECKLIST",
                            "NEWSLETTER",
                            "WEBINAR",
                            "TOOL",
                            "CASE_STUDY",
                            "COMPARISON",
                            "PRICING",
                            "PAGE",
                        ],
                    )
                ),
                name="asset_kind_is_known",
            ),
        ),
        migrations.AddField(
            model_name="assetfile",
            name="asset",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="file",
                to="engagement.asset",
            ),
        ),
        migrations.AddField(
            model_name="assetfile",
            name="uploaded_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="assetpattern",
            name="asset",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="patterns",
                to="engagement.asset",
            ),
        ),
        migrations.AddField(
            model_name="offer",
            name="asset",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="offers",
                to="engagement.asset",
            ),
        ),
        migrations.AddField(
            model_name="webinar",
            name="asset",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="webinars",
                to="engagement.asset",
            ),
        ),
        migrations.AddConstraint(
            model_name="assetpattern",
            constraint=models.UniqueConstraint(
                fields=("host", "path"), name="pattern_of_one_asset"
            ),
        ),
        migrations.RunSQL(KEEP_PATHS, migrations.RunSQL.noop),
        migrations.RemoveConstraint(
            model_name="asset",
            name="asset_one_per_path",
        ),
        migrations.RemoveField(
            model_name="asset",
            name="path",
        ),
    ]
