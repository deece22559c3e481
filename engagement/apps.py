"""App configuration."""

from django.apps import AppConfig


class EngagementConfig(AppConfig):
    """What they did."""

    name = "engagement"

    def ready(self) -> None:
        """Furnish the pages of lower floors."""
        from engagement import furniture  # noqa: F401, PLC0415 -- app ready
