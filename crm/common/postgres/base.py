"""Where Django looks for the backend: connections of the pool are looked at before they are lent.

When the server was started again all connections of a pool have ended, and each would fail a page.
Pools can check what they lend, but pause a second or more after each that has ended.
"""

from __future__ import annotations

import select
from typing import Any, Self

from django.db.backends.postgresql import base
from psycopg import Connection, OperationalError, RawCursor


class PreparingCursor(RawCursor[Any]):
    """Binds on the server, and prepares what it runs the first time rather than the fifth.

    A web process has a connection for each of its threads: pages stay slow until all of them have
    asked often enough.
    """

    def execute(self, *asked: Any, **how: Any) -> Self:
        """Run a query, which is kept on the connection."""
        return super().execute(*asked, **{**how, "prepare": True})


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection of Django's to PostgreSQL."""

    _preparing: PreparingCursor | None = None

    @property
    def preparing_cursor(self) -> PreparingCursor:
        """Return the one cursor of this connection that prepares what it runs.

        Its rows have to be fetched before the next query. It is kept, as to make one takes a third
        of the time that a small query does.
        """
        self.ensure_connection()
        kept = self._preparing
        if kept is None or kept.connection is not self.connection:
            kept = self._preparing = PreparingCursor(self.connection)
        return kept

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Return a connection, from the pool if there is one, that has not ended.

        Raises:
            OperationalError: the server could not be reached within the limit of the pool.
        """
        while True:
            lent = super().get_new_connection(conn_params)
            if not self.pool or not _has_ended(lent):
                return lent
            lent.close()
            self.pool.putconn(lent)  # which replaces it


def _has_ended(connection: Connection[Any]) -> bool:
    """Say whether the server has closed a connection: nothing else is to be read of an idle one.

    Nothing is asked of the server unless there is something to be read.
    """
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    if not poll.poll(0):
        return False
    try:
        connection.execute("")
    except OperationalError:
        return True
    return False
