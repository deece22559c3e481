"""What every page gets. Whatever costs a query is computed when a template asks for it."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from crm.accounts.enums import Role
from crm.accounts.models import User
from crm.common.models import Notification
from crm.common.prepared import PreparedQuery
from crm.shell.health import deadlines_are_enforced
from crm.shell.navigation import navigation_of

MOST_UNREAD = 99  # beyond it the exact number changes nothing for the reader
_UNREAD = PreparedQuery(
    lambda reader: (
        Notification.objects.unread().filter(recipient_id=reader).values_list("pk")[:MOST_UNREAD]
    )
)


def shell(request: HttpRequest) -> dict[str, Any]:
    """Return the server's time (pages never trust the browser's clock) and the person's frame."""
    now = timezone.now()
    user = getattr(request, "user", None)  # a request refused at the door has none
    if user is None or not user.is_authenticated:
        return {"now": now}
    return {
        "now": now,
        "theme": user.theme.lower(),
        "user_subtitle": ", ".join(user.role_labels),
        "navigation": SimpleLazyObject(lambda: navigation_of(user, path=request.path, now=now)),
        "unread_count": SimpleLazyObject(lambda: _unread_count(user)),
        "deadlines_stand_still": SimpleLazyObject(
            lambda: user.has_role(Role.MANAGER, Role.ADMIN) and not deadlines_are_enforced(now=now)
        ),
        **_addresses(),
    }


@cache
def _addresses() -> dict[str, str]:
    """Return where the frame leads; a page asks for it once for each panel it has."""
    return {
        "search_url": reverse("shell:search"),
        "palette_url": reverse("shell:palette"),
        "notifications_url": reverse("shell:notifications"),
        "preferences_url": reverse("accounts:preferences"),
        "theme_url": reverse("accounts:theme"),
    }


def _unread_count(user: User) -> int:
    return len(_UNREAD.rows(user.pk))
