"""The pages of the site. They are there only while the demo company is."""

from __future__ import annotations

from functools import partial

from csp.constants import SELF
from csp.decorators import csp_update
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from crm.demo.site.pages import CALL, NAVIGATION, PAGES, TEASERS
from crm.demo.site.source import NAME
from engagement.models import CaptureForm, Source


@require_safe
def sample_page(request: HttpRequest, path: str = "") -> HttpResponseBase:
    """Show one page to anybody; its policy lets in the tracker and nothing else."""
    collector = [SELF, settings.COLLECTOR_URL]
    policy = {"script-src": collector, "connect-src": collector, "frame-src": [SELF]}
    return csp_update(policy)(partial(_page, path=path))(request)


def _page(request: HttpRequest, *, path: str) -> HttpResponse:
    page, source = PAGES.get(path.rstrip("/")), Source.objects.filter(name=NAME).first()
    if page is None or source is None:
        raise Http404
    context = {
        "page": page,
        "path": path.rstrip("/"),
        "navigation": NAVIGATION,
        "call": CALL,
        "teasers": TEASERS if not path else (),
        "source": source,
        "collector": settings.COLLECTOR_URL,
        "frame_height": _frame_height(page.form),
    }
    return render(request, "demo/sample_page.html", context)


def _frame_height(slug: str) -> int:
    """Return the pixels of the form on a page; 0 when there is none."""
    form = CaptureForm.objects.open_to_strangers().filter(slug=slug).first()
    return form.frame_height if form else 0
