"""The processes of ``up`` beside the servers: one table. Standard library only."""

import sys
from dataclasses import dataclass


def _python(*arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-m", *arguments)


def _worker(name: str, *queues: str) -> tuple[str, ...]:
    return _python(
        *("celery", "--app=crm.celery", "worker"),
        f"--hostname={name}@%h",
        f"--queues={','.join(queues)}",
        *("--pool=solo", "--loglevel=warning"),
        *("--without-gossip", "--without-mingle", "--without-heartbeat"),
    )


@dataclass(frozen=True)
class Child:
    """One line of the table. ``grace`` is the seconds it may take to finish what it does."""

    name: str
    command: tuple[str, ...]
    grace: float


def stages(*, port: int) -> tuple[tuple[Child, ...], ...]:
    """Return the children in the order of their start; a stage is stopped together, the last first.

    A worker process of its own for each kind of work: an import cannot starve a deadline.
    """
    return (
        (
            Child("worker-sla", _worker("sla", "sla", "outbox"), grace=3),
            Child("worker-events", _worker("events", "events"), grace=3),
            Child("worker-bulk", _worker("bulk", "bulk"), grace=3),
        ),
        (
            Child(
                "deadlines", (sys.executable, "manage.py", "enforce_deadlines", "--loop"), grace=1
            ),
            Child(
                "beat",
                _python(
                    *("celery", "--app=crm.celery", "beat"),
                    *("--scheduler=celery.beat:Scheduler", "--loglevel=warning"),
                ),
                grace=1,
            ),
        ),
        (
            Child(
                "web",
                _python(
                    *("granian", "--interface=wsgi", "--host=127.0.0.1", f"--port={port}"),
                    *("--workers=2", "--blocking-threads=4", "--no-ws"),
                    *("--respawn-failed-workers", "--respawn-interval=0.5"),
                    *("--workers-kill-timeout=2", "--log-level=warning"),
                    "crm.wsgi:application",
                ),
                grace=3,
            ),
        ),
    )
