"""App configuration."""

from django.apps import AppConfig


class ReportsConfig(AppConfig):
    """Numbers across apps."""

    name = "crm.reports"
    label = "reports"
