#!/usr/bin/env python3
"""Runs a management command, with the embedded servers where it needs them."""

import importlib.util
import os
import sys
from pathlib import Path

ENVIRONMENT = Path(__file__).resolve().parent / ".venv" / "bin" / "python"


def use_our_environment() -> None:
    """Go on under the Python that ``./baton up`` has set up, where this one knows no Django."""
    if importlib.util.find_spec("django"):
        return
    if not ENVIRONMENT.exists():
        sys.exit("Baton: this Python has no Django. Run ./baton setup first.")
    os.execv(ENVIRONMENT, [str(ENVIRONMENT), *sys.argv])  # noqa: S606 -- our own Python


if __name__ == "__main__":
    use_our_environment()
    from crm.embedded.command import run

    run(sys.argv)
