"""Pages of the offers: what was accepted and what came of it."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from crm.accounts.forms import form_status, posted
from crm.common.http import AppRequest
from crm.common.period import PeriodInvalid, period_from
from engagement import content_lists
from engagement.content_access import may_edit_content
from engagement.content_forms import OfferForm
from engagement.figures import offer_figures
from engagement.models import Offer
from engagement.services import SlugTaken
from engagement.services.acceptance import public_url
from engagement.services.offers import create_offer, update_offer


@may_edit_content
@require_GET
def offer_list(request: AppRequest) -> HttpResponse:
    """List the offers with what came of them."""
    now = timezone.now()
    try:
        period = period_from(request.GET, now=now, default="quarter")
    except PeriodInvalid as problem:
        messages.warning(request, str(problem))
        return redirect("engagement:offers")
    offers = list(Offer.objects.select_related("asset").order_by("name", "id"))
    standing = set(Offer.objects.standing(now).values_list("pk", flat=True))
    figures = offer_figures(period.start, period.end)
    context = {
        "lines": content_lists.offer_lines(offers, figures, period),
        "standing": standing,
        "period": period,
        "periods": content_lists.period_choices(request.path, request.GET, period),
    }
    return render(request, "engagement/offers.html", context)


@may_edit_content
@require_http_methods(["GET", "POST"])
def offer_add(request: AppRequest) -> HttpResponse:
    """Make an offer."""
    form = OfferForm(posted(request), is_new=True)
    if form.is_valid():
        try:
            create_offer(**form.cleaned_data)
        except SlugTaken:
            form.add_error("slug", "Another offer has this short name.")
        else:
            return redirect("engagement:offers")
    return render(request, "engagement/offer_form.html", {"form": form}, status=form_status(form))


@may_edit_content
@require_http_methods(["GET", "POST"])
def offer_edit(request: AppRequest, slug: str) -> HttpResponse:
    """Change an offer; what was accepted before stays as it was."""
    offer = get_object_or_404(Offer, slug=slug)
    form = OfferForm(posted(request), is_new=False, initial=OfferForm.initial_of(offer))
    if form.is_valid():
        update_offer(offer_id=offer.pk, **form.cleaned_data)
        return redirect("engagement:offers")
    context = {"form": form, "offer": offer, "address": public_url(offer)}
    return render(request, "engagement/offer_form.html", context, status=form_status(form))
