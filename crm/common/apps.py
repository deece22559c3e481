"""App configuration."""

from django.apps import AppConfig


class CommonConfig(AppConfig):
    """Shared mechanisms; no product rule lives here."""

    name = "crm.common"
    label = "common"
