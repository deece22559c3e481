"""App configuration."""

from django.apps import AppConfig


class EngagementConfig(AppConfig):
    """What they did."""

    name = "engagement"

    def ready(self) -> None:
        """Furnish the pages of lower floors, and register the channels of the outbox."""
        from engagement import download_mail, form_mail, furniture  # noqa: F401, PLC0415 -- app ready

        form_mail.register_channels()
        download_mail.register_channels()
