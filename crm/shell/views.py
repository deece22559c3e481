"""The frame's own pages: home, first run, search, notifications, health."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import login
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.templatetags.static import static
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from crm.accounts import services as accounts
from crm.accounts.access import LOGIN_BACKEND, role_required
from crm.accounts.enums import Role
from crm.accounts.forms import FirstAdminForm, form_status, posted
from crm.accounts.models import User
from crm.common import notifications as news
from crm.common import outbox
from crm.common.http import AppRequest, render_page, wants_partial
from crm.common.models import Notification, OutboxMessage
from crm.common.paging import keyset_page
from crm.common.plans import plan_of
from crm.shell.guide import guide_for
from crm.shell.health import check_health
from crm.shell.palette import MOST_RECENT_ACTIVITY_FIRST, choices_for
from leads.hints import nearby
from leads.models import Lead
from leads.search import matching, search_words

# Of several roles the one whose work waits on a clock decides where the day begins.
FIRST_PAGES = (
    (Role.REP, "handoff:queue"),
    (Role.MANAGER, "reports:today"),
    (Role.MARKETER, "leads:list"),
    (Role.ADMIN, "shell:health"),
)
NEWEST_FIRST = ("-created_at", "-id")
IN_THE_DROPDOWN = 8
ON_A_PAGE = 50
DEAD_LETTERS = 50


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """Send everyone to the page their day begins with; a new installation to its first person."""
    user = request.user
    if user.is_authenticated:
        return redirect(first_page(user))
    if not User.objects.exists():
        return redirect("shell:first_run")
    return redirect("account_login")


def first_page(user: User) -> str:
    """Return the name of the page that ``user``'s day begins with."""
    return next((page for role, page in FIRST_PAGES if user.has_role(role)), "accounts:preferences")


@require_http_methods(["GET", "POST"])
def first_run(request: HttpRequest) -> HttpResponse:
    """Make the first admin; once anybody exists, this page does not."""
    if User.objects.exists():
        raise Http404
    form = FirstAdminForm(posted(request))
    if form.is_valid():
        try:
            admin = accounts.create_first_admin(**form.cleaned_data)
        except accounts.AlreadySetUp:
            return redirect("account_login")
        except ValidationError as error:
            form.add_error("password", error)
        else:
            login(request, admin, backend=LOGIN_BACKEND)
            return redirect("shell:guide")
    return render(request, "shell/first_run.html", {"form": form}, status=form_status(form))


@role_required(Role.MARKETER, Role.MANAGER, Role.ADMIN)
@require_GET
def guide(request: AppRequest) -> HttpResponse:
    """Show what an installation needs before leads flow, and what of it is done."""
    lines = guide_for(request.user)
    context = {"lines": lines, "done": sum(line.is_done for line in lines)}
    return render(request, "shell/guide.html", context)


@login_required
@require_GET
def search(request: AppRequest) -> HttpResponse:
    """Find leads by a part of their name, e-mail or company."""
    words = search_words(request.GET.get("q", ""))
    found = matching(words, viewer=request.user) if words else Lead.objects.none()
    page = keyset_page(
        found.select_related("owner"),
        ordering=MOST_RECENT_ACTIVITY_FIRST,
        cursor=request.GET.get("cursor"),
        size=IN_THE_DROPDOWN if wants_partial(request) else ON_A_PAGE,
        hint=nearby(plan_of(found), request.user),
    )
    context = {"words": words, "page": page, "found": page.items, "query": " ".join(words)}
    return render_page(request, "shell/search.html", context, partial="shell/_found.html")


@login_required
@require_GET
def palette(request: AppRequest) -> HttpResponse:
    """Offer pages, acts and leads to go to; the dialog asks as one types."""
    text = request.GET.get("q", "")
    context = {"groups": choices_for(request.user, text), "query": text.strip()}
    return render(request, "shell/_palette_choices.html", context)


@login_required
@require_GET
def notifications(request: AppRequest) -> HttpResponse:
    """List what the person was told, newest first; under the bell the last few."""
    mine = Notification.objects.filter(recipient=request.user)
    size = IN_THE_DROPDOWN if wants_partial(request) else ON_A_PAGE
    page = keyset_page(mine, ordering=NEWEST_FIRST, cursor=request.GET.get("cursor"), size=size)
    context = {"page": page, "recent": page.items}
    return render_page(request, "shell/notifications.html", context, partial="shell/_bell.html")


@login_required
@require_POST
def notification_open(request: AppRequest, notification_id: int) -> HttpResponse:
    """Mark one notification as read and go to what it is about."""
    line = get_object_or_404(Notification, pk=notification_id, recipient=request.user)
    news.mark_read(user=request.user, now=timezone.now(), notification_id=line.pk)
    is_ours = url_has_allowed_host_and_scheme(line.url, allowed_hosts=None)
    return redirect(line.url if line.url and is_ours else "shell:notifications")


@login_required
@require_POST
def notifications_read(request: AppRequest) -> HttpResponse:
    """Mark everything as read."""
    news.mark_read(user=request.user, now=timezone.now())
    return redirect("shell:notifications")


@never_cache
@require_GET
def health(request: HttpRequest) -> HttpResponse:
    """Answer machines with one word and 200 or 503; show admins who use a browser everything."""
    state = check_health(now=timezone.now())
    status = 200 if state.is_well else 503
    if state.database and _is_admin_with_browser(request):
        dead = OutboxMessage.objects.needing_a_person().order_by("-created_at", "-id")
        context = {"health": state, "dead_letters": dead[:DEAD_LETTERS]}
        return render(request, "shell/health.html", context, status=status)
    return JsonResponse({"status": "ok" if state.is_well else "failing"}, status=status)


@role_required(Role.ADMIN)
@require_POST
def message_replay(_request: AppRequest, message_id: int) -> HttpResponse:
    """Owe a message again that was given up or may not have arrived."""
    outbox.replay(message_id=message_id, now=timezone.now())
    return redirect("shell:health")


@require_GET
def robots(_request: HttpRequest) -> HttpResponse:
    """Ask crawlers to stay away from all of it."""
    return HttpResponse("User-agent: *\nDisallow: /\n", content_type="text/plain")


@require_GET
def favicon(_request: HttpRequest) -> HttpResponse:
    """Show browsers that ask at the usual address where the icon is."""
    return redirect(static("img/favicon.svg"), permanent=True)


def _is_admin_with_browser(request: HttpRequest) -> bool:
    wants_html = request.get_preferred_type(["application/json", "text/html"]) == "text/html"
    user: Any = request.user
    return wants_html and user.is_authenticated and user.has_role(Role.ADMIN)
