"""Addresses of the site, below ``pages.SITE_PATH``."""

from django.urls import path

from crm.demo.site.views import sample_page

app_name = "demo"

urlpatterns = [
    path("", sample_page, name="sample_home"),
    path("<path:path>", sample_page, name="sample_page"),
]
