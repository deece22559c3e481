"""Forms, the versions of them that people saw, and everything that was sent with them."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Count, F, Max, Q

from crm.accounts.models import User
from engagement.enums import EventKind, FormStatus, RefusalReason, SubmissionState
from engagement.models.assets import Asset
from engagement.models.offers import Offer
from engagement.questions import asked, read_questions
from leads.enums import ConsentPurpose
from leads.models import Lead

#: What a form without an offer may record.
FORM_KINDS = (EventKind.FORM_SUBMIT, EventKind.NEWSLETTER_SIGNUP)
#: Pixels of a frame, as measured: of each question, with its help, of the consent, and of all else
#: (title, introduction, button, and a line or two of faults).
_QUESTION, _HELP, _CONSENT, _REST = 88, 22, 70, 300


class FormFace(models.Model):
    """What people see of a form. ``questions`` are read and written by ``engagement.questions``."""

    title = models.CharField(max_length=150)
    intro = models.TextField(blank=True)
    button = models.CharField(max_length=40, default="Send")
    questions = models.JSONField(default=list)
    consent_text = models.TextField(blank=True)
    consent_purpose = models.CharField(
        max_length=9, choices=ConsentPurpose, default=ConsentPurpose.MARKETING
    )
    needs_consent = models.BooleanField(default=False)

    class Meta:
        abstract = True

    @property
    def face(self) -> dict[str, Any]:
        """Return all that people see, to be frozen or compared."""
        return {field.name: getattr(self, field.name) for field in FormFace._meta.fields}

    @property
    def frame_height(self) -> int:
        """Return how many pixels a page gives the form so that nobody has to scroll inside it.

        A frame cannot grow by itself: the pages for strangers run no script.
        """
        questions = asked(read_questions(self.questions))
        helps = sum(bool(each.help) for each in questions)
        consent = _CONSENT if self.consent_text else 0
        return _REST + _QUESTION * len(questions) + _HELP * helps + consent


class CaptureFormQuerySet(models.QuerySet["CaptureForm"]):
    """Forms by what strangers and colleagues find of them."""

    def open_to_strangers(self) -> CaptureFormQuerySet:
        """Return forms that can be sent now."""
        return self.filter(status=FormStatus.PUBLISHED)

    def for_list(self) -> CaptureFormQuerySet:
        """Add what was sent with each: by state, its leads, and when last."""
        return self.select_related("version", "asset", "offer").annotate(
            accepted=Count("submissions", filter=Q(submissions__state=SubmissionState.ACCEPTED)),
            waiting=Count("submissions", filter=Q(submissions__state=SubmissionState.WAITING)),
            refused=Count("submissions", filter=Q(submissions__state=SubmissionState.REFUSED)),
            lead_count=Count("submissions__lead", distinct=True),
            last_sent_at=Max("submissions__received_at"),
        )


class CaptureForm(FormFace):
    """A form that makes leads. Its face is the draft being written; strangers see ``version``.

    The other columns hold at once: what stands behind it (``asset``, ``offer``), what a submission
    is in the log unless it accepts the offer (``event_kind``), whether an address must be confirmed
    first, where pages may embed it.
    ``unkept`` counts refused submissions beyond the most that are kept an hour, the last of them
    at ``unkept_at``. Written by ``engagement.services.forms``.
    """

    name = models.CharField(max_length=100)
    slug = models.SlugField(max_length=60, unique=True)
    asset = models.ForeignKey(
        Asset, null=True, blank=True, on_delete=models.PROTECT, related_name="forms"
    )
    offer = models.ForeignKey(
        Offer, null=True, blank=True, on_delete=models.PROTECT, related_name="forms"
    )
    event_kind = models.CharField(max_length=20, choices=EventKind, default=EventKind.FORM_SUBMIT)
    thank_you = models.TextField(default="Thank you.")
    redirect_url = models.CharField(max_length=500, blank=True)
    mails_link = models.BooleanField(default=False)
    double_opt_in = models.BooleanField(default=False)
    embed_origins = ArrayField(models.CharField(max_length=200), default=list, blank=True)
    status = models.CharField(max_length=9, choices=FormStatus, default=FormStatus.DRAFT)
    version = models.ForeignKey(
        "engagement.FormVersion", null=True, on_delete=models.PROTECT, related_name="+"
    )
    unkept = models.PositiveIntegerField(default=0)
    unkept_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    objects = CaptureFormQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=FormStatus.values), name="form_status_is_known"
            ),
            models.CheckConstraint(
                condition=Q(event_kind__in=EventKind.values), name="form_kind_is_known"
            ),
            models.CheckConstraint(
                condition=~Q(status=FormStatus.PUBLISHED) | Q(version__isnull=False),
                name="form_published_has_a_version",
            ),
            models.CheckConstraint(
                condition=Q(redirect_url="") | Q(redirect_url__regex=r"^https?://"),
                name="form_leads_to_the_web_only",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def gated_file(self) -> Asset | None:
        """Return the asset whose file the sender gets, if it has one."""
        return self.asset if self.asset and hasattr(self.asset, "file") else None

    @property
    def is_published(self) -> bool:
        """Say whether strangers can send it."""
        return self.status == FormStatus.PUBLISHED

    @property
    def next_number(self) -> int:
        """Return the number of the version that publishing makes or keeps."""
        current = self.version.number if self.version else 0
        return current + self.has_changes

    @property
    def has_changes(self) -> bool:
        """Say whether the draft differs from what strangers see."""
        return self.version is None or self.version.face != self.face


class FormVersion(FormFace):
    """A form as people saw it from ``published_at`` on. A trigger refuses any change."""

    form = models.ForeignKey(
        CaptureForm, on_delete=models.PROTECT, related_name="versions", db_index=False
    )
    number = models.PositiveIntegerField()
    published_at = models.DateTimeField()
    published_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["form", "number"], name="form_version_number_once"),
        ]

    def __str__(self) -> str:
        return f"{self.form.name} v{self.number}"


class SubmissionQuerySet(models.QuerySet["Submission"]):
    """Submissions by what became of them."""

    def in_state(self, state: SubmissionState) -> SubmissionQuerySet:
        """Return those that stand so, with what a list shows of them."""
        return self.filter(state=state).select_related("lead", "version", "decided_by")


class Submission(models.Model):
    """One sending of a form; ``nonce`` follows from the page and the answers: twice is one.

    ``answers`` are the declared fields alone, spelled as leads keep them. ``reason`` says why it
    was refused, and stays when it was accepted after all. ``differences`` are answers that
    contradict what was known of the lead, each as [known, said]: known stays. ``sender`` is a keyed
    digest of the network address and ``mailed_at`` when the confirmation was last asked for.

    Personal: ``email``, ``answers``, ``differences``, ``page_url``, ``touch``, ``anonymous_id``;
    ``sender`` is pseudonymous. They serve the request and its proof, and go with the lead.
    Written by ``engagement.services.submissions``.
    """

    form = models.ForeignKey(
        CaptureForm, on_delete=models.PROTECT, related_name="submissions", db_index=False
    )
    version = models.ForeignKey(FormVersion, on_delete=models.PROTECT, related_name="submissions")
    nonce = models.CharField(max_length=32, unique=True)
    state = models.CharField(max_length=8, choices=SubmissionState)
    reason = models.CharField(max_length=10, choices=RefusalReason, blank=True)
    email = models.EmailField(max_length=254)
    answers = models.JSONField()
    has_consent = models.BooleanField()
    differences = models.JSONField(default=dict)
    lead = models.ForeignKey(Lead, null=True, on_delete=models.SET_NULL, related_name="submissions")
    anonymous_id = models.CharField(max_length=200, blank=True)
    page_url = models.CharField(max_length=2000, blank=True)
    touch = models.JSONField(default=dict)
    sender = models.CharField(max_length=64)
    received_at = models.DateTimeField()
    mailed_at = models.DateTimeField(null=True)
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    objects = SubmissionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=SubmissionState.values), name="submission_state_is_known"
            ),
            models.CheckConstraint(
                condition=Q(reason__in=["", *RefusalReason.values]),
                name="submission_reason_is_known",
            ),
            models.CheckConstraint(
                condition=~Q(state=SubmissionState.REFUSED) | ~Q(reason=""),
                name="submission_refused_for_a_reason",
            ),
            models.CheckConstraint(
                condition=~Q(state=SubmissionState.ACCEPTED)
                | Q(decided_at__isnull=False, decided_at__gte=F("received_at")),
                name="submission_accepted_at_a_time",
            ),
        ]
        indexes = [
            models.Index(fields=["form", "state", "-received_at", "-id"], name="submission_newest"),
            models.Index(fields=["sender", "form", "received_at"], name="submission_of_sender"),
            models.Index(fields=["email", "form"], name="submission_of_email"),
        ]

    def __str__(self) -> str:
        return f"Submission {self.pk} of {self.form_id}"
