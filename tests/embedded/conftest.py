"""A state directory of one's own for each test."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from crm.embedded.location import ROOT, make_private
from crm.embedded.postgres import Postgres


@pytest.fixture(scope="session")
def cluster() -> Iterator[Path]:
    """Return a database cluster to copy: making one takes a second, copying it almost nothing."""
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        patch.setenv("BATON_STATE_DIR", folder)
        postgres = Postgres(durable=False)
        postgres.create()
        yield postgres.cluster


@pytest.fixture
def state() -> Iterator[Path]:
    """Return the state directory of an installation that knows no server but its own."""
    with own_state() as folder:
        yield folder


@pytest.fixture
def installed(state: Path, cluster: Path) -> Path:
    """Return a state directory that holds a fresh database cluster."""
    return install(cluster, state)


@contextmanager
def own_state() -> Iterator[Path]:
    """Point the environment to a new state directory while the block runs.

    Not pytest's own temporary folder: that one is closed to the servers' account when we are root.
    """
    folder = Path(tempfile.mkdtemp(prefix="baton-embedded-"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BATON_STATE_DIR", str(folder))
        patch.setenv("BATON_MODE", "local")
        patch.setenv("PYTHONPATH", str(ROOT))
        for name in (
            "DATABASE_URL",
            "REDIS_URL",
            "SECRET_KEY",
            "PUBLIC_URL",
            "COLLECTOR_URL",
            "BATON_TESTING",
            "BATON_MEDIA_ROOT",
            "BATON_SPOOL",
        ):
            patch.delenv(name, raising=False)
        yield folder
    shutil.rmtree(folder)


def install(cluster: Path, state: Path) -> Path:
    """Give a state directory a database cluster."""
    make_private(state)
    subprocess.run(["cp", "--archive", cluster, state], check=True)
    return state
