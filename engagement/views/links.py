"""Public: following a link of a mail, and loading its picture. Both always serve."""

from __future__ import annotations

import time
from contextlib import suppress

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from crm.accounts.lockout import place_of
from engagement.collector.limits import Limits, neighbourhood
from engagement.services.tracked_links import Visit, follow_link, record_open
from engagement.tokens import TokenInvalid

#: One transparent pixel.
_GIF = (
    b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,"
    b"\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"
)
_LONGEST_HEADER = 1000
#: What one address may have recorded a second, and ten times that at once. Our choice: a company
#: behind one address reads its mail that fast, a flood fills nothing. What is above is served too.
RATE = 20
limits = Limits()


@never_cache
@require_safe
def follow(request: HttpRequest, token: str) -> HttpResponse:
    """Lead on to where the link of a mail goes; what is no link of ours leads nowhere."""
    try:
        visit = visit_of(request)
        target = follow_link(token=token, visit=visit, is_recorded=_is_within_limit(visit))
    except TokenInvalid:
        return render(request, "engagement/unknown_link.html", status=404)
    response = HttpResponseRedirect(target)
    response["X-Robots-Tag"] = "noindex"
    return response


@never_cache
@require_safe
def pixel(request: HttpRequest, token: str) -> HttpResponse:
    """Answer with the picture of a mail, whoever asks for whichever."""
    with suppress(TokenInvalid):  # a broken picture would tell as much, and look worse
        visit = visit_of(request)
        record_open(token=token, visit=visit, is_recorded=_is_within_limit(visit))
    return HttpResponse(_GIF, content_type="image/gif")


def visit_of(request: HttpRequest) -> Visit:
    """Return what a request tells of its sender."""
    headers = request.headers
    return Visit(
        at=timezone.now(),
        method=request.method or "",
        address=place_of(request) or "",
        agent=headers.get("User-Agent", "")[:_LONGEST_HEADER],
        purpose=(headers.get("Sec-Purpose") or headers.get("Purpose", ""))[:_LONGEST_HEADER],
    )


def _is_within_limit(visit: Visit) -> bool:
    now = time.monotonic()
    bucket = limits.bucket(neighbourhood(visit.address), rate=RATE, now=now)
    if bucket.wait(now):
        return False
    bucket.level -= 1
    return True
