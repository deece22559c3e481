"""App configuration."""

from django.apps import AppConfig


class HandoffConfig(AppConfig):
    """Who acts by when."""

    name = "handoff"

    def ready(self) -> None:
        """Connect receivers and furnish the pages of lower floors."""
        from handoff import furniture, receivers  # noqa: F401, PLC0415 -- app ready
