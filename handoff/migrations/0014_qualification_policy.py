"""Which questions are asked after the call becomes part of the agreement; answers become lines."""

from typing import Any, ClassVar

from django.db import migrations, models

import handoff.frameworks

_LINES = """
    UPDATE handoff_bantassessment SET lines = jsonb_build_array(
        jsonb_build_object('question', 'budget', 'label', 'Budget', 'answer', budget,
            'detail', budget_detail, 'note', budget_note,
            'source', coalesce(sources ->> 'budget', '')),
        jsonb_build_object('question', 'authority', 'label', 'Authority', 'answer', authority,
            'detail', authority_detail, 'note', authority_note,
            'source', coalesce(sources ->> 'authority', '')),
        jsonb_build_object('question', 'need', 'label', 'Need', 'answer', need,
            'detail', need_detail, 'note', need_note,
            'source', coalesce(sources ->> 'need', '')),
        jsonb_build_object('question', 'timeline', 'label', 'Timeline', 'answer', timeline,
            'detail', timeline_detail, 'note', timeline_note,
            'source', coalesce(sources ->> 'timeline', ''))
    )
"""
_COLUMNS = [
    *(f"{name}{part}" for name in ("budget", "authority", "need", "timeline")
      for part in ("", "_detail", "_note")),
    "sources",
]  # fmt: skip


def keep_policies(apps: Any, _schema_editor: Any) -> None:
    """Write the policy of each version as it was: BANT, with the number that was signed."""
    agreements = apps.get_model("handoff", "Agreement")
    document = handoff.frameworks.default_document()
    for agreement in agreements.objects.all():
        agreement.qualification = {**document, "yes_needed": max(agreement.bant_yes_needed, 1)}
        agreement.save(update_fields=["qualification"])


class Migration(migrations.Migration):
    dependencies: ClassVar = [("handoff", "0013_refused_lately")]

    operations: ClassVar = [
        migrations.AddField(
            "agreement",
            "qualification",
            models.JSONField(default=handoff.frameworks.default_document),
        ),
        migrations.RunPython(keep_policies, migrations.RunPython.noop),
        migrations.RemoveConstraint("agreement", "agreement_bant_up_to_four"),
        migrations.RemoveField("agreement", "bant_yes_needed"),
        migrations.AddField(
            "bantassessment", "framework", models.CharField(default="BANT", max_length=20)
        ),
        migrations.AddField("bantassessment", "lines", models.JSONField(default=list)),
        migrations.RunSQL(_LINES, migrations.RunSQL.noop),
        *(migrations.RemoveField("bantassessment", name) for name in _COLUMNS),
    ]
