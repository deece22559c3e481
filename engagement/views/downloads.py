"""Public: handing out the file behind an asset."""

from __future__ import annotations

from typing import IO

from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from crm.accounts.lockout import place_of
from engagement.classify import Verdict, classify
from engagement.models import AssetFile
from engagement.services import downloads, files
from engagement.services.judging import hosting_networks


@never_cache
@require_safe
def download(request: HttpRequest, token: str) -> HttpResponseBase:
    """Hand out a file and record it; an old link says so and offers a new one."""
    ticket = downloads.ticket_of(token, now=timezone.now())
    if ticket is None:
        raise Http404
    file = AssetFile.objects.filter(asset=ticket.asset).first()
    if ticket.is_expired or file is None:
        context = {"ticket": ticket, "file": file, "token": token, "sent": "sent" in request.GET}
        return render(request, "engagement/download_expired.html", context, status=410)
    if request.method == "GET":
        downloads.record_download(ticket=ticket, now=timezone.now(), verdict=_verdict(request))
    return _attachment(files.open_file(file), file)


@csrf_exempt  # a forger would need the token, and then needs no forgery; strangers keep no cookie
@require_POST
def download_renew(request: HttpRequest, token: str) -> HttpResponse:
    """Mail a new link to the lead for whom the old one was made, if that has ended."""
    now = timezone.now()
    ticket = downloads.ticket_of(token, now=now)
    if ticket is None:
        raise Http404
    downloads.send_new_link(ticket=ticket, now=now)
    return redirect(f"{request.path.removesuffix('renew/')}?sent")


def _attachment(handle: IO[bytes], file: AssetFile) -> FileResponse:
    """Return a file that a browser saves and never shows, whatever is in it."""
    response = FileResponse(
        handle, as_attachment=True, filename=file.filename, content_type=file.content_type
    )
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["X-Content-Type-Options"] = "nosniff"
    response["X-Robots-Tag"] = "noindex"
    return response


def _verdict(request: HttpRequest) -> Verdict:
    return classify(
        agent=request.headers.get("User-Agent", ""),
        purpose=request.headers.get("Sec-Purpose") or request.headers.get("Purpose", ""),
        address=place_of(request) or "",
        networks=hosting_networks(),
    )
