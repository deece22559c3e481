"""Addresses of this app."""

from django.urls import path

from scoring.views import (
    back_test,
    disqualified,
    drafts,
    editing,
    editor,
    explanation,
    predictive,
    quality,
    releases,
)

app_name = "scoring"

urlpatterns = [
    path("scoring/", editor.model, name="model"),
    path("scoring/start/", drafts.draft_start, name="start"),
    path("scoring/<int:version>/", editor.version, name="version"),
    path("scoring/<int:version>/compare/", editor.compare, name="compare"),
    path("scoring/<int:version>/leads/", editor.test_leads, name="test_leads"),
    path("scoring/<int:version>/part/", editing.part_save, name="part_save"),
    path("scoring/<int:version>/part/remove/", editing.part_remove, name="part_remove"),
    path("scoring/<int:version>/part/move/", editing.part_move, name="part_move"),
    path("scoring/<int:version>/add/<slug:kind>/", editing.section_add, name="section_add"),
    path("scoring/<int:version>/cell/", editing.cell_toggle, name="cell"),
    path("scoring/<int:version>/undo/", editing.change_undo, name="undo"),
    path("scoring/<int:version>/restore/", drafts.version_restore, name="restore"),
    path("scoring/<int:version>/judge/<slug:act>/", drafts.draft_judge, name="judge"),
    path("scoring/<int:version>/draft/<slug:act>/", drafts.draft_act, name="draft"),
    path("scoring/disqualified/", disqualified.disqualified, name="disqualified"),
    path("scoring/disqualified/<int:review_id>/", disqualified.review, name="review"),
    path("scoring/quality/", quality.quality, name="quality"),
    path("scoring/quality/rules.csv", quality.quality_csv, name="quality_csv"),
    path("scoring/quality/measure/", quality.quality_measure, name="quality_measure"),
    path(
        "scoring/quality/<int:report_id>/<int:number>/draft/",
        quality.quality_draft,
        name="quality_draft",
    ),
    path("scoring/releases/", releases.releases, name="releases"),
    path("scoring/releases/export/", releases.releases_export, name="releases_export"),
    path("scoring/releases/release/", releases.release, name="release"),
    path("scoring/releases/rate/", releases.release_rate, name="release_rate"),
    path("scoring/rescore/", releases.rescore_progress, name="rescore_progress"),
    path("scoring/<int:version>/back-test/", back_test.back_test, name="back_test"),
    path("scoring/<int:version>/back-test/start/", back_test.start, name="back_test_start"),
    path("scoring/<int:version>/back-test/stop/", back_test.stop, name="back_test_stop"),
    path("scoring/<int:version>/back-test/cycles.csv", back_test.cycles_csv, name="back_test_csv"),
    path("scoring/predictive/", predictive.predictive, name="predictive"),
    path("scoring/predictive/train/", predictive.predictive_train, name="predictive_train"),
    path(
        "scoring/predictive/deactivate/",
        predictive.predictive_deactivate,
        name="predictive_deactivate",
    ),
    path("scoring/predictive/<int:model_id>/", predictive.predictive, name="predictive_model"),
    path(
        "scoring/predictive/<int:model_id>/progress/",
        predictive.predictive_progress,
        name="predictive_progress",
    ),
    path(
        "scoring/predictive/<int:model_id>/activate/",
        predictive.predictive_activate,
        name="predictive_activate",
    ),
    path("leads/<int:lead_id>/score/", explanation.score_explanation, name="explanation"),
    path("leads/<int:lead_id>/score/prediction/", predictive.prediction, name="prediction"),
    path("leads/<int:lead_id>/score/course/", explanation.score_course, name="course"),
]
