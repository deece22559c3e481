"""The door after too many wrong passwords: closed per address typed and place it was typed from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from allauth.core.internal.httpkit import get_client_ip
from axes.models import AccessAttempt
from django.conf import settings
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

#: What axes can keep of an address; no account has one as long as that.
LONGEST_ADDRESS = AccessAttempt._meta.get_field("username").max_length
#: allauth counts by the minute.
PAUSE = timedelta(minutes=1)


def attempted_address(request: HttpRequest, credentials: Mapping[str, Any] | None = None) -> str:
    """Return the e-mail address that was tried, in the one spelling under which failures count.

    The login page, the admin's and the question for the password again each name it differently.
    """
    given = credentials or {}
    typed = given.get("login") or given.get("email") or given.get("username")
    address = str(typed or request.POST.get("login", "")).strip().lower()
    return address[:LONGEST_ADDRESS]


def place_of(request: HttpRequest) -> str | None:
    """Return where a request comes from: axes and allauth count by the same place."""
    place: str | None = get_client_ip(request)
    return place


@contextmanager
def one_attempt_at_a_time(
    request: HttpRequest, credentials: Mapping[str, Any] | None = None
) -> Iterator[None]:
    """Let one password for an address and place be tried and counted before the next is looked at.

    Whoever tries many side by side would otherwise be counted only after all were looked at.
    """
    door = f"login {attempted_address(request, credentials)} {place_of(request)}"
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [door])
        yield


def asked_too_often(request: HttpRequest) -> HttpResponse:
    """Answer 429 with when to try again, where allauth stops a place that asks too often."""
    response = render(request, "429.html", status=429)
    response["Retry-After"] = str(int(PAUSE.total_seconds()))
    return response


def locked_out(
    request: HttpRequest,
    _response: HttpResponse | None = None,
    credentials: Mapping[str, Any] | None = None,
) -> HttpResponse:
    """Answer 429 with when to try again; the same whether or not the account exists."""
    now = timezone.now()
    opens_at = _opens_at(attempted_address(request, credentials), request) or now
    wait = max(opens_at - now, timedelta(seconds=1))
    context = {"opens_at": opens_at, "wait": wait}
    response = render(request, "accounts/locked_out.html", context, status=429)
    response["Retry-After"] = str(int(wait.total_seconds()))
    return response


def _opens_at(address: str, request: HttpRequest) -> datetime | None:
    """Return when the last counted failure is forgotten; None when none is counted any more."""
    place: str | None = request.axes_ip_address  # type: ignore[attr-defined]  # set by axes
    failures = AccessAttempt.objects.filter(username=address, ip_address=place)
    latest: datetime | None = (
        failures.order_by("-attempt_time").values_list("attempt_time", flat=True).first()
    )
    cool_off: timedelta = settings.AXES_COOLOFF_TIME
    return latest + cool_off if latest else None
