"""Addresses of this app."""

from django.urls import URLPattern

app_name = "scoring"

urlpatterns: list[URLPattern] = []
