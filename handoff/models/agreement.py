"""The signed, versioned agreement between marketing and sales, and its response tiers."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from crm.accounts.enums import Role
from crm.accounts.models import User
from handoff.enums import AgreementState
from scoring.enums import ModelState
from scoring.models import ScoringModel


class AgreementQuerySet(models.QuerySet["Agreement"]):
    """Agreements by state."""

    def signed(self) -> AgreementQuerySet:
        """Return the agreements that are or were in force."""
        return self.exclude(state=AgreementState.DRAFT)

    def waiting(self) -> AgreementQuerySet:
        """Return the drafts that can still be signed: their model is as it was when drafted."""
        return self.filter(
            state=AgreementState.DRAFT, model_revision=F("scoring_model__revision")
        ).exclude(scoring_model__state=ModelState.RETIRED)

    def readable_by(self, user: User) -> AgreementQuerySet:
        """Return versions with their signers: the signed ones, and what waits for who may sign."""
        found = self.signed()
        if user.has_role(Role.MARKETER, Role.MANAGER, Role.ADMIN):
            found |= self.waiting()
        return found.select_related("scoring_model", "signed_by_marketing", "signed_by_sales")

    def in_force(self, now: datetime) -> AgreementQuerySet:
        """Return the agreement that handoffs opened at ``now`` are pinned to."""
        return self.filter(state=AgreementState.IN_FORCE, in_force_from__lte=now)


class Agreement(models.Model):
    """One version of what both teams signed. Handoffs keep the version in force at their opening.

    ``scoring_model`` is the model whose MQL definition was signed, as of ``model_revision``; a
    later model with the same definition may be in force. Percentages are whole numbers of 0-100;
    ``mqls_per_month`` is marketing's promise.
    """

    version = models.PositiveIntegerField(unique=True)
    state = models.CharField(max_length=10, choices=AgreementState, default=AgreementState.DRAFT)
    scoring_model = models.ForeignKey(ScoringModel, on_delete=models.PROTECT)
    model_revision = models.PositiveIntegerField(default=1)
    in_force_from = models.DateTimeField(null=True, blank=True)
    superseded_at = models.DateTimeField(null=True, blank=True)
    signed_by_marketing = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    marketing_signed_at = models.DateTimeField(null=True, blank=True)
    signed_by_sales = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    sales_signed_at = models.DateTimeField(null=True, blank=True)
    mqls_per_month = models.PositiveIntegerField(default=0)
    acceptance_goal = models.PositiveSmallIntegerField(default=85)
    on_time_goal = models.PositiveSmallIntegerField(default=90)
    sql_goal = models.PositiveSmallIntegerField(default=30)
    attempts_owed = models.PositiveSmallIntegerField(default=6)
    bant_yes_needed = models.PositiveSmallIntegerField(default=4)
    created_at = models.DateTimeField()

    objects = AgreementQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["state"],
                condition=Q(state=AgreementState.IN_FORCE),
                name="agreement_one_in_force",
            ),
            models.CheckConstraint(
                condition=~Q(state=AgreementState.IN_FORCE)
                | Q(
                    signed_by_marketing__isnull=False,
                    signed_by_sales__isnull=False,
                    in_force_from__isnull=False,
                ),
                name="agreement_in_force_is_signed",
            ),
            models.CheckConstraint(
                condition=Q(signed_by_marketing__isnull=True)
                | ~Q(signed_by_marketing=F("signed_by_sales")),
                name="agreement_signed_by_two_people",
            ),
            models.CheckConstraint(
                condition=Q(bant_yes_needed__lte=4), name="agreement_bant_up_to_four"
            ),
        ]

    def __str__(self) -> str:
        return f"Agreement v{self.version}"

    @property
    def is_signed(self) -> bool:
        """Return whether both sides signed."""
        return bool(self.signed_by_marketing_id and self.signed_by_sales_id)


class SlaTier(models.Model):
    """The response class of a handoff: the first tier whose criteria fit, by ``position``.

    ``criteria`` is a tree of the criteria language; the targets are working time.
    """

    agreement = models.ForeignKey(Agreement, on_delete=models.CASCADE, related_name="tiers")
    position = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=60)
    criteria = models.JSONField(default=dict, blank=True)
    is_fast_track = models.BooleanField(default=False)
    accept_within = models.DurationField()
    first_touch_within = models.DurationField()
    verdict_within = models.DurationField()

    TARGETS: ClassVar[dict[str, str]] = {
        "ACCEPT": "accept_within",
        "FIRST_TOUCH": "first_touch_within",
        "VERDICT": "verdict_within",
    }

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["agreement", "position"], name="tier_position_once"),
        ]

    def __str__(self) -> str:
        return self.name
