"""Leads, their outside names, declared attributes, fact log and notes."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Concat, Lower

from crm.accounts.models import SalesTeam, User
from leads.enums import AttributeType, LifecycleStage
from leads.models.company import Company


def digits_of_phone() -> Func:
    """Return the expression of the digits of a phone number, however it was written."""
    return Func(
        F("phone"), Value(r"\D"), Value(""), Value("g"),
        function="regexp_replace", output_field=models.TextField(),
    )  # fmt: skip


#: Lists never show merged leads; so their indexes hold none, and count without reading a row.
_STANDING = Q(merged_into__isnull=True)


class LeadQuerySet(models.QuerySet["Lead"]):
    """Which leads, and who may see them."""

    def standing(self) -> LeadQuerySet:
        """Return the leads that were not merged into others."""
        return self.filter(_STANDING)

    def visible_to(self, user: User) -> LeadQuerySet:
        """Return the leads ``user`` may see: the one door to them for every page and count."""
        standing = self.standing()
        if user.sees_all_leads:
            return standing
        theirs = Q(owner=user.pk)
        if user.sales_team_id:
            theirs |= Q(owner__isnull=True, team=user.sales_team_id)
        return standing.filter(theirs)


def name_of(lead_id: int, first_name: str, last_name: str, email: str | None) -> str:
    """Return what a person would call a lead: name, else e-mail, else a number."""
    return _both(first_name, last_name) or email or f"Lead {lead_id}"


def _both(first_name: str, last_name: str) -> str:
    return f"{first_name} {last_name}".strip()


class Lead(models.Model):
    """A person whose contact data we have. Written by ``leads.services`` only.

    ``stage``, ``stage_since`` and ``cycle`` repeat the open stage interval for lists;
    ``owner`` and ``team`` repeat the open handoff's holder (``team`` alone is the team's pool);
    a lead without one may have been given to a rep by hand.
    A recycled lead wakes up at ``wake_at``, with ``wakes_on_act`` by its first act if that comes
    earlier; ``woken_at`` is when it did.
    ``created_at`` is when the person was captured, ``imported_at`` when history was brought in.
    ``tags`` are words that people put on it, each a ``Tag``, in the order in which they came.
    ``merged_into`` is the lead that it turned out to be, see ``LeadMerge``; of a chain the last.
    ``has_duplicate`` says that another lead has the same full name and the same company or phone;
    ``mark_duplicates`` writes it soon after.
    """

    email = models.EmailField(max_length=254, null=True, blank=True)  # noqa: DJ001 -- one NULL each
    first_name = models.CharField(max_length=100, blank=True)
    last_name = models.CharField(max_length=100, blank=True)
    phone = models.CharField(max_length=40, blank=True)
    title = models.CharField(max_length=150, blank=True)
    company_name = models.CharField(max_length=200, blank=True)
    company = models.ForeignKey(
        Company, null=True, blank=True, on_delete=models.PROTECT, related_name="leads"
    )
    country = models.CharField(max_length=2, blank=True)
    region = models.CharField(max_length=100, blank=True)
    city = models.CharField(max_length=100, blank=True)
    website = models.CharField(max_length=500, blank=True)
    source = models.CharField(max_length=100, blank=True)
    medium = models.CharField(max_length=100, blank=True)
    campaign = models.CharField(max_length=200, blank=True)
    attributes = models.JSONField(default=dict, blank=True)
    tags = ArrayField(models.CharField(max_length=40), default=list, db_default=[], blank=True)

    stage = models.CharField(max_length=12, choices=LifecycleStage, default=LifecycleStage.LEAD)
    stage_since = models.DateTimeField()
    cycle = models.PositiveSmallIntegerField(default=1)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="leads",
        db_index=False,
    )
    team = models.ForeignKey(
        SalesTeam, null=True, blank=True, on_delete=models.PROTECT, related_name="leads"
    )
    merged_into = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    has_duplicate = models.BooleanField(default=False, db_default=False)
    next_step = models.CharField(max_length=200, blank=True)
    next_step_at = models.DateTimeField(null=True, blank=True)
    wake_at = models.DateTimeField(null=True, blank=True)
    wakes_on_act = models.BooleanField(default=False, db_default=False)
    woken_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()
    imported_at = models.DateTimeField(null=True, blank=True)
    last_activity_at = models.DateTimeField()
    search_text = models.GeneratedField(
        expression=Lower(
            Concat(
                F("first_name"),
                Value(" "),
                F("last_name"),
                Value(" "),
                F("email"),
                Value(" "),
                F("company_name"),
                output_field=models.TextField(),
            )
        ),
        output_field=models.TextField(),
        db_persist=True,
    )

    objects = LeadQuerySet.as_manager()

    class Meta:
        constraints = [
            # Not unique=True, which brings a second index of all addresses that nothing asks.
            models.UniqueConstraint(fields=["email"], name="lead_email_once"),
            models.CheckConstraint(
                condition=Q(stage__in=LifecycleStage.values), name="lead_stage_is_known"
            ),
            models.CheckConstraint(condition=Q(email=Lower("email")), name="lead_email_is_lower"),
            models.CheckConstraint(condition=~Q(email=""), name="lead_email_is_null_not_empty"),
            models.CheckConstraint(condition=Q(cycle__gte=1), name="lead_cycle_from_one"),
            models.CheckConstraint(
                condition=~Q(merged_into=F("id")), name="lead_merged_into_another"
            ),
        ]
        indexes = [
            models.Index(
                fields=["-last_activity_at", "-id"], condition=_STANDING, name="lead_by_activity"
            ),
            models.Index(
                fields=["-created_at", "-id"], condition=_STANDING, name="lead_by_created"
            ),
            models.Index(
                fields=["last_name", "first_name", "id"], condition=_STANDING, name="lead_by_name"
            ),
            models.Index(
                fields=["company_name", "id"], condition=_STANDING, name="lead_by_company"
            ),
            models.Index(
                fields=["last_name", "first_name", "id"],
                condition=_STANDING & Q(has_duplicate=True),
                name="lead_duplicates",
            ),
            models.Index(  # the other order in which they stand together: none is spread evenly
                fields=["company_name", "id"],
                condition=_STANDING & Q(has_duplicate=True),
                name="lead_duplicates_company",
            ),
            models.Index(
                fields=["stage", "-last_activity_at", "-id"],
                condition=_STANDING,
                name="lead_stage_activity",
            ),
            models.Index(
                fields=["stage", "-created_at", "-id"],
                condition=_STANDING,
                name="lead_stage_created",
            ),
            models.Index(
                fields=["source", "-last_activity_at", "-id"],
                condition=_STANDING,
                name="lead_source_activity",
            ),
            models.Index(
                fields=["country", "-last_activity_at", "-id"],
                condition=_STANDING,
                name="lead_country_activ",
            ),
            models.Index(fields=["owner", "-last_activity_at", "-id"], name="lead_owner_activity"),
            models.Index(
                fields=["wake_at"], condition=Q(wake_at__isnull=False), name="lead_waking"
            ),
            models.Index(
                fields=["woken_at"], condition=Q(woken_at__isnull=False), name="lead_woken"
            ),
            GinIndex(fields=["tags"], condition=~Q(tags=[]), name="lead_tagged"),
            GinIndex(OpClass(digits_of_phone(), name="gin_trgm_ops"), name="lead_phone_digits"),
            models.Index(
                fields=["last_activity_at"],
                condition=Q(wakes_on_act=True, last_activity_at__gt=F("stage_since")),
                name="lead_woken_by_act",
            ),
            GinIndex(fields=["search_text"], opclasses=["gin_trgm_ops"], name="lead_search"),
            models.Index(
                fields=["merged_into", "id"],
                condition=Q(merged_into__isnull=False),
                name="lead_merged",
            ),
        ]

    def __str__(self) -> str:
        return self.display_name

    @property
    def full_name(self) -> str:
        """Return first and last name as one."""
        return _both(self.first_name, self.last_name)

    @property
    def display_name(self) -> str:
        """Return what a person would call this lead: name, else e-mail, else a number."""
        return name_of(self.pk, self.first_name, self.last_name, self.email)

    @property
    def standing_id(self) -> int:
        """Return the lead that this one is by now: the survivor of its merges, else itself."""
        return self.merged_into_id or self.pk

    @property
    def initials(self) -> str:
        """Return at most two letters for the avatar."""
        return "".join(word[0] for word in (self.first_name, self.last_name) if word).upper() or "?"


class ExternalId(models.Model):
    """The name of a lead in another system; importing it again finds the same lead."""

    lead = models.ForeignKey(Lead, on_delete=models.CASCADE, related_name="external_ids")
    system = models.CharField(max_length=50)
    external_id = models.CharField(max_length=200)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["system", "external_id"], name="external_id_once"),
        ]

    def __str__(self) -> str:
        return f"{self.system}:{self.external_id}"


class Tag(models.Model):
    """A word that stands on leads, or stood once: what filters and forms offer."""

    name = models.CharField(max_length=40, unique=True)

    def __str__(self) -> str:
        return self.name


class LeadAttribute(models.Model):
    """A declared key of ``Lead.attributes``; undeclared keys are refused by the services.

    ``is_by_sales`` says that sales fills it in once it works on a lead, so that it cannot foretell
    what becomes of it.
    """

    name = models.SlugField(max_length=60, unique=True)
    label = models.CharField(max_length=100)
    type = models.CharField(max_length=8, choices=AttributeType, default=AttributeType.TEXT)
    choices = models.JSONField(default=list, blank=True)
    is_by_sales = models.BooleanField(
        "Filled in by sales",
        default=False,
        db_default=False,
        help_text="Known only once sales works on a lead: no prediction looks at it.",
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(type__in=AttributeType.values), name="lead_attribute_type_is_known"
            ),
        ]

    def __str__(self) -> str:
        return self.label


class LeadFact(models.Model):
    """One attribute of a lead took one value at one time; the log that fit "as of" is read from.

    ``field`` is a column of Lead or ``attributes`` (the whole mapping); ``actor`` is the person who
    wrote it, if one did. As with events the database does not check ``lead``: facts come from
    leads written in the same transaction, several of each, and asking for it again is dear.
    """

    lead = models.ForeignKey(
        Lead, on_delete=models.CASCADE, related_name="facts", db_index=False, db_constraint=False
    )
    field = models.CharField(max_length=60)
    value = models.JSONField(null=True)
    recorded_at = models.DateTimeField()
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )

    class Meta:
        indexes = [
            models.Index(fields=["lead", "field", "-recorded_at", "-id"], name="lead_fact_latest"),
        ]

    def __str__(self) -> str:
        return f"{self.field} of lead {self.lead_id}"


class Note(models.Model):
    """Something a person wrote about a lead."""

    lead = models.ForeignKey(Lead, on_delete=models.CASCADE, related_name="notes", db_index=False)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT)
    text = models.TextField(max_length=5000)
    created_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["lead", "-created_at", "-id"], name="note_newest_first")]

    def __str__(self) -> str:
        return self.text[:50]
