"""A form that arrives twice does its work once: a double click, a retry, a page loaded again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Model

from crm.accounts.access import AppRequest
from crm.common.models import SentForm

TOKEN = "form_token"  # noqa: S105 -- the name of a field
KEPT = timedelta(days=1)  # our choice: longer than anybody waits before trying again


def act_once(service: Callable[..., Model], key: str, /, *, now: datetime, **arguments: Any) -> int:
    """Call ``service`` and return the id of what it made; for a key used before, the id of then.

    Key and work are one transaction. Of two at once the later waits for the end of the earlier; a
    service that raises has used up nothing.

    Args:
        service: takes ``now`` and ``arguments``; returns the row that it made.
        key: names the sending, see ``form_key``; empty for one that does its work every time.
        now: time of the sending.
        arguments: what else the service is given.
    """
    if not key:
        made: int = service(now=now, **arguments).pk
        return made
    with transaction.atomic():
        sent, is_first = SentForm.objects.get_or_create(key=key, defaults={"sent_at": now})
        if is_first:
            sent.made_id = service(now=now, **arguments).pk
            sent.save(update_fields=["made_id"])
    return sent.made_id


def form_key(request: AppRequest) -> str:
    """Return what the same form sent again has in common with this one; empty without a token.

    The token comes with the form (``{% form_token %}``) or as the header ``Idempotency-Key``.
    Whoever goes back and changes an answer sends something else, so answers belong to the key.
    """
    token = request.POST.get(TOKEN) or request.headers.get("Idempotency-Key")
    if not token:
        return ""
    answers = {name: said for name, said in request.POST.lists() if name != "csrfmiddlewaretoken"}
    spelt = json.dumps([request.user.pk, request.path, token, answers], sort_keys=True)
    return hashlib.sha256(spelt.encode()).hexdigest()


def remove_old_forms(*, now: datetime) -> int:
    """Forget forms that were sent longer ago than ``KEPT``; return how many."""
    removed, _ = SentForm.objects.filter(sent_at__lt=now - KEPT).delete()
    return removed
