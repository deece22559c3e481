"""App configuration."""

from django.apps import AppConfig


class DemoConfig(AppConfig):
    """An invented company to try Baton with."""

    name = "crm.demo"
    label = "demo"
