"""What a request tells about the page that a form stands on, and how browsers may show it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from csp.constants import SELF
from csp.decorators import csp_replace
from django.http import HttpRequest, HttpResponse

from crm.accounts.lockout import place_of
from engagement.attribution import touch_of
from engagement.hosted_form import TRAP
from engagement.models import CaptureForm
from engagement.render_token import RenderToken
from engagement.services.judging import Surroundings
from engagement.services.submissions import Arrival
from leads.normalise import NotText, clean_text

#: Longer is no form that somebody filled in.
LARGEST_BODY = 64 * 1024
_LONGEST_URL = 2000
_LONGEST_ID = 200


@dataclass(frozen=True, slots=True)
class Told:
    """What a page tells beside the answers; all of it a stranger's words, cut to size.

    ``page`` is where the person is, ``referrer`` where they came from, ``baton_id`` the random id
    of their browser. They are carried through the form in hidden fields of these names.
    """

    page: str
    referrer: str
    baton_id: str
    is_embedded: bool


def told_by(request: HttpRequest) -> Told:
    """Read it from the hidden fields, else from the address, else from what the browser says."""
    is_embedded = request.GET.get("embed") == "1"
    here, before = request.build_absolute_uri(), request.headers.get("Referer", "")
    is_sent = request.method == "POST"
    page = _said(request, "page") or (before if is_embedded and not is_sent else here)
    referrer = _said(request, "referrer") or ("" if is_embedded or is_sent else before)
    return Told(
        page=_address(page),
        referrer=_address(referrer),
        baton_id=_text(_said(request, "baton_id"), _LONGEST_ID),
        is_embedded=is_embedded,
    )


def arrival_of(request: HttpRequest, told: Told, token: RenderToken, *, now: datetime) -> Arrival:
    """Return how a submission came; what a campaign says stands in the address of either page."""
    own_hosts = Surroundings.load().own_hosts
    addresses = (told.page, request.build_absolute_uri())
    touches = (touch_of(url=url, referrer=told.referrer, own_hosts=own_hosts) for url in addresses)
    touch = next(filter(None, touches), None)
    return Arrival(
        nonce=token.nonce,
        took=now - token.made_at,
        address=place_of(request) or "",
        trap=request.POST.get(TRAP, ""),
        anonymous_id=told.baton_id,
        page_url=told.page,
        touch=touch.as_json() if touch else {},
    )


def framed(response: HttpResponse, form: CaptureForm) -> HttpResponse:
    """Let the sites that the form names show it in a frame, and its end lead where it says.

    Browsers hold the redirect after a form against ``form-action``.
    """
    policy: dict[str, list[str]] = {}
    if form.embed_origins:
        response.xframe_options_exempt = True
        policy["frame-ancestors"] = [SELF, *form.embed_origins]
    if form.redirect_url:
        parts = urlsplit(form.redirect_url)
        policy["form-action"] = [SELF, f"{parts.scheme}://{parts.netloc}"]
    csp_replace(policy)(lambda _: response)(HttpRequest())
    return response


def is_too_large(request: HttpRequest) -> bool:
    """Say whether the body is larger than any form, before it is read."""
    length = request.META.get("CONTENT_LENGTH") or "0"
    return not length.isdecimal() or int(length) > LARGEST_BODY


def _said(request: HttpRequest, name: str) -> str:
    return request.POST.get(name) or request.GET.get(name) or ""


def _address(text: str) -> str:
    """Return an address of the web, nothing for any other."""
    address = _text(text, _LONGEST_URL)
    return address if address.lower().startswith(("http://", "https://")) else ""


def _text(text: str, longest: int) -> str:
    try:
        return clean_text(text)[:longest]
    except NotText:
        return ""
