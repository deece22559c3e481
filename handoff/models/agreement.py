"""The signed, versioned agreement between marketing and sales, and its response tiers."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q

from crm.accounts.enums import Role
from crm.accounts.models import User
from handoff.enums import AgreementState, Commitment, TimesOutTo
from handoff.frameworks import QualificationPolicy, default_document, read_policy
from handoff.policy import Enforcement
from scoring.enums import ModelState
from scoring.models import ScoringModel


class AgreementQuerySet(models.QuerySet["Agreement"]):
    """Agreements by state."""

    def signed(self) -> AgreementQuerySet:
        """Return the agreements that are or were in force."""
        return self.exclude(state=AgreementState.DRAFT)

    def waiting(self) -> AgreementQuerySet:
        """Return the drafts that can still come into force.

        Their model is as it was when they were drafted, and no newer version is in force.
        """
        newer = Agreement.objects.filter(
            state=AgreementState.IN_FORCE, version__gt=OuterRef("version")
        )
        return self.filter(
            ~Exists(newer),
            state=AgreementState.DRAFT,
            model_revision=F("scoring_model__revision"),
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
    ``mqls_per_month`` is marketing's promise, zero is none; so is a ``conversion_goal`` of zero.
    ``revision`` counts the changes of the draft, so that nobody signs what they have not read.
    ``qualification`` is the document of its ``policy``.

    ``first_warning`` and ``last_warning`` are percent of a clock's working time. Managers are told
    of a breach once ``escalate_after`` of working time has passed since the due time. A handoff
    that its holder has left without acceptance or touch goes on to ``times_out_to`` after
    ``reassign_after`` of working time, counted from the due time or from when they got it,
    whichever is later; None: never.
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
    qualification = models.JSONField(default=default_document)
    first_warning = models.PositiveSmallIntegerField(default=50)
    last_warning = models.PositiveSmallIntegerField(default=80)
    escalate_after = models.DurationField(default=timedelta)
    reassign_after = models.DurationField(null=True, blank=True)
    times_out_to = models.CharField(max_length=8, choices=TimesOutTo, default=TimesOutTo.NEXT_REP)
    verdict_goal = models.PositiveSmallIntegerField(default=90)
    conversion_goal = models.PositiveSmallIntegerField(default=0)
    review_on = models.DateField(null=True, blank=True)
    revision = models.PositiveIntegerField(default=1)
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
                condition=Q(
                    acceptance_goal__lte=100,
                    on_time_goal__lte=100,
                    sql_goal__lte=100,
                    verdict_goal__lte=100,
                    conversion_goal__lte=100,
                ),
                name="agreement_goals_are_percent",
            ),
            models.CheckConstraint(
                condition=Q(first_warning__gte=1, last_warning__lt=100)
                & Q(first_warning__lt=F("last_warning")),
                name="agreement_warns_before_due",
            ),
            models.CheckConstraint(
                condition=Q(escalate_after__gte=timedelta(0))
                & (Q(reassign_after__isnull=True) | Q(reassign_after__gte=F("escalate_after"))),
                name="agreement_escalates_before_it_reassigns",
            ),
        ]

    def __str__(self) -> str:
        return f"Agreement v{self.version}"

    @property
    def policy(self) -> QualificationPolicy:
        """Return what is asked after the call, and what makes an SQL."""
        return read_policy(self.qualification)

    @property
    def enforcement(self) -> Enforcement:
        """Return how its deadlines are enforced."""
        return Enforcement(
            first_warning=self.first_warning,
            last_warning=self.last_warning,
            escalate_after=self.escalate_after,
            reassign_after=self.reassign_after,
            times_out_to=TimesOutTo(self.times_out_to),
        )

    @property
    def is_signed(self) -> bool:
        """Return whether both sides signed."""
        return bool(self.signed_by_marketing_id and self.signed_by_sales_id)


class SlaTier(models.Model):
    """The response class of a handoff: the first tier whose criteria fit, by ``position``.

    ``criteria`` is a tree of the criteria language; the targets are working time.
    """

    agreement = models.ForeignKey(
        Agreement, on_delete=models.CASCADE, related_name="tiers", db_index=False
    )
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


class CommitmentOwner(models.Model):
    """Who answers for one promise of an agreement."""

    agreement = models.ForeignKey(
        Agreement, on_delete=models.CASCADE, related_name="owners", db_index=False
    )
    commitment = models.CharField(max_length=10, choices=Commitment)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["agreement", "commitment"], name="commitment_has_one_owner"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_commitment_display()}: {self.owner}"
