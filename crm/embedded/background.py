"""Runs workers, beat and the deadline loop, as forks of one process that loaded the application.

Loading costs seconds of processor time and 100 MB each time; a fork costs neither.
"""

import gc
import os
import signal
from functools import partial
from importlib import import_module

import django
from django.core.checks import run_checks
from django.core.management import execute_from_command_line

from crm.celery import app
from crm.embedded.children import FORKS, Child
from crm.embedded.location import make_private, state_dir
from crm.embedded.process import Program
from crm.embedded.supervisor import Supervisor

# Whatever the forks would import later, each for itself.
LOADED_AHEAD = (
    *("celery.bin.celery", "celery.apps.worker", "celery.apps.beat", "celery.concurrency.prefork"),
    *("celery.backends.base", "celery.worker.consumer", "celery.worker.strategy"),
    *("kombu.transport.redis", "psycopg_pool"),
)


def main() -> None:
    """Keep the forks alive until told to stop."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    _load()
    gc.freeze()  # no collection may touch, and so copy, the pages that the forks share
    supervisor = Supervisor()
    try:
        supervisor.begin_stage()
        for child in FORKS:
            supervisor.start(_program(child))
        supervisor.look_after_until(lambda: False)
    except KeyboardInterrupt:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    finally:
        supervisor.stop()


def _load() -> None:
    """Load all that the forks need: the tasks, and with the checks what answers addresses."""
    django.setup()
    app.loader.import_default_modules()
    app.finalize()
    for module in LOADED_AHEAD:
        import_module(module)
    run_checks()
    os.environ["CELERY_SKIP_CHECKS"] = "1"  # each worker would do it again, for seconds


def _program(child: Child) -> Program:
    return Program(
        name=child.name,
        command=partial(_run, child.arguments),
        log=make_private(state_dir() / "logs") / f"{child.name}.log",
        grace=child.grace,
    )


def _run(arguments: tuple[str, ...]) -> None:
    """Run a command line of the table."""
    if arguments[0] == "celery":
        raise SystemExit(app.start([*arguments[1:]]))
    execute_from_command_line([*arguments])


if __name__ == "__main__":
    main()
