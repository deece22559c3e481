"""What ``manage.py`` does around a management command."""

import os
import signal
import sys

from crm.embedded.location import CannotStart
from crm.embedded.servers import available_servers

# Commands that never ask the database, so need not wait for servers to start.
WITHOUT_SERVERS = frozenset(
    {
        "",
        "collectstatic",
        "compilemessages",
        "diffsettings",
        "help",
        "makemessages",
        "up",
        "version",
        "working_time",
    }
)


def run(argv: list[str]) -> None:
    """Run a management command with the servers it needs."""
    os.environ.setdefault("BATON_MODE", "local")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm.settings")
    from django.core.management import execute_from_command_line  # noqa: PLC0415 -- slow import

    if not needs_servers(argv[1:]):
        execute_from_command_line(argv)
        return
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # end the servers, then ourselves
    try:
        with available_servers(f"manage.py {argv[1]}, process {os.getpid()}"):
            execute_from_command_line(argv)
    except CannotStart as problem:
        sys.exit(f"The embedded servers cannot start: {problem}")


def needs_servers(arguments: list[str]) -> bool:
    """Tell whether a command line needs the embedded servers."""
    if os.environ["BATON_MODE"] != "local" or {"-h", "--help", "--version"} & {*arguments}:
        return False
    return (arguments[0] if arguments else "") not in WITHOUT_SERVERS
