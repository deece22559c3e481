"""Runs pytest on throw-away servers: they must run before Django reads its settings.

A process for each core takes the next file of tests as soon as it is done with one. ``-n 0`` or
``--pdb`` among the arguments runs everything in one process.

Standard library only.
"""

import os
import signal
import subprocess
import sys
import tempfile

from crm.embedded.location import ROOT, CannotStart
from crm.embedded.servers import available_servers

# One process more than there are cores, since tests often wait for servers that start or end. Files
# in the order that the collection gave them, for browser tests come last.
SIDE_BY_SIDE = (
    f"--numprocesses={(os.cpu_count() or 1) + 1}",
    "--dist=loadfile",
    "--no-loadscope-reorder",
)


def main(arguments: list[str]) -> int:
    """Run pytest with ``arguments`` and return its exit status."""
    os.environ["BATON_TESTING"] = "1"
    signal.signal(signal.SIGINT, lambda *_: None)  # pytest hears Ctrl-C itself; we wait for it
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="baton-test-") as folder:
        os.environ["BATON_STATE_DIR"] = folder
        try:
            with available_servers("./baton test", durable=False):
                command = [sys.executable, "-m", "pytest", *SIDE_BY_SIDE, *arguments]
                return subprocess.run(command, cwd=ROOT, check=False).returncode
        except CannotStart as problem:
            sys.exit(f"The servers for the tests cannot start: {problem}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
