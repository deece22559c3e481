"""``manage.py`` under a Python that knows no Django."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from django import get_version

ROOT = Path(__file__).resolve().parent.parent.parent


def manage(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the script in ``folder`` without the packages of any environment."""
    (folder / "manage.py").write_text((ROOT / "manage.py").read_text())
    (folder / "crm").symlink_to(ROOT / "crm")
    return subprocess.run(
        [sys.executable, "-S", "manage.py", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_commands_run_in_the_environment_that_up_has_made(tmp_path: Path) -> None:
    (tmp_path / ".venv").symlink_to(sys.prefix)

    assert manage(tmp_path, "version").stdout.strip() == get_version()


def test_without_an_environment_the_way_to_one_is_said(tmp_path: Path) -> None:
    done = manage(tmp_path, "version")

    assert done.returncode == 1
    assert done.stderr == "Baton: this Python has no Django. Run ./baton setup first.\n"
