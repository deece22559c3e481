"""What a request is answered when others were in its way."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from crm.common.locks import is_in_the_way

logger = logging.getLogger(__name__)

#: Seconds after which a machine may send its request again; our choice.
RETRY_AFTER = 2


class InTheWayMiddleware:
    """Say of work that the database took back for that of others that it can be sent again.

    Nobody waits for a row for ever: a sweep on a starved machine may hold one for longer than the
    limit, and of two that wait for each other one has to give way. Neither is a mistake of ours.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request."""
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Return the page that says so; None for any other error."""
        if not is_in_the_way(error):
            return None
        logger.warning("%s waited for others: %s", request.path, error)
        answer = render(request, "503.html", status=503)
        answer["Retry-After"] = str(RETRY_AFTER)
        return answer
