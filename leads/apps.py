"""App configuration."""

from django.apps import AppConfig


class LeadsConfig(AppConfig):
    """Who: leads, companies and their lifecycle."""

    name = "leads"

    def ready(self) -> None:
        """Furnish the pages of lower floors."""
        from leads import furniture  # noqa: F401, PLC0415 -- app ready
