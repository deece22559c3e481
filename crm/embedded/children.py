"""The processes of ``up`` beside the servers, in two tables. Standard library only."""

import sys
from dataclasses import dataclass


@dataclass(frozen=True)
class Child:
    """One line of a table. ``grace`` is the seconds it may take to finish what it does."""

    name: str
    arguments: tuple[str, ...]
    grace: float


def programs(*, port: int, collector_port: int) -> tuple[Child, ...]:
    """Return the processes that load the application themselves, the one people wait for first."""
    return (
        _server(
            "web",
            "crm.wsgi:application",
            *("--interface=wsgi", f"--port={port}", "--workers=2", "--blocking-threads=4"),
        ),
        _server(
            "collector",
            "engagement.collector.process:application",
            *("--interface=asgi", f"--port={collector_port}", "--workers=1", "--loop=uvloop"),
        ),
        Child("background", (sys.executable, "-m", "crm.embedded.background"), grace=4),
    )


def _server(name: str, application: str, *options: str) -> Child:
    """Return a web server on the loopback whose workers are started again when they fail."""
    return Child(
        name,
        (
            *(sys.executable, "-m", "granian", application, "--host=127.0.0.1", *options),
            *("--respawn-failed-workers", "--respawn-interval=0.5", "--workers-kill-timeout=2"),
            *("--no-ws", "--log-level=warning"),
        ),
        grace=4,
    )


def _worker(name: str, *queues: str, children: int = 1) -> Child:
    """Return a worker that does one thing at a time in each child of its own.

    Only so Celery's time limit holds: the worker ends a child that exceeds it and forks another.
    """
    return Child(
        f"worker-{name}",
        (
            *("celery", "worker", f"--hostname={name}@%h", f"--queues={','.join(queues)}"),
            *("--pool=prefork", f"--concurrency={children}", "--loglevel=warning"),
            *("--without-gossip", "--without-mingle", "--without-heartbeat"),
        ),
        grace=3,
    )


# Started by ``background``. Each kind of work has a worker of its own, so that an import cannot
# starve a deadline.
FORKS = (
    _worker("sla", "sla", "outbox"),
    _worker("events", "events", children=2),  # one absorbs or scores while the other does
    _worker("bulk", "bulk", children=2),  # a back-test is worked off by both
    Child("deadlines", ("manage.py", "enforce_deadlines", "--loop"), grace=1),
    Child("beat", ("celery", "beat", "--scheduler=celery.beat:Scheduler", "--loglevel=warning"), 1),
)
