"""App configuration."""

from django.apps import AppConfig


class ReportsConfig(AppConfig):
    """Numbers across apps."""

    name = "crm.reports"
    label = "reports"

    def ready(self) -> None:
        """Furnish the side bar and the lead list."""
        from crm.reports import furniture  # noqa: F401, PLC0415 -- app ready
