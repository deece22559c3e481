"""Addresses of this app."""

from django.urls import path

from handoff.views import handoffs

app_name = "handoff"

urlpatterns = [
    path("handoffs/<int:handoff_id>/", handoffs.handoff, name="handoff"),
]
