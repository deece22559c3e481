"""Addresses of this app."""

from django.urls import path

from engagement.views import downloads, forms, hosted, links, offer_page, submissions

app_name = "engagement"

urlpatterns = [
    path("l/<slug:token>/", links.follow, name="follow"),
    path("l/<slug:token>.gif", links.pixel, name="pixel"),
    path("d/<str:token>/", downloads.download, name="download"),
    path("d/<str:token>/renew/", downloads.download_renew, name="download_renew"),
    path("o/<slug:slug>/", offer_page.offer_page, name="offer_page"),
    path("o/<slug:slug>/accepted/", offer_page.offer_accepted, name="offer_accepted"),
    path("content/forms/", forms.forms, name="forms"),
    path("content/forms/new/", forms.form_create, name="form_create"),
    path("content/forms/<int:form_id>/", forms.form_edit, name="form_edit"),
    path("content/forms/<int:form_id>/preview/", forms.form_preview, name="form_preview"),
    path("content/forms/<int:form_id>/sent/", submissions.submissions, name="submissions"),
    path(
        "content/forms/<int:form_id>/sent.csv",
        submissions.submissions_export,
        name="submissions_export",
    ),
    path(
        "content/forms/sent/<int:submission_id>/accept/",
        submissions.submission_accept,
        name="submission_accept",
    ),
    path("f/<slug:slug>/", hosted.hosted_form, name="hosted_form"),
    path("f/<slug:slug>/thanks/<str:token>/", hosted.thanks, name="form_thanks"),
    path("f/<slug:slug>/file/<str:token>/", hosted.form_file, name="form_file"),
    path("f/<slug:slug>/confirm/<str:token>/", hosted.confirm, name="confirm_opt_in"),
]
