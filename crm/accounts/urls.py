"""Addresses of people, teams, invitations and one's own settings."""

from django.urls import URLPattern

app_name = "accounts"

urlpatterns: list[URLPattern] = []
