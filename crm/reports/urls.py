"""Addresses of the reports."""

from django.urls import path

from crm.reports import calibration_views, own_views, views

app_name = "reports"

urlpatterns = [
    path("today/", views.today_page, name="today"),
    path("reports/funnel/", views.funnel_view, name="funnel"),
    path("reports/funnel/cycles/", views.funnel_cycles, name="funnel_cycles"),
    path("reports/funnel.csv", views.funnel_csv, name="funnel_csv"),
    path("reports/answers/", calibration_views.calibration_page, name="calibration"),
    path("reports/answers/forms/", calibration_views.calibration_forms, name="calibration_forms"),
    path("reports/sla/", views.sla_page, name="sla"),
    path("reports/sla/handoffs/", views.sla_handoffs, name="sla_handoffs"),
    path("reports/sla.csv", views.sla_csv, name="sla_csv"),
    path("reports/sla-table.csv", views.sla_table, name="sla_table"),
    path("numbers/", own_views.own_page, name="own"),
    path("numbers/handoffs/", own_views.own_handoffs, name="own_handoffs"),
]
