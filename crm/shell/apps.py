"""App configuration."""

from django.apps import AppConfig


class ShellConfig(AppConfig):
    """The frame around every page."""

    name = "crm.shell"
    label = "shell"

    def ready(self) -> None:
        """Bind tasks to our Celery application in every process, and furnish the sidebar."""
        from crm.celery import app  # noqa: F401, PLC0415 -- app ready
        from crm.shell import furniture  # noqa: F401, PLC0415 -- app ready
