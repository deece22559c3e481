"""The columns and saved views that the lead list has of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from django.utils.safestring import SafeString

from crm.accounts.enums import Role
from crm.accounts.models import User
from crm.common.prepared import PreparedQuery
from crm.common.slots import Column, SavedView
from crm.common.templatetags.ui import avatar, stage
from crm.common.ui import words
from crm.common.ui.markup import markup
from leads.countries import country_name
from leads.enums import ConsentPurpose, LifecycleStage
from leads.merging import MERGE_ROLES
from leads.models import Consent, Lead, StageInterval
from leads.normalise import source_label

_MARKETING = (Role.MARKETER, Role.ADMIN)


def _from_lead(_ids: Sequence[int], _viewer: User, _now: datetime) -> Mapping[int, Any]:
    """Load nothing: the row's lead has it."""
    return {}


_ENTRIES = PreparedQuery(
    lambda leads: (
        StageInterval.objects.filter(lead__among=leads, stage=LifecycleStage.MQL)
        .order_by("lead", "-sequence")
        .distinct("lead")
        .values_list("lead", "started_at")
    )
)
_CONSENTS = PreparedQuery(
    lambda leads: (
        Consent.objects.in_force()
        .filter(lead__among=leads)
        .values_list("lead", "purpose", "is_granted")
    )
)


def _became_mql(ids: Sequence[int], _viewer: User, _now: datetime) -> Mapping[int, datetime]:
    """Return when each lead last became an MQL."""
    return {row[0]: row[1] for row in _ENTRIES.rows(list(ids))}


def _consents(ids: Sequence[int], _viewer: User, _now: datetime) -> Mapping[int, str]:
    """Return the last word of each lead on each purpose: ``Contact, Marketing mail withdrawn``."""
    said: dict[int, list[str]] = {}
    for lead_id, purpose, is_granted in _CONSENTS.rows(list(ids)):
        word = "" if is_granted else " withdrawn"
        said.setdefault(lead_id, []).append(f"{ConsentPurpose(purpose).label}{word}")
    return {lead_id: ", ".join(words_of_lead) for lead_id, words_of_lead in said.items()}


def _mql_day(_lead: Lead, at: datetime | None, now: datetime) -> str:
    return _moment(at, now, words.day) if at else ""


def _consent_cell(_lead: Lead, said: str | None, _now: datetime) -> str:
    return said or ""


@cache
def _drawn_stage(code: str) -> str:
    return stage(code, LifecycleStage(code).label)


def _owner(lead: Lead, _now: datetime) -> str:
    if lead.owner:
        surname = lead.owner.full_name.rpartition(" ")[2]
        return markup(
            '<span class="person" title="{}">{}<span aria-hidden="true">{}</span></span>',
            lead.owner.full_name,
            avatar(lead.owner),
            surname,
        )
    return markup('<span class="sub">Pool, {}</span>', lead.team) if lead.team else ""


def _held_by(lead: Lead) -> str:
    if lead.owner:
        return lead.owner.full_name
    return f"Pool, {lead.team}" if lead.team else ""


def _activity(lead: Lead, now: datetime) -> str:
    return _moment(lead.last_activity_at, now, words.ago)


def _created(lead: Lead, now: datetime) -> str:
    return _moment(lead.created_at, now, words.day)


def _moment(moment: datetime, now: datetime, say: Callable[[datetime, datetime], str]) -> str:
    local = moment.astimezone(now.tzinfo)
    return SafeString(f'<time datetime="{local.isoformat()}">{say(local, now)}</time>')


def _tags(lead: Lead, _now: datetime) -> str:
    drawn = [markup('<span class="tag">{}</span>', tag) for tag in lead.tags]
    return SafeString(" ".join(drawn))


def _next_step(lead: Lead, now: datetime) -> str:
    if lead.next_step_at is None:
        return lead.next_step
    at = words.day(lead.next_step_at.astimezone(now.tzinfo), now)
    return markup('{} <span class="sub">{}</span>', lead.next_step, at)


def _column(
    name: str,
    label: str,
    order: int,
    read: Callable[[Lead], Any],
    *,
    draw: Callable[[Lead, datetime], str] | None = None,
    **options: Any,
) -> Column:
    """Return a column of what the lead holds; without ``draw`` it is shown as it is exported."""
    return Column(
        name, label, order, load=_from_lead, read=read,
        draw=lambda lead, _, now: draw(lead, now) if draw else str(read(lead) or ""), **options,
    )  # fmt: skip


LEAD_COLUMNS = (
    _column(
        "company", "Company", 10, lambda lead: lead.company_name,
        align="card-line clip", sort=("company_name", "id"),
        sort_words=("By company, A to Z", "By company, Z to A"),
    ),
    _column(
        "stage", "Stage", 20, lambda lead: LifecycleStage(lead.stage).label,
        draw=lambda lead, _: _drawn_stage(lead.stage),
    ),
    _column(
        "source", "Source", 60, lambda lead: source_label(lead.source),
        align="only-wide is-short",
    ),
    _column("owner", "Owner", 70, _held_by, draw=_owner, align="only-wide is-short"),
    _column(
        "activity", "Active", 90, lambda lead: lead.last_activity_at, draw=_activity,
        align="num card-when", sort=("-last_activity_at", "-id"),
        sort_words=("Newest activity first", "Oldest activity first"),
    ),
    _column(
        "created", "Created", 100, lambda lead: lead.created_at, draw=_created,
        align="num only-wide", sort=("-created_at", "-id"),
        sort_words=("Newest first", "Oldest first"),
    ),
    _column("title", "Title", 15, lambda lead: lead.title, align="clip", is_default=False),
    _column("email", "E-mail", 16, lambda lead: lead.email, align="clip", is_default=False),
    _column(
        "phone", "Phone", 17, lambda lead: lead.phone,
        draw=lambda lead, _: words.phone(lead.phone), is_default=False,
    ),
    _column("cycle", "Cycle", 21, lambda lead: lead.cycle, align="num", is_default=False),
    _column(
        "stage_days", "Days in stage", 22, lambda lead: lead.stage_since,
        draw=lambda lead, now: str((now - lead.stage_since).days), align="num", is_default=False,
    ),
    Column(
        "mql_at", "MQL on", 23, load=_became_mql, draw=_mql_day, align="num", is_default=False,
        export=lambda at: at,
    ),
    Column(
        "consent", "Consent", 64, load=_consents, draw=_consent_cell, align="clip",
        is_default=False,
    ),
    _column(
        "country", "Country", 61, lambda lead: country_name(lead.country), align="is-short",
        is_default=False,
    ),
    _column("city", "City", 62, lambda lead: lead.city, align="is-short", is_default=False),
    _column("campaign", "Campaign", 63, lambda lead: lead.campaign, align="clip", is_default=False),
    _column(
        "tags", "Tags", 72, lambda lead: ", ".join(lead.tags), draw=_tags, align="clip",
        is_default=False,
    ),
    _column(
        "next_step", "Next step", 71, lambda lead: lead.next_step, draw=_next_step, align="clip",
        is_default=False,
    ),
)  # fmt: skip

LEAD_VIEWS = (
    SavedView("all", "All leads", 5, {}),
    SavedView(
        "new",
        "New this week",
        10,
        {"all": [{"field": "created", "op": "since", "value": "week"}]},
        roles=_MARKETING,
    ),
    SavedView(
        "waiting",
        "Waiting for acceptance",
        30,
        {"all": [{"field": "stage", "op": "in", "value": ["MQL"]}]},
    ),
    SavedView(
        "waking",
        "Recycled, waking",
        60,
        {
            "all": [
                {"field": "stage", "op": "in", "value": ["RECYCLED"]},
                {"field": "wake_at", "op": "coming", "value": "7d"},
            ]
        },
        roles=_MARKETING,
    ),
    SavedView(
        "woken",
        "Woke up",
        61,
        {
            "all": [
                {"field": "stage", "op": "in", "value": ["RECYCLED"]},
                {"field": "woken_at", "op": "is_set"},
            ]
        },
        roles=_MARKETING,
    ),
    SavedView(
        "no_source",
        "No source",
        90,
        {"all": [{"field": "source", "op": "is_empty"}]},
        roles=_MARKETING,
    ),
    SavedView(  # by name, so that those of one name stand together
        "duplicates",
        "Possible duplicates",
        95,
        {"all": [{"field": "duplicates", "op": "is", "value": "yes"}]},
        sort="name",
        roles=MERGE_ROLES,
    ),
)
