import os
import pwd
import secrets
import stat
from pathlib import Path

import pytest

from crm.embedded import location

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")


def test_the_database_url_names_the_socket_directory_as_its_host(state: Path) -> None:
    encoded = str(state).replace("/", "%2F")

    assert location.database_url() == f"postgres://baton@{encoded}%2Frun/baton"
    assert location.redis_url() == f"unix://{state}/run/valkey.sock"


def test_a_deep_state_directory_gets_its_sockets_in_a_short_place(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = state / ("d" * 100)
    monkeypatch.setenv("BATON_STATE_DIR", str(deep))

    sockets = location.socket_dir()

    assert len(os.fsencode(sockets / ".s.PGSQL.5432")) <= 107
    assert sockets.parent != deep
    monkeypatch.setenv("BATON_STATE_DIR", str(state / ("e" * 100)))
    assert location.socket_dir() != sockets


def test_the_secret_key_stays_and_only_its_owner_reads_it(state: Path) -> None:
    key = location.secret_key()

    assert location.secret_key() == key
    assert len(key) >= 50
    status = (state / "secret_key").stat()
    assert stat.S_IMODE(status.st_mode) == 0o600
    assert status.st_uid == location.service_uid()
    assert stat.S_IMODE(state.stat().st_mode) == 0o700


def test_of_two_processes_that_make_the_secret_key_at_once_the_first_one_counts(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def overtaken(length: int) -> str:
        (state / "secret_key").write_text("of the other process")
        return "ours, too late"

    monkeypatch.setattr(secrets, "token_urlsafe", overtaken)

    assert location.secret_key() == "of the other process"
    assert [path.name for path in state.iterdir()] == ["secret_key"]


@as_root
def test_a_directory_that_somebody_else_made_is_refused(state: Path) -> None:
    taken = state / "run"
    taken.mkdir()
    stranger = pwd.getpwnam("daemon")
    os.chown(taken, stranger.pw_uid, stranger.pw_gid)

    with pytest.raises(location.UnsafeDirectory):
        location.make_private(taken)


@as_root
def test_root_keeps_the_state_of_a_closed_checkout_where_the_servers_can_go(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout = state / "home" / "baton"
    checkout.mkdir(parents=True)
    monkeypatch.delenv("BATON_STATE_DIR")
    monkeypatch.setattr(location, "ROOT", checkout)
    state.chmod(0o755)

    checkout.parent.chmod(0o755)
    assert location.state_dir() == checkout / ".baton"

    checkout.parent.chmod(0o700)
    assert location.state_dir().parent == Path("/var/lib")


@as_root
def test_root_lets_the_owner_of_the_checkout_run_the_servers(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = pwd.getpwnam("daemon")
    os.chown(state, owner.pw_uid, owner.pw_gid)
    monkeypatch.setattr(location, "ROOT", state)

    assert location.service_account() == owner
