"""Where the embedded servers keep their state, and under which URLs they answer.

Standard library only: the settings ask here while they are being read. Nothing in this module
starts a process; only ``secret_key`` and ``make_private`` write.
"""

import hashlib
import os
import pwd
import secrets
import stat
import tempfile
from pathlib import Path
from urllib.parse import quote

ROOT = Path(__file__).resolve().parents[2]

# A Unix socket's path may have 107 bytes, of which "/.s.PGSQL.5432" needs 14.
SOCKET_DIR_LIMIT = 107 - 14


class CannotStart(Exception):
    """Something here keeps Baton from starting; the message says what, and what to do."""


class UnsafeDirectory(CannotStart):
    """A directory that must be private belongs to somebody else."""


def state_dir() -> Path:
    """Return the directory of everything that outlives a run: data, logs, uploads, secret key."""
    given = os.environ.get("BATON_STATE_DIR")
    if given:
        return Path(given).absolute()
    account = service_account()
    if account and not can_reach(account, ROOT):
        return Path("/var/lib") / f"baton-{_short_hash(ROOT)}"
    return ROOT / ".baton"


def socket_dir() -> Path:
    """Return the directory of the servers' sockets, short enough for a socket address."""
    beside_data = state_dir() / "run"
    if len(os.fsencode(beside_data)) <= SOCKET_DIR_LIMIT:
        return beside_data
    return Path(tempfile.gettempdir()) / f"baton-{_short_hash(state_dir())}"


def valkey_socket() -> Path:
    """Return the path of the embedded Valkey's socket."""
    return socket_dir() / "valkey.sock"


def database_url() -> str:
    """Return the URL of the embedded PostgreSQL, its socket directory as percent-encoded host."""
    return f"postgres://baton@{quote(str(socket_dir()), safe='')}/baton"


def redis_url() -> str:
    """Return the URL of the embedded Valkey."""
    return f"unix://{valkey_socket()}"


def secret_key() -> str:
    """Return this installation's secret key, made on first use.

    Any number of processes may ask at once: the key is written aside and linked to its name, and
    since a link never replaces a file, all of them read what the first one wrote.
    """
    path = make_private(state_dir()) / "secret_key"
    if not path.exists():
        descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix="secret_key.")
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(48))
        give_to_service_account(Path(draft))
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            Path(draft).unlink()
    return path.read_text()


def logins_note() -> Path:
    """Return the file in which ``prepare`` notes for ``up`` how to log in."""
    return make_private(state_dir()) / "demo-logins.txt"


def make_private(directory: Path) -> Path:
    """Make ``directory`` if need be, open to nobody but the account that the servers run as.

    Raises:
        UnsafeDirectory: somebody else made it first.
    """
    try:
        directory.mkdir(mode=0o700, parents=True)
    except FileExistsError:
        owners = {os.geteuid(), service_uid()}
        if directory.lstat().st_uid not in owners:
            raise UnsafeDirectory(f"{directory} belongs to another account") from None
    give_to_service_account(directory)
    directory.chmod(0o700)
    return directory


def give_to_service_account(path: Path) -> None:
    """Let the servers' account own ``path``; nothing to do unless we are root."""
    account = service_account()
    if account and path.lstat().st_uid != account.pw_uid:
        os.chown(path, account.pw_uid, account.pw_gid, follow_symlinks=False)


def service_uid() -> int:
    """Return the user id that servers and workers run under."""
    account = service_account()
    return account.pw_uid if account else os.geteuid()


def service_account() -> pwd.struct_passwd | None:
    """Return the account that root lets the servers run as; None if we are not root.

    PostgreSQL refuses to run as root. The owner of the checkout comes first, so that root and the
    owner share one state directory; then accounts that exist anyway. None is ever created.
    """
    if os.geteuid() != 0:
        return None
    owner = ROOT.stat().st_uid
    if owner != 0 and (account := _account_by_id(owner)):
        return account
    return _account_by_name("postgres") or pwd.getpwnam("nobody")


def can_reach(account: pwd.struct_passwd, path: Path) -> bool:
    """Tell whether ``account`` may enter ``path`` (a directory) and every directory above it."""
    return all(_may_enter(account, directory) for directory in (path, *path.parents))


def _may_enter(account: pwd.struct_passwd, directory: Path) -> bool:
    status = directory.stat()
    if status.st_uid == account.pw_uid:
        return bool(status.st_mode & stat.S_IXUSR)
    if status.st_gid == account.pw_gid:
        return bool(status.st_mode & stat.S_IXGRP)
    return bool(status.st_mode & stat.S_IXOTH)


def _account_by_id(uid: int) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwuid(uid)
    except KeyError:
        return None


def _account_by_name(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def _short_hash(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:12]
