"""Roles: what a person works on. One person can hold several."""

from django.db.models import TextChoices


class Role(TextChoices):
    """The four desks of Baton."""

    MARKETER = "MARKETER", "Marketer"
    REP = "REP", "Sales rep"
    MANAGER = "MANAGER", "Manager"
    ADMIN = "ADMIN", "Admin"


class Theme(TextChoices):
    """Which colours a person wants to see."""

    AUTO = "AUTO", "As the device"
    LIGHT = "LIGHT", "Light"
    DARK = "DARK", "Dark"
