"""Users, sales teams, invitations."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.crypto import salted_hmac

from crm.accounts.enums import Density, MailWhen, NewsKind, Role, Theme, role_labels


class SalesTeam(models.Model):
    """A group of sales reps who share a pool of handoffs and a time zone."""

    name = models.CharField(max_length=100, unique=True)
    time_zone = models.CharField(max_length=64, default="UTC")

    def __str__(self) -> str:
        return self.name


class UserManager(BaseUserManager["User"]):
    """Creates users; there is no user name, the e-mail address is the login."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        """Create a user with ``email``, normalised to lower case."""
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        """Create an administrator; ``createsuperuser`` asks for it under this name."""
        return self.create_user(email, password, **{"roles": [Role.ADMIN], **fields})

    def get_by_natural_key(self, username: str | None) -> User:
        """Find a user by e-mail whatever its case."""
        return self.get(email=(username or "").strip().lower())

    def reps(self) -> models.QuerySet[User]:
        """Return the people who can hold a handoff today: active, with the role of a rep."""
        return self.filter(is_active=True, roles__contains=[Role.REP])


class User(AbstractBaseUser):
    """One person who logs in. People who leave become inactive; they are never deleted.

    ``mail_of_kinds`` says by ``NewsKind`` where mail comes otherwise than ``mail_when`` says, or
    never. ``only_at_work`` keeps mail and calls of ``webhook_url`` for the person's working hours;
    calls are signed with ``webhook_secret``. ``digested_at`` is up to when they know all from
    digests.

    What the Django admin asks of a person follows from their roles; nothing else grants it.
    """

    email = models.EmailField(max_length=254, unique=True)
    full_name = models.CharField(max_length=150)
    roles = ArrayField(models.CharField(max_length=10, choices=Role), default=list, blank=True)
    sales_team = models.ForeignKey(
        SalesTeam, null=True, blank=True, on_delete=models.PROTECT, related_name="members"
    )
    time_zone = models.CharField(max_length=64, default="UTC")
    theme = models.CharField(max_length=5, choices=Theme, default=Theme.AUTO)
    density = models.CharField(
        max_length=11, choices=Density, default=Density.COMFORTABLE, db_default=Density.COMFORTABLE
    )
    single_key_shortcuts = models.BooleanField(default=True)
    wants_mail = models.BooleanField(default=True)
    mail_when = models.CharField(max_length=7, choices=MailWhen, default=MailWhen.AT_ONCE)
    mail_of_kinds = models.JSONField(default=dict, blank=True)
    only_at_work = models.BooleanField(default=False)
    webhook_url = models.CharField(max_length=500, blank=True)
    webhook_secret = models.CharField(max_length=64, blank=True)
    digested_at = models.DateTimeField(null=True, blank=True)
    is_active = models.BooleanField(default=True)
    times_deactivated = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["full_name"]

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(roles__contained_by=Role.values), name="user_roles_are_known"
            ),
            models.CheckConstraint(condition=Q(email=Lower("email")), name="user_email_is_lower"),
        ]

    def __str__(self) -> str:
        return self.full_name or self.email

    def gets_mail(self, kind: NewsKind, when: MailWhen) -> bool:
        """Say whether notifications of ``kind`` are mailed to the person, and then."""
        chosen: str = self.mail_of_kinds.get(kind.value, self.mail_when)
        return self.wants_mail and chosen == when

    def has_role(self, *roles: Role) -> bool:
        """Say whether the person holds any of ``roles``."""
        return any(role in self.roles for role in roles)

    def _get_session_auth_hash(self, secret: Any = None) -> str:
        """Return what every session of the person must know; Django compares it at each request.

        Besides the password it follows deactivations, so coming back revives no old session.
        """
        spelt = f"{self.password}:{self.times_deactivated}"
        return salted_hmac("accounts.session", spelt, secret=secret, algorithm="sha256").hexdigest()

    @property
    def is_staff(self) -> bool:
        """Say whether the person may enter the Django admin."""
        return self.has_role(Role.ADMIN)

    def has_perm(self, _perm: str, _obj: object = None) -> bool:
        """Say whether the person may do something in the Django admin: all of it or nothing."""
        return self.is_active and self.is_staff

    def has_module_perms(self, _app_label: str) -> bool:
        """Say whether the person sees an app in the Django admin."""
        return self.is_active and self.is_staff

    @property
    def role_labels(self) -> list[str]:
        """Return the names of the roles, in the order of ``Role``."""
        return role_labels(self.roles)

    @property
    def sees_all_leads(self) -> bool:
        """Marketers, managers and admins see every lead; a rep sees what was handed to them."""
        return self.has_role(Role.MARKETER, Role.MANAGER, Role.ADMIN)

    @property
    def initials(self) -> str:
        """Return at most two letters for the avatar."""
        words = self.full_name.split() or [self.email]
        return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper()

    def get_full_name(self) -> str:
        """Return the name to show; Django and allauth ask for it under this name."""
        return self.full_name

    def get_short_name(self) -> str:
        """Return the first word of the name."""
        return self.full_name.split(" ")[0]


class InvitationQuerySet(models.QuerySet["Invitation"]):
    """Invitations by state."""

    def open(self, now: datetime) -> InvitationQuerySet:
        """Return invitations that can still be accepted at ``now``."""
        return self.filter(accepted_at__isnull=True, expires_at__gt=now)


class Invitation(models.Model):
    """A promise of an account, with its roles; the only way in besides ``createsuperuser``.

    Only a digest of the token is stored: whoever reads the table cannot use it. See
    ``accounts.invitations`` for how the token is made.
    """

    email = models.EmailField(max_length=254)
    full_name = models.CharField(max_length=150, blank=True)
    roles = ArrayField(models.CharField(max_length=10, choices=Role), default=list)
    sales_team = models.ForeignKey(SalesTeam, null=True, blank=True, on_delete=models.PROTECT)
    token_digest = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["email"],
                condition=Q(accepted_at__isnull=True),
                name="invitation_one_open_per_address",
            ),
            models.CheckConstraint(
                condition=Q(email=Lower("email")), name="invitation_email_is_lower"
            ),
            models.CheckConstraint(
                condition=Q(roles__contained_by=Role.values), name="invitation_roles_are_known"
            ),
        ]

    def __str__(self) -> str:
        return f"Invitation of {self.email}"

    @property
    def role_labels(self) -> list[str]:
        """Return the names of the promised roles, in the order of ``Role``."""
        return role_labels(self.roles)
