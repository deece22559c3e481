"""Pages of sources: who may send events, what arrives, and how to connect a site or a server."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from crm.accounts.access import AppRequest, role_required
from crm.accounts.enums import Role
from crm.accounts.forms import form_status, posted
from crm.common.http import render_page
from engagement import services
from engagement.arrivals import MOST_COUNTED, events_since, is_collecting, last_arrivals
from engagement.enums import SourceKind
from engagement.models import Source
from engagement.refusals import DAYS, NOBODY, refused_lately, refused_today
from engagement.source_forms import NewSourceForm, SourceForm

VIEWERS = (Role.MARKETER, Role.MANAGER, Role.ADMIN)
EDITORS = (Role.MARKETER, Role.ADMIN)


@role_required(*VIEWERS)
@require_GET
def source_list(request: AppRequest) -> HttpResponse:
    """List all sources with what arrives from them; htmx asks for the rows again and again."""
    now = timezone.now()
    midnight = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    sources = list(Source.objects.order_by("-is_active", "label", "id"))
    counts = events_since(sources, midnight)
    refused = refused_today(sources, today=midnight.date())
    context = {
        "lines": [
            (each, counts[each.name], refused[each.name], _since(each, now)) for each in sources
        ],
        "strangers": refused_lately(NOBODY, today=midnight.date()),
        "days": DAYS,
        "most_counted": MOST_COUNTED,
        "may_edit": request.user.has_role(*EDITORS),
    }
    return render_page(
        request, "engagement/sources.html", context, partial="engagement/_source_table.html"
    )


@role_required(*VIEWERS)
@require_GET
def source_detail(request: AppRequest, source_id: int) -> HttpResponse:
    """Show how to connect a source and whether its messages arrive; htmx asks for the latter."""
    source = get_object_or_404(Source, pk=source_id)
    now = timezone.now()
    may_edit = request.user.has_role(*EDITORS)
    context = {
        "source": source,
        "since": _since(source, now),
        "arrivals": last_arrivals(source),
        "refusals": refused_lately(source.name, today=timezone.localdate(now)),
        "days": DAYS,
        "keep_days": settings.KEEP_REFUSED_DAYS,
        "is_collecting": is_collecting(now),
        "collector_url": settings.COLLECTOR_URL,
        "may_edit": may_edit,
        "may_see_key": may_edit or source.kind == SourceKind.WEBSITE,
    }
    return render_page(
        request, "engagement/source.html", context, partial="engagement/_source_state.html"
    )


@role_required(*EDITORS)
@require_http_methods(["GET", "POST"])
def source_add(request: AppRequest) -> HttpResponse:
    """Add a source, then show how to connect it."""
    form = NewSourceForm(posted(request))
    if form.is_valid():
        try:
            source = services.create_source(
                **form.cleaned_data, now=timezone.now(), actor=request.user
            )
        except services.SourceNameTaken:
            form.add_error("name", "Another source has this short name.")
        else:
            return redirect("engagement:source", source.pk)
    return render(request, "engagement/source_form.html", {"form": form}, status=form_status(form))


@role_required(*EDITORS)
@require_http_methods(["GET", "POST"])
def source_edit(request: AppRequest, source_id: int) -> HttpResponse:
    """Change a source."""
    source = get_object_or_404(Source, pk=source_id)
    form = SourceForm(posted(request), initial=_fields_of(source))
    if form.is_valid():
        services.update_source(source_id=source.pk, **form.cleaned_data)
        messages.success(request, "Saved. The collector follows within seconds.")
        return redirect("engagement:source", source.pk)
    context = {"form": form, "source": source}
    return render(request, "engagement/source_form.html", context, status=form_status(form))


@role_required(*EDITORS)
@require_POST
def source_deactivate(request: AppRequest, source_id: int) -> HttpResponse:
    """Refuse from now on whatever comes with the key of a source."""
    source = get_object_or_404(Source, pk=source_id)
    services.switch_source(source_id=source.pk, is_active=False)
    messages.success(request, f"{source} is switched off. What it sent stays.")
    return redirect("engagement:source", source.pk)


@role_required(*EDITORS)
@require_POST
def source_activate(request: AppRequest, source_id: int) -> HttpResponse:
    """Let a source send again."""
    source = get_object_or_404(Source, pk=source_id)
    services.switch_source(source_id=source.pk, is_active=True)
    messages.success(request, f"{source} may send again, with the same key.")
    return redirect("engagement:source", source.pk)


def _since(source: Source, now: datetime) -> timedelta | None:
    """Return how long ago the last message came."""
    return max(now - source.last_received_at, timedelta()) if source.last_received_at else None


def _fields_of(source: Source) -> dict[str, object]:
    return {name: getattr(source, name) for name in SourceForm.base_fields}
