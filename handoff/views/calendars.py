"""Working time: the calendars with their years, and the pages that change them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from crm.accounts.access import role_required
from crm.accounts.enums import Role
from crm.accounts.forms import form_status, posted
from crm.common.http import AppRequest, render_page
from crm.common.paging import estimate_count
from handoff import services
from handoff.business_hours import is_open, to_json
from handoff.calendar_forms import CalendarForm, initial_of
from handoff.models import Handoff, WorkCalendar
from handoff.views.answering import row_asked_for
from handoff.year_view import FIRST_YEAR, LABELS, LAST_YEAR, differing, year_of

_CHANGED = (
    "Somebody has changed this calendar since you opened it. What you wrote is below: look at the"
    " version in force first, since saving now takes its place."
)


@dataclass(frozen=True, slots=True)
class CalendarLine:
    """A calendar as its page shows it: the week, and what differs from today on."""

    calendar: WorkCalendar
    zone: str
    week: dict[str, Any]
    holidays: list[tuple[date, str]]
    exceptions: list[tuple[date, Any]]
    closures: list[list[datetime]]
    opens_at: datetime | None
    is_open: bool


@role_required(Role.MANAGER, Role.ADMIN)
@require_GET
def calendars(request: AppRequest) -> HttpResponse:
    """Show the business calendars: whose, when open, which days are off."""
    now = timezone.now()
    found = WorkCalendar.objects.current().select_related("team", "rep")
    ordered = found.order_by("-is_default", "name")
    lines = [_line(calendar, now) for calendar in ordered]
    return render_page(request, "handoff/calendars.html", {"lines": lines})


@role_required(Role.MANAGER, Role.ADMIN)
@require_GET
def calendar(request: AppRequest, calendar_id: int) -> HttpResponse:
    """Show a year of one version of a calendar, day by day, and its versions."""
    now = timezone.now()
    shown = get_object_or_404(WorkCalendar.objects.select_related("team", "rep"), pk=calendar_id)
    year = row_asked_for(request.GET, "year") or now.year
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise Http404
    months = year_of(shown.hours, shown.public_days, year)
    context = {
        "line": _line(shown, now),
        "calendar": shown,
        "year": year,
        "years": [each for each in (year - 1, year + 1) if FIRST_YEAR <= each <= LAST_YEAR],
        "months": months,
        "days": list(differing(months)),
        "legend": LABELS.items(),
        "today": now.astimezone(shown.hours.timezone).date(),
        "pinned": estimate_count(Handoff.objects.filter(calendar=shown)),
        "versions": WorkCalendar.objects.filter(name=shown.name).order_by("-id"),
    }
    return render_page(request, "handoff/calendar.html", context)


@role_required(Role.MANAGER, Role.ADMIN)
@require_http_methods(["GET", "POST"])
def calendar_new(request: AppRequest) -> HttpResponse:
    """Write a calendar that there was not."""
    week = dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), "09:00-17:00")
    zone = timezone.get_current_timezone_name()
    form = CalendarForm(posted(request), initial={**week, "timezone": zone})
    if form.is_valid() and WorkCalendar.objects.current().filter(name=form.cleaned_data["name"]):
        form.add_error("name", "There is a calendar of this name: change that one.")
    return _written(request, form, None)


@role_required(Role.MANAGER, Role.ADMIN)
@require_http_methods(["GET", "POST"])
def calendar_edit(request: AppRequest, calendar_id: int) -> HttpResponse:
    """Write the next version of a calendar; what was handed over keeps its own."""
    opened = get_object_or_404(WorkCalendar, pk=calendar_id)
    current = get_object_or_404(WorkCalendar.objects.current(), name=opened.name)
    form = CalendarForm(posted(request), initial=initial_of(current))
    form.fields["name"].disabled = True
    if current != opened and form.is_bound:
        form.add_error(None, _CHANGED)
    return _written(request, form, current)


@role_required(Role.MANAGER, Role.ADMIN)
@require_POST
def calendar_retire(request: AppRequest, calendar_id: int) -> HttpResponse:
    """Measure nobody by a calendar any more."""
    get_object_or_404(WorkCalendar.objects.current(), pk=calendar_id)
    try:
        retired = services.retire_calendar(calendar_id=calendar_id, now=timezone.now())
    except services.CalendarInvalid as problem:
        messages.warning(request, f"Not retired: {problem.problem}.")
    else:
        messages.success(request, f"{retired} measures nobody from now on.")
    return redirect("handoff:calendars")


def _written(request: AppRequest, form: CalendarForm, found: WorkCalendar | None) -> HttpResponse:
    """Let the service write what a valid form says; else show the form."""
    if form.is_valid():
        try:
            written = services.define_calendar(now=timezone.now(), **form.arguments())
        except services.CalendarInvalid as problem:
            form.refuse(problem)
        else:
            messages.success(request, f"{written} is in force for what is handed over from now on.")
            return redirect("handoff:calendar", written.pk)
    context = {"form": form, "calendar": found}
    return render_page(request, "handoff/calendar_form.html", context, status=form_status(form))


def _line(calendar: WorkCalendar, now: datetime) -> CalendarLine:
    stored = to_json(calendar.hours)
    today = now.astimezone(calendar.hours.timezone).date()
    holidays = ((date.fromisoformat(day), calendar.public_days.get(day, ""))
                for day in stored["holidays"])  # fmt: skip
    exceptions = ((date.fromisoformat(day), hours) for day, hours in stored["exceptions"].items())
    closures = (list(map(datetime.fromisoformat, span)) for span in stored["closures"])
    return CalendarLine(
        calendar=calendar,
        zone=stored["timezone"],
        week=stored["weekly"],
        holidays=[(day, name) for day, name in holidays if day >= today],
        exceptions=[(day, hours) for day, hours in exceptions if day >= today],
        closures=[span for span in closures if span[1].date() >= today],
        opens_at=calendar.opens_at(now),
        is_open=is_open(now, calendar.hours),
    )
