"""App configuration."""

from django.apps import AppConfig


class CommonConfig(AppConfig):
    """Shared mechanisms; no product rule lives here."""

    name = "crm.common"
    label = "common"

    def ready(self) -> None:
        """Connect receivers and register the channels of the outbox."""
        from crm.common import mail, receivers, timestamps, webhooks  # noqa: F401, PLC0415 -- app ready

        mail.register_channels()
        webhooks.register_channels()
