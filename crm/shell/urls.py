"""Addresses of the frame: home, search, notifications, health."""

from django.urls import path

from crm.shell import components, views

app_name = "shell"

urlpatterns = [
    path("", views.home, name="home"),
    path("welcome/", views.first_run, name="first_run"),
    path("start/", views.guide, name="guide"),
    path("search/", views.search, name="search"),
    path("palette/", views.palette, name="palette"),
    path("notifications/", views.notifications, name="notifications"),
    path("notifications/read/", views.notifications_read, name="notifications_read"),
    path(
        "notifications/<int:notification_id>/open/",
        views.notification_open,
        name="notification_open",
    ),
    path("health", views.health, name="health"),
    path("health/messages/<int:message_id>/replay/", views.message_replay, name="message_replay"),
    path("components/", components.components, name="components"),
    path("robots.txt", views.robots, name="robots"),
    path("favicon.ico", views.favicon, name="favicon"),
]
