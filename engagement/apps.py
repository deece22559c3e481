"""App configuration."""

from django.apps import AppConfig


class EngagementConfig(AppConfig):
    """What they did."""

    name = "engagement"

    def ready(self) -> None:
        """Connect receivers and furnish the pages of lower floors."""
        from engagement import furniture, receivers  # noqa: F401, PLC0415 -- app ready
