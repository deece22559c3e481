"""Addresses of this app."""

from django.urls import path

from engagement.views import (
    assets,
    browsers,
    downloads,
    forms,
    hosted,
    links,
    machines,
    offer_page,
    offers,
    sources,
    submissions,
    webinars,
)

app_name = "engagement"

urlpatterns = [
    path("content/", assets.content, name="content"),
    path("content/assets/", assets.asset_list, name="assets"),
    path("content/assets/add/", assets.asset_add, name="asset_add"),
    path("content/assets/<slug:slug>/", assets.asset_detail, name="asset"),
    path("content/assets/<slug:slug>/edit/", assets.asset_edit, name="asset_edit"),
    path("content/assets/<slug:slug>/archive/", assets.asset_archive, name="asset_archive"),
    path("content/offers/", offers.offer_list, name="offers"),
    path("content/offers/add/", offers.offer_add, name="offer_add"),
    path("content/offers/<slug:slug>/", offers.offer_edit, name="offer"),
    path("content/webinars/", webinars.webinar_list, name="webinars"),
    path("content/webinars/add/", webinars.webinar_add, name="webinar_add"),
    path("content/webinars/<slug:slug>/", webinars.webinar_detail, name="webinar"),
    path("content/webinars/<slug:slug>/edit/", webinars.webinar_edit, name="webinar_edit"),
    path(
        "content/webinars/<slug:slug>/no-shows/", webinars.webinar_no_shows, name="webinar_no_shows"
    ),
    path("content/webinars/<slug:slug>/list/", webinars.attendance_add, name="attendance_add"),
    path("content/attendance/<int:upload_id>/", webinars.attendance, name="attendance"),
    path(
        "content/attendance/<int:upload_id>/record/",
        webinars.attendance_record,
        name="attendance_record",
    ),
    path(
        "content/attendance/<int:upload_id>/lines.csv",
        webinars.attendance_csv,
        name="attendance_csv",
    ),
    path("tracking/sources/", sources.source_list, name="sources"),
    path("tracking/sources/new/", sources.source_add, name="source_add"),
    path("tracking/sources/<int:source_id>/", sources.source_detail, name="source"),
    path("tracking/sources/<int:source_id>/change/", sources.source_edit, name="source_edit"),
    path(
        "tracking/sources/<int:source_id>/deactivate/",
        sources.source_deactivate,
        name="source_deactivate",
    ),
    path(
        "tracking/sources/<int:source_id>/activate/",
        sources.source_activate,
        name="source_activate",
    ),
    path("l/<slug:token>/", links.follow, name="follow"),
    path("l/<slug:token>.gif", links.pixel, name="pixel"),
    path(
        "leads/<int:lead_id>/browsers/<int:link_id>/<str:act>/", browsers.link_act, name="link_act"
    ),
    path("tracking/", machines.tracking, name="tracking"),
    path("tracking/machine-events/", machines.machine_events, name="machine_events"),
    path("tracking/events/<uuid:event_id>/actor/", machines.event_actor, name="event_actor"),
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
