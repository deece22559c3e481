"""``manage.py up``: run Baton on this machine."""

import os
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from crm.embedded.up import add_arguments


class Command(BaseCommand):
    """Replaces itself with the supervisor, which needs none of what Django has loaded."""

    help = "Run PostgreSQL, Valkey, web, workers and beat until Ctrl-C."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the supervisor's options."""
        add_arguments(parser)

    def handle(self, *_: Any, port: int, no_demo: bool, **__: Any) -> None:
        """Hand over to the supervisor."""
        command = [sys.executable, "-m", "crm.embedded.up", f"--port={port}"]
        if no_demo:
            command.append("--no-demo")
        os.execv(sys.executable, command)  # noqa: S606 -- our own program
