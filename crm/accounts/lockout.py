"""What a person sees after too many failed logins."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def locked_out(request: HttpRequest, *_: Any, **__: Any) -> HttpResponse:
    """Answer 429 with when to try again; the same whether or not the account exists."""
    return render(request, "429.html", status=429)
