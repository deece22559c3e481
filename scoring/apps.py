"""App configuration."""

from django.apps import AppConfig


class ScoringConfig(AppConfig):
    """What it is worth."""

    name = "scoring"

    def ready(self) -> None:
        """Connect receivers and furnish the pages of lower floors."""
        from scoring import furniture, receivers  # noqa: F401, PLC0415 -- app ready
