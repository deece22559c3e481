"""Addresses of this app."""

from django.urls import path

from leads.views import bulk, changes, detail, facts, imports, lead_list, saved_views

app_name = "leads"

urlpatterns = [
    path("leads/", lead_list.lead_list, name="list"),
    path("leads/filter/", lead_list.filter_editor, name="filter"),
    path("leads/columns/", lead_list.column_menu, name="columns"),
    path("leads/board/<str:stage>/", lead_list.board_column, name="board_column"),
    path("leads/bulk/", bulk.bulk_jobs, name="bulk_jobs"),
    path("leads/bulk/<int:job_id>/", bulk.bulk_job, name="bulk_job"),
    path("leads/bulk/<int:job_id>/stop/", bulk.bulk_stop, name="bulk_stop"),
    path("leads/bulk/<int:job_id>/resume/", bulk.bulk_resume, name="bulk_resume"),
    path("leads/bulk/<int:job_id>/undo/", bulk.bulk_undo, name="bulk_undo"),
    path("leads/bulk/<int:job_id>/result.csv", bulk.bulk_result, name="bulk_result"),
    path("leads/bulk/<int:job_id>/rows/<str:result>/", bulk.bulk_rows, name="bulk_rows"),
    path("leads/bulk/<slug:act>/", bulk.bulk_act, name="bulk_act"),
    path("leads/conditions/", lead_list.conditions, name="conditions"),
    path("leads/keep/", lead_list.view_form, name="view_form"),
    path("leads/views/", saved_views.saved_views, name="views"),
    path("leads/views/keep/", saved_views.view_keep, name="view_keep"),
    path("leads/views/first/", saved_views.view_first, name="view_first"),
    path("leads/views/<int:view_id>/save/", saved_views.view_reshape, name="view_reshape"),
    path("leads/views/<int:view_id>/rename/", saved_views.view_rename, name="view_rename"),
    path("leads/views/<int:view_id>/delete/", saved_views.view_delete, name="view_delete"),
    path("leads/count/", lead_list.list_count, name="count"),
    path("leads/counts/", lead_list.view_counts, name="counts"),
    path("leads/export/", lead_list.lead_export, name="export"),
    path("leads/import/", imports.imports, name="imports"),
    path("leads/import/<int:job_id>/", imports.import_job, name="import"),
    path("leads/import/<int:job_id>/mapping/", imports.import_mapping, name="import_mapping"),
    path(
        "leads/import/<int:job_id>/mapping.json",
        imports.import_mapping_file,
        name="import_mapping_file",
    ),
    path("leads/import/<int:job_id>/start/", imports.import_start, name="import_start"),
    path("leads/import/<int:job_id>/stop/", imports.import_stop, name="import_stop"),
    path("leads/import/<int:job_id>/resume/", imports.import_resume, name="import_resume"),
    path("leads/import/<int:job_id>/refused.csv", imports.import_refused, name="import_refused"),
    path(
        "leads/import/<int:job_id>/lines/<str:result>/",
        imports.import_lines,
        name="import_lines",
    ),
    path("leads/new/", changes.lead_create, name="create"),
    path("leads/<int:lead_id>/", detail.lead_detail, name="detail"),
    path("leads/<int:lead_id>/timeline/", detail.lead_timeline, name="timeline"),
    path("leads/<int:lead_id>/timeline/gains/", detail.lead_gains, name="gains"),
    path("leads/<int:lead_id>/edit/", changes.lead_edit, name="edit"),
    path("leads/<int:lead_id>/facts/", facts.lead_facts, name="facts"),
    path("leads/<int:lead_id>/facts/<slug:name>/", facts.lead_fact, name="fact"),
    path("leads/<int:lead_id>/history/", facts.lead_history, name="history"),
    path("leads/<int:lead_id>/note/", changes.lead_note, name="note"),
    path("leads/<int:lead_id>/consent/", changes.lead_consent, name="consent"),
    path("leads/<int:lead_id>/stage/", changes.lead_stage, name="stage"),
]
