"""Addresses stay unique, without the second index of them that nothing asks."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("leads", "0009_handoff_imports"),
    ]

    operations = [
        migrations.AlterField(
            model_name="lead",
            name="email",
            field=models.EmailField(blank=True, max_length=254, null=True),
        ),
        migrations.AddConstraint(
            model_name="lead",
            constraint=models.UniqueConstraint(fields=("email",), name="lead_email_once"),
        ),
    ]
