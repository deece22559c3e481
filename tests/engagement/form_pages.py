"""Filling in hosted forms as a browser without scripts does."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from typing import Any

from django.test import Client
from django.urls import reverse
from django.utils import timezone

from engagement.models import CaptureForm
from engagement.render_token import RenderToken
from tests.engagement.form_making import version_of

_HIDDEN = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)"')


def address_of(form: CaptureForm) -> str:
    return reverse("engagement:hosted_form", args=[form.slug])


def hidden_fields(page: str) -> dict[str, str]:
    """Return the hidden fields of a page."""
    return {name: unescape(value) for name, value in _HIDDEN.findall(page)}


def token_for(form: CaptureForm, *, age: timedelta = timedelta(seconds=20)) -> str:
    """Return the token of a page that was opened a while ago."""
    version = version_of(form)
    return RenderToken.new(version.pk, now=timezone.now() - age).sealed()


def post(form: CaptureForm, client: Client | None = None, query: str = "", **said: Any) -> Any:
    """Send a form whose page was open for a while."""
    fields = {"token": token_for(form), "email": "ines@kesterwald.example", **said}
    return (client or Client()).post(address_of(form) + query, fields)
