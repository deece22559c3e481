"""Addresses of this app."""

from django.urls import path

from scoring import views

app_name = "scoring"

urlpatterns = [
    path("leads/<int:lead_id>/score/", views.score_explanation, name="explanation"),
    path("leads/<int:lead_id>/score/course/", views.score_course, name="course"),
]
