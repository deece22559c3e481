"""What every page gets."""

from typing import Any

from django.http import HttpRequest
from django.utils import timezone


def shell(request: HttpRequest) -> dict[str, Any]:
    """Return the server's time; pages never trust the browser's clock."""
    return {"now": timezone.now()}
