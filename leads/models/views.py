"""Lists that people keep, and the one that each role begins with."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from crm.accounts.enums import Role
from crm.accounts.models import User


class KeptViewQuerySet(models.QuerySet["KeptView"]):
    """Kept views by who may see them."""

    def visible_to(self, user: User) -> KeptViewQuerySet:
        """Return the views of the team, and the private ones of ``user``."""
        return self.filter(Q(owner=user) | Q(is_team=True))


class KeptView(models.Model):
    """A lead list that somebody named: its criteria, order, columns and page size.

    Written by ``leads.services.views`` only. A view of the team is everybody's to open; what it
    lists are the leads that its reader may see. Without ``columns`` it has the usual ones.
    """

    name = models.CharField(max_length=60)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="kept_views"
    )
    is_team = models.BooleanField(default=False)
    tree = models.JSONField(default=dict)
    sort = models.CharField(max_length=60)
    columns = ArrayField(models.CharField(max_length=60), default=list)
    page_size = models.PositiveSmallIntegerField()
    is_board = models.BooleanField(default=False)
    created_at = models.DateTimeField()

    objects = KeptViewQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(name=""), name="kept_view_has_a_name"),
            models.UniqueConstraint(
                fields=["name"], condition=Q(is_team=True), name="kept_view_name_once_in_team"
            ),
            models.UniqueConstraint(
                fields=["owner", "name"],
                condition=Q(is_team=False),
                name="kept_view_name_once_per_owner",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class DefaultView(models.Model):
    """What people of one role see first: a view that ships with Baton, or one of the team."""

    role = models.CharField(max_length=10, choices=Role, primary_key=True)
    shipped = models.CharField(max_length=60, blank=True)
    kept = models.ForeignKey(KeptView, null=True, blank=True, on_delete=models.CASCADE)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(shipped="", kept__isnull=False) | (~Q(shipped="") & Q(kept=None)),
                name="default_view_is_one",
            ),
            models.CheckConstraint(
                condition=Q(role__in=Role.values), name="default_view_role_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.role}: {self.code}"

    @property
    def code(self) -> str:
        """Return what ``view=`` says."""
        return self.shipped or str(self.kept_id)


class PinnedView(models.Model):
    """A view that somebody wants among the first: one that ships with Baton, or a kept one."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    shipped = models.CharField(max_length=60, blank=True)
    kept = models.ForeignKey(KeptView, null=True, blank=True, on_delete=models.CASCADE)
    pinned_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(shipped="", kept__isnull=False) | (~Q(shipped="") & Q(kept=None)),
                name="pinned_view_is_one",
            ),
            models.UniqueConstraint(
                fields=["owner", "shipped", "kept"],
                nulls_distinct=False,
                name="pinned_view_once_per_owner",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.owner_id}: {self.code}"

    @property
    def code(self) -> str:
        """Return what ``view=`` says."""
        return self.shipped or str(self.kept_id)
