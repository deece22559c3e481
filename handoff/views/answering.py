"""How actions on a handoff find it, ask for more, and answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps

from django.contrib import messages
from django.forms import Form
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import add_never_cache_headers

from crm.accounts.enums import Role
from crm.common.http import AppRequest, render_page, wants_partial, way_back
from handoff import services
from handoff.definition import mql_cells
from handoff.models import Handoff
from handoff.queue import load_queue

#: Why an act is not for this person, or not any more: said in words, nothing was changed.
OVERTAKEN = (
    services.CannotHold,
    services.HandoffTaken,
    services.HandoffClosed,
    services.HandoffNotOffered,
)


@dataclass(frozen=True, slots=True)
class Act:
    """One kind of action that asks for more than a click: heading, button, icon."""

    title: str
    button: str
    icon: str


def acts_on_handoff(
    view: Callable[[AppRequest, Handoff], HttpResponse],
) -> Callable[[AppRequest, int], HttpResponse]:
    """Give ``view`` an open handoff on which the person may act, read anew whenever it is shown.

    One that is answered leads back with a word on how; any other does not exist for the person.
    """

    @wraps(view)
    def act(request: AppRequest, handoff_id: int) -> HttpResponse:
        visible = Handoff.objects.visible_to(request.user).for_display()
        handoff = get_object_or_404(visible, pk=handoff_id)
        if handoff.is_workable_by(request.user):
            response = view(request, handoff)
            add_never_cache_headers(response)
            return response
        if handoff.is_open:
            raise Http404
        ended = handoff.get_state_display().lower()
        messages.info(request, f"{handoff.lead.display_name} is answered already: {ended}.")
        return after_answer(request, handoff)

    return act


def row_asked_for(parameters: QueryDict, name: str) -> int | None:
    """Return the id of a row from the address or a form; anything else is no row."""
    text = parameters.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else None


def queue_page(
    request: AppRequest, *, opened: int | None = None, answered: int | None = None
) -> HttpResponse:
    """Answer with the queue as it is now."""
    queue = load_queue(request.user, now=timezone.now(), opened=opened, answered=answered)
    context = {
        "queue": queue,
        "now": queue.now,
        "zone": timezone.get_current_timezone_name().rpartition("/")[2].replace("_", " "),
        "definition": mql_cells(),
        "is_answer": request.method == "POST",
    }
    return render_page(request, "handoff/queue.html", context, partial="handoff/_queue_answer.html")


@contextmanager
def told(request: AppRequest, done: str) -> Iterator[None]:
    """Say what was ``done`` by the act within, or in words why it came too late."""
    try:
        yield
    except OVERTAKEN as problem:
        messages.warning(request, str(problem))
    else:
        messages.success(request, done)


def act_page(request: AppRequest, handoff: Handoff, form: Form, act: Act) -> HttpResponse:
    """Ask for what an action needs: in the row for htmx, on a page of its own otherwise."""
    context = {
        "handoff": handoff,
        "form": form,
        "act": act,
        "action": request.path,
        "back": way_back(request),
        "is_in_row": wants_partial(request),
    }
    status = 422 if form.is_bound else 200
    return render_page(
        request, "handoff/act.html", context, partial="handoff/_act.html", status=status
    )


def after_answer(request: AppRequest, handoff: Handoff, *, stays: bool = False) -> HttpResponse:
    """Answer an action: the queue for htmx, the way back to where it came from otherwise.

    The queue keeps a handoff open that ``stays`` to be worked on; else it goes on to the next.
    """
    shown = {"opened" if stays else "answered": handoff.pk}
    if wants_partial(request):
        response = queue_page(request, **shown)
        response["HX-Retarget"] = "#queue"
        response["HX-Reswap"] = "outerHTML"
        return response
    if back := way_back(request):
        return redirect(back)
    if not request.user.has_role(Role.REP):
        return redirect(handoff)
    place = f"?open={handoff.pk}#handoff-{handoff.pk}" if stays else f"?answered={handoff.pk}"
    return redirect(f"{reverse('handoff:queue')}{place}")
