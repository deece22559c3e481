"""Public: the page of an offer, where a lead that is known accepts with one press."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from engagement.messages import LONGEST_ID
from engagement.models import CaptureForm, Offer
from engagement.services import accept_offer
from engagement.services.acceptance import bearer_of


@csrf_exempt  # a forger would need the token, and then needs no forgery; strangers keep no cookie
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def offer_page(request: HttpRequest, slug: str) -> HttpResponse:
    """Show an offer; a POST with a token accepts it, a GET never does."""
    now = timezone.now()
    offer = get_object_or_404(Offer, slug=slug)
    said = request.POST if request.method == "POST" else request.GET
    token, browser = said.get("baton_t", ""), _browser(said.get("baton_id", ""))
    lead_id = bearer_of(offer=offer, token=token, now=now) if token else None
    if not offer.stands(now):
        return render(request, "engagement/offer_closed.html", {"offer": offer}, status=410)
    if request.method == "POST" and lead_id is not None:
        accept_offer(offer=offer, lead_id=lead_id, now=now, anonymous_id=browser)
        return redirect("engagement:offer_accepted", slug=offer.slug)
    context = {
        "offer": offer,
        "token": token,
        "browser": browser,
        "is_known": lead_id is not None,
        "form": CaptureForm.objects.open_to_strangers().filter(offer=offer).first(),
    }
    return render(request, "engagement/offer_page.html", context)


@require_http_methods(["GET", "HEAD"])
def offer_accepted(request: HttpRequest, slug: str) -> HttpResponse:
    """Say what happens next; says the same to everybody."""
    offer = get_object_or_404(Offer, slug=slug)
    return render(request, "engagement/offer_accepted.html", {"offer": offer})


def _browser(text: str) -> str:
    """Return the id that the tracker gave a browser; nothing for what can be none."""
    return text if text.isprintable() and len(text) <= LONGEST_ID else ""
