"""Roles: what a person works on. One person can hold several."""

from collections.abc import Collection

from django.db.models import TextChoices


class Role(TextChoices):
    """The four desks of Baton."""

    MARKETER = "MARKETER", "Marketer"
    REP = "REP", "Sales rep"
    MANAGER = "MANAGER", "Manager"
    ADMIN = "ADMIN", "Admin"


def role_labels(codes: Collection[str]) -> list[str]:
    """Return the names of the roles in ``codes``, in the order in which they are declared."""
    return [role.label for role in Role if role in codes]


class Theme(TextChoices):
    """Which colours a person wants to see."""

    AUTO = "AUTO", "As the device"
    LIGHT = "LIGHT", "Light"
    DARK = "DARK", "Dark"


class Density(TextChoices):
    """How much room the rows of lists and queues take."""

    COMFORTABLE = "COMFORTABLE", "Comfortable"
    COMPACT = "COMPACT", "Compact, more rows on the screen"


class MailWhen(TextChoices):
    """When a person gets notifications by mail."""

    AT_ONCE = "AT_ONCE", "At once"
    DAILY = "DAILY", "Once a day, together"


class NewsKind(TextChoices):
    """What notifications are about; people choose how each kind reaches them."""

    HANDOFF = "HANDOFF", "Handoffs that come, move or leave"
    DEADLINE = "DEADLINE", "Reminders and breaches"
    DECISION = "DECISION", "Excuses and late evidence"
    OTHER = "OTHER", "Agreement, scoring and all else"


#: How one kind of notification reaches a person by mail; the last leaves it in Baton.
MAIL_OF_KIND = [*MailWhen.choices, ("NEVER", "Never")]
