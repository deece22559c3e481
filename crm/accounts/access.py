"""Who may open which page."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponseBase
from django_htmx.middleware import HtmxDetails

from crm.accounts.enums import Role
from crm.accounts.models import User

LOGIN_BACKEND = "crm.common.sessions.LoginBackend"

P = ParamSpec("P")
R = TypeVar("R", bound=HttpRequest)


class AppRequest(HttpRequest):
    """A request behind ``login_required``: the user is a person, and htmx says whether it asked."""

    user: User
    htmx: HtmxDetails


def role_required(
    *roles: Role,
) -> Callable[
    [Callable[Concatenate[R, P], HttpResponseBase]], Callable[Concatenate[R, P], HttpResponseBase]
]:
    """Let in people who hold any of ``roles``; send strangers to the login.

    Everyone else gets the answer for a page that does not exist: "not yours" tells nothing.
    """

    def decorate(
        view: Callable[Concatenate[R, P], HttpResponseBase],
    ) -> Callable[Concatenate[R, P], HttpResponseBase]:
        @login_required
        @wraps(view)
        def checked(request: R, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            person: Any = request.user
            if not person.has_role(*roles):
                raise Http404
            return view(request, *args, **kwargs)

        return checked

    return decorate
