"""What a request is answered when the database had no time for it, or was not there."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable

import psycopg
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.views.defaults import server_error

from crm.common.locks import is_in_the_way

logger = logging.getLogger(__name__)

#: Seconds after which a machine may send its request again; our choice.
RETRY_AFTER = 2

# States of SQL in which a server leaves, comes, or takes no more connections: exceptions of
# connections, interventions of operators (not cancelled statements), too many connections.
_AWAY = ("08", "57P", "53300")


class TryAgainMiddleware:
    """Say of work that the database did not do, through no mistake of ours, to send it again.

    Nobody waits for a row for ever: a sweep on a starved machine may hold one for longer than the
    limit, and of two that wait for each other one has to give way. And servers are started again.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request."""
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Return the page that says so; None for any other error."""
        return _try_again(request, error)


def failed(request: HttpRequest) -> HttpResponse:
    """Answer what failed, where it may have before a view was asked: who is it that asks?"""
    error = sys.exc_info()[1]
    return (error and _try_again(request, error)) or server_error(request)


def is_away(error: BaseException) -> bool:
    """Say whether the database could not be reached, or left amid the work."""
    cause = error.__cause__
    if not isinstance(error, DatabaseError | InterfaceError) or not isinstance(
        cause, psycopg.OperationalError | psycopg.InterfaceError
    ):
        return False
    return cause.sqlstate is None or cause.sqlstate.startswith(_AWAY)


def _try_again(request: HttpRequest, error: BaseException) -> HttpResponse | None:
    away = is_away(error)
    if not away and not is_in_the_way(error):
        return None
    logger.warning("%s %s: %s", request.path, "found no database" if away else "waited", error)
    # Without the request: its frame would ask the database who looks at it.
    page = render_to_string("503.html", {"away": away})
    return HttpResponse(page, status=503, headers={"Retry-After": str(RETRY_AFTER)})
