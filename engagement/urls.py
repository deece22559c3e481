"""Addresses of this app."""

from django.urls import path

from engagement.views import downloads, offer_page

app_name = "engagement"

urlpatterns = [
    path("d/<str:token>/", downloads.download, name="download"),
    path("d/<str:token>/renew/", downloads.download_renew, name="download_renew"),
    path("o/<slug:slug>/", offer_page.offer_page, name="offer_page"),
    path("o/<slug:slug>/accepted/", offer_page.offer_accepted, name="offer_accepted"),
]
