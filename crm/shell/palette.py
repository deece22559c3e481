"""What the palette offers by name: pages, acts and leads that a person may open."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.urls import reverse

from crm.accounts.enums import Role
from crm.accounts.models import User
from crm.common.addresses import page_of
from crm.common.paging import keyset_page
from crm.common.plans import plan_of
from crm.shell.navigation import destinations_of
from leads.hints import nearby
from leads.search import matching, search_words

MOST_RECENT_ACTIVITY_FIRST = ("-last_activity_at", "-id")
#: Who is not among these is found by the search page, which the last choice opens.
MOST_LEADS = 6
LONGEST_QUESTION = 100

_NOT_REPS = (Role.MARKETER, Role.MANAGER, Role.ADMIN)
_LEADERS = (Role.MANAGER, Role.ADMIN)
_BUILDERS = (Role.MARKETER, Role.ADMIN)
_EVERYBODY = tuple(Role)


@dataclass(frozen=True, slots=True)
class Act:
    """Something to begin: the page on which it is begun, and who may."""

    label: str
    url_name: str
    icon: str
    roles: Sequence[Role]


@dataclass(frozen=True, slots=True)
class Choice:
    """One line of the palette."""

    label: str
    url: str
    icon: str
    detail: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class ChoiceGroup:
    """Lines of one kind, under their head."""

    label: str
    choices: Sequence[Choice]


ACTS = (
    Act("New lead", "leads:create", "user-plus", _NOT_REPS),
    Act("Import leads", "leads:imports", "upload", _NOT_REPS),
    Act("New form", "engagement:form_create", "text-cursor-input", _BUILDERS),
    Act("Connect a website or server", "engagement:source_add", "radio-tower", _BUILDERS),
    Act("Disqualified leads to review", "scoring:disqualified", "ban", _NOT_REPS),
    Act("Quality of scores", "scoring:quality", "gauge", _NOT_REPS),
    Act("Refused by sales", "handoff:refused", "undo-2", _NOT_REPS),
    Act("Getting started", "shell:guide", "list-checks", _NOT_REPS),
    Act("New routing rule", "handoff:routing_new", "route", _LEADERS),
    Act("Dry run of routing", "handoff:dry_run", "route", _LEADERS),
    Act("New calendar", "handoff:calendar_new", "calendar-plus", _LEADERS),
    Act("Invite a colleague", "accounts:invite", "user-plus", (Role.ADMIN,)),
    Act("New team", "accounts:team_add", "users-round", (Role.ADMIN,)),
    Act("Notifications", "shell:notifications", "bell", _EVERYBODY),
    Act("Preferences", "accounts:preferences", "settings", _EVERYBODY),
    Act("Change password", "account_change_password", "key-round", _EVERYBODY),
    Act("Second factor", "mfa_index", "shield-check", _EVERYBODY),
)


def choices_for(user: User, text: str) -> list[ChoiceGroup]:
    """Return what ``user`` may open whose name has every word of ``text``; all of it for none."""
    asked = text[:LONGEST_QUESTION].casefold().split()
    groups = [
        ChoiceGroup("Leads", list(_leads(user, text))),
        ChoiceGroup("Pages", [each for each in _pages(user) if _has(each, asked)]),
        ChoiceGroup("Actions", [each for each in _acts(user) if _has(each, asked)]),
    ]
    return [group for group in groups if group.choices]


def _leads(user: User, text: str) -> Iterable[Choice]:
    words = search_words(text)
    if not words:
        return
    found = matching(words, viewer=user)
    page = keyset_page(
        found.only("first_name", "last_name", "email", "company_name", "last_activity_at"),
        ordering=MOST_RECENT_ACTIVITY_FIRST,
        size=MOST_LEADS,
        hint=nearby(plan_of(found), user),
    )
    for lead in page.items:
        yield Choice(str(lead), page_of("leads:detail", lead.pk), "user-round", lead.company_name)


def _pages(user: User) -> Iterable[Choice]:
    for item, address in destinations_of(user):
        yield Choice(item.label, address, item.icon, item.group, item.key)


def _acts(user: User) -> Iterable[Choice]:
    for act in ACTS:
        if user.has_role(*act.roles):
            yield Choice(act.label, reverse(act.url_name), act.icon)


def _has(choice: Choice, words: Iterable[str]) -> bool:
    name = f"{choice.label} {choice.detail}".casefold()
    return all(word in name for word in words)
