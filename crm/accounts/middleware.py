"""Times are shown in the viewer's zone; an ended session leads back to where people were."""

from collections.abc import Callable
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme


class ViewerTimeZoneMiddleware:
    """Activate the logged-in person's time zone for the request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request with the viewer's zone active, and leave none behind."""
        if not request.user.is_authenticated:
            return self.get_response(request)
        with timezone.override(ZoneInfo(request.user.time_zone)):
            return self.get_response(request)


class WayBackMiddleware:
    """After the login, return to the page that a form was sent from, not to where it was sent.

    Many addresses that take a form show nothing by themselves.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request, and name another way back when it was a form without a session."""
        response = self.get_response(request)
        login = reverse("account_login")
        is_refused = response.status_code == 302 and response["Location"].startswith(f"{login}?")
        if request.method != "POST" or request.path == login or not is_refused:
            return response
        came_from = request.headers.get("Referer", "")
        if not url_has_allowed_host_and_scheme(came_from, allowed_hosts={request.get_host()}):
            return redirect_to_login("/")
        page = urlsplit(came_from)
        return redirect_to_login(f"{page.path}?{page.query}" if page.query else page.path)
