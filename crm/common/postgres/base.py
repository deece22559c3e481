"""Where Django looks for the backend: connections of the pool are looked at before they are lent.

When the server was started again all connections of a pool have ended, and each would fail a page.
Pools can check what they lend, but pause a second or more after each that has ended.
"""

from __future__ import annotations

import select
from typing import Any

from django.db.backends.postgresql import base
from psycopg import Connection, OperationalError


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection of Django's to PostgreSQL."""

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
