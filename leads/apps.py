"""App configuration."""

from django.apps import AppConfig


class LeadsConfig(AppConfig):
    """Who: leads, companies and their lifecycle."""

    name = "leads"

    def ready(self) -> None:
        """Connect receivers and furnish the pages of lower floors."""
        from leads import furniture, receivers  # noqa: F401, PLC0415 -- app ready
