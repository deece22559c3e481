"""Addresses of the frame: home, search, notifications, health."""

from django.urls import URLPattern

app_name = "shell"

urlpatterns: list[URLPattern] = []
