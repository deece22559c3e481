"""The way into an empty installation: what to set up, in order, and what of it is done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.urls import reverse

from crm.accounts.enums import Role
from crm.accounts.models import SalesTeam, User
from engagement.models import CaptureForm, Source
from handoff.models import Agreement, RoutingRule, WorkCalendar
from leads.models import Lead
from scoring.models import ScoringModel


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to set up: why, where, by whom, and how to tell that it is done."""

    title: str
    why: str
    url_name: str
    action: str
    icon: str
    roles: Sequence[Role]
    is_done: Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Line:
    """A step as one person sees it; without ``url`` it is for somebody else to do."""

    step: Step
    is_done: bool
    url: str

    @property
    def whose(self) -> str:
        """Return the roles that can do it."""
        return " or ".join(role.label.lower() for role in self.step.roles)


_LEADERS = (Role.MANAGER, Role.ADMIN)
_BUILDERS = (Role.MARKETER, Role.ADMIN)

STEPS = (
    Step("Make a sales team", "Leads are handed to a team; its reps share a pool.",
         "accounts:team_add", "New team", "users-round", (Role.ADMIN,),
         SalesTeam.objects.exists),
    Step("Invite your colleagues", "Marketers, reps and managers get a link by mail.",
         "accounts:invite", "Invite", "user-plus", (Role.ADMIN,),
         lambda: User.objects.filter(is_active=True)[:2].count() > 1),
    Step("Say when you work", "Deadlines count working time only.",
         "handoff:calendar_new", "New calendar", "calendar-clock", _LEADERS,
         lambda: WorkCalendar.objects.current().exists()),
    Step("Say who gets which leads", "Rules decide in order; without one all wait in a pool.",
         "handoff:routing_new", "New rule", "route", _LEADERS,
         RoutingRule.objects.exists),
    Step("Bring in your leads", "From CSV or a workbook, with a dry run first.",
         "leads:imports", "Import a file", "upload", (Role.MARKETER, *_LEADERS),
         Lead.objects.exists),
    Step("Connect your website", "What people read and download becomes their score.",
         "engagement:source_add", "Connect", "radio-tower", _BUILDERS,
         Source.objects.exists),
    Step("Put a form on it", "Who fills it in is a lead at once, with its consent.",
         "engagement:form_create", "New form", "clipboard-list", _BUILDERS,
         CaptureForm.objects.exists),
    Step("Publish a scoring model", "It says who is an MQL, in sentences that you can change.",
         "scoring:model", "Look at it", "sliders-vertical", _BUILDERS,
         lambda: ScoringModel.objects.published().exists()),
    Step("Sign the agreement", "Marketing and sales promise each other what is measured.",
         "handoff:agreement", "Read it", "signature", (Role.MARKETER, *_LEADERS),
         lambda: Agreement.objects.signed().exists()),
)  # fmt: skip


def guide_for(user: User) -> list[Line]:
    """Return the steps, each with what is done and a link where ``user`` may do it."""
    return [
        Line(step, step.is_done(), reverse(step.url_name) if user.has_role(*step.roles) else "")
        for step in STEPS
    ]
