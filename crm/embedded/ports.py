"""Ports for web and collector. Standard library only."""

import errno
import socket
from contextlib import ExitStack
from types import TracebackType
from typing import Self

LOOPBACK = ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"))  # localhost can mean either
NEAR = 100  # ports above the one asked for that are tried


class HeldPort:
    """A port on both loopback addresses that nobody else gets before it is released.

    Held, because the database is prepared between the choice of a port and its use, and whoever
    took it meanwhile would be shown as Baton. It listens, as others may bind what is only bound.
    """

    def __init__(self, number: int) -> None:
        """Take the port ``number``; 0 means any.

        Raises:
            OSError: somebody has it.
        """
        self.number = number
        with ExitStack() as sockets:
            for family, address in LOOPBACK:
                self._listen(sockets, family, address)
            self._sockets = sockets.pop_all()

    def release(self) -> None:
        """Leave the port to the program for which it was held; again is harmless."""
        self._sockets.close()

    def _listen(self, sockets: ExitStack, family: int, address: str) -> None:
        try:
            held = sockets.enter_context(
                socket.create_server((address, self.number), family=family)
            )
        except OSError as problem:
            # An address that this machine lacks is in nobody's way.
            if problem.errno not in {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}:
                raise
        else:
            self.number = held.getsockname()[1]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()


def hold_port(first: int) -> HeldPort:
    """Hold ``first``, or else the nearest port above it that is free; 0 means any port.

    Raises:
        OSError: not even any port is to be had.
    """
    for number in range(first, min(first + NEAR, 65536)) if first else ():
        try:
            return HeldPort(number)
        except OSError:
            continue
    return _hold_any()


def _hold_any(attempts: int = 10) -> HeldPort:
    """Hold a port that the machine chooses: what is free on one address may be taken on the other.

    Raises:
        OSError: each port that the machine offered was taken on the other address.
    """
    for _ in range(attempts - 1):
        try:
            return HeldPort(0)
        except OSError:
            continue
    return HeldPort(0)
