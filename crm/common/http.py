"""One address, two answers: the whole page, or the partial that htmx swaps in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.utils.http import url_has_allowed_host_and_scheme
from django_htmx.middleware import HtmxDetails

from crm.accounts.access import AppRequest

__all__ = ["AppRequest", "render_page", "wants_partial", "way_back"]


def wants_partial(request: HttpRequest) -> bool:
    """Say whether htmx asked for a part of a page.

    A boosted link and a page that htmx rebuilds after "back" want the whole.
    """
    htmx: HtmxDetails = request.htmx  # type: ignore[attr-defined]  # set by HtmxMiddleware
    return bool(htmx) and not htmx.boosted and not htmx.history_restore_request


def render_page(
    request: HttpRequest,
    template: str,
    context: Mapping[str, Any],
    *,
    partial: str | None = None,
    status: int = 200,
) -> HttpResponse:
    """Render ``partial`` for htmx when there is one, and ``template`` for everyone else.

    The answer says that it varies by that header, so that "back" never shows a bare partial.
    """
    name = partial if partial and wants_partial(request) else template
    response = render(request, name, dict(context), status=status)
    if partial:
        patch_vary_headers(response, ["HX-Request"])
    return response


def way_back(request: HttpRequest, otherwise: str = "") -> str:
    """Return the page that ``back`` of the form or address names; ``otherwise`` if none of ours."""
    address = request.POST.get("back") or request.GET.get("back", "")
    is_ours = url_has_allowed_host_and_scheme(address, allowed_hosts=None)
    return address if is_ours and address.startswith("/") else otherwise
