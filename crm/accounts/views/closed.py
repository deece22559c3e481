"""A page of allauth's that Baton does without."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse


def address_page_closed(_request: HttpRequest) -> HttpResponse:
    """Hide the page on which people add addresses to log in with.

    Addresses are proved by invitation alone; one typed there would be proved by nothing, and taken
    from whoever is invited under it later.
    """
    raise Http404
