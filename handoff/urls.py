"""Addresses of this app."""

from django.urls import URLPattern

app_name = "handoff"

urlpatterns: list[URLPattern] = []
