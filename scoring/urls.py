"""Addresses of this app."""

from django.urls import path

from scoring.views import disqualified, editor, explanation

app_name = "scoring"

urlpatterns = [
    path("scoring/", editor.model, name="model"),
    path("scoring/disqualified/", disqualified.disqualified, name="disqualified"),
    path("scoring/disqualified/<int:review_id>/", disqualified.review, name="review"),
    path("leads/<int:lead_id>/score/", explanation.score_explanation, name="explanation"),
    path("leads/<int:lead_id>/score/course/", explanation.score_course, name="course"),
]
