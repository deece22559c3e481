"""``manage.py`` under a Python that knows no Django."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django import get_version

ROOT = Path(__file__).resolve().parent.parent.parent


def manage(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the script of ``folder`` without the packages of any environment."""
    return subprocess.run(
        [sys.executable, "-S", "manage.py", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.skipif(not (ROOT / ".venv").exists(), reason="needs what ./baton setup makes")
def test_commands_run_in_the_environment_that_up_has_made() -> None:
    assert manage(ROOT, "version").stdout.strip() == get_version()


def test_without_an_environment_the_way_to_one_is_said(tmp_path: Path) -> None:
    shutil.copy(ROOT / "manage.py", tmp_path)

    done = manage(tmp_path, "version")

    assert done.returncode == 1
    assert done.stderr == "Baton: this Python has no Django. Run ./baton setup first.\n"
