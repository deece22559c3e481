"""What this app shows on pages of lower floors: columns, panels, timeline, criteria fields."""

from __future__ import annotations

from datetime import datetime

from crm.accounts.enums import Role
from crm.accounts.models import User
from crm.common.criteria import Keeper, fields, keepers
from crm.common.notifications import WorkingHours, working_hours
from crm.common.prepared import PreparedQuery
from crm.common.slots import (
    Column,
    NavItem,
    Panel,
    SavedView,
    TimelineSource,
    lead_columns,
    lead_panels,
    lead_views,
    navigation,
    timeline_sources,
)
from handoff import panels
from handoff.bulk import ASSIGNING
from handoff.criteria import HANDOFF_FIELDS
from handoff.desk import desk_day, has_desk, next_hours
from handoff.history.applying import apply_handoffs
from handoff.history.mapping import parse_handoff_mapping
from handoff.kept_criteria import criteria_in_force
from handoff.models import Agreement, Clock, Handoff, HolderInterval
from handoff.queue import due_today
from handoff.refusals import HANDOFF_REFUSALS
from handoff.sales_load import sales_load
from handoff.services import agreement_gate, waiting_figure
from handoff.services.merging import HANDOFFS
from handoff.timeline import (
    BREACHES,
    DECISIONS,
    TOUCHES,
    VERDICTS,
    breach_entries,
    decision_entries,
    touch_entries,
    verdict_entries,
)
from leads.bulk.acts import bulk_acts
from leads.enums import ImportKind
from leads.importing.kinds import Importer, importers
from leads.merging import followers
from scoring.outcomes import refusal_sources
from scoring.slots import (
    DeskDays,
    PublishingGate,
    SalesLoad,
    desk_days,
    publishing_gates,
    sales_loads,
)

_LEADERS = (Role.MANAGER, Role.ADMIN)


def _open_handoffs(_user: User, _now: datetime) -> str:
    return Handoff.objects.open().figure()


def _in_pool(user: User, _now: datetime) -> str:
    return Handoff.objects.in_pool_of(user).figure()


_VERSION = PreparedQuery(
    lambda now: Agreement.objects.in_force(now).order_by("pk").values_list("version")[:1]
)


def _to_approve(_user: User, _now: datetime) -> str:
    return waiting_figure()


def _agreement_version(_user: User, now: datetime) -> str:
    return "".join(f"v{version}" for (version,) in _VERSION.rows(now))


def _due_today(user: User, now: datetime) -> int:
    return due_today(user, now=now)


fields.register(*HANDOFF_FIELDS)
keepers.register(Keeper("handoff", 20, criteria_in_force))

desk_days.register(DeskDays("default", 10, has_desk, desk_day))
publishing_gates.register(PublishingGate("agreement", 10, agreement_gate))

bulk_acts.register(ASSIGNING)

lead_columns.register(
    Column(
        name="sla",
        label="SLA clock",
        order=50,
        load=panels.sla_badges,
        draw=panels.sla_cell,
        export=lambda badge: f"{badge.clock} {badge.text}",
    ),
    Column(
        name="rejected_for",
        label="Rejected as",
        order=65,
        load=panels.refusals_of,
        draw=panels.refusal_cell,
        align="clip",
        is_default=False,
    ),
)

lead_views.register(
    SavedView(
        "at_risk",
        "At risk today",
        40,
        {"all": [{"field": "sla_state", "op": "in", "value": ["AT_RISK"]}]},
        tone="risk",
        icon="triangle-alert",
    ),
    SavedView(
        "breached",
        "Breached",
        41,
        {"all": [{"field": "sla_state", "op": "in", "value": ["BREACHED"]}]},
        tone="bad",
        icon="octagon-alert",
    ),
    SavedView(
        "rejected",
        "Rejected, needs review",
        70,
        {"all": [
            {"field": "handoff", "op": "in", "value": ["REJECTED"]},
            {"field": "stage", "op": "in", "value": ["RECYCLED", "DISQUALIFIED"]},
        ]},
        roles=(Role.MARKETER, Role.MANAGER, Role.ADMIN),
    ),
)  # fmt: skip

followers.register(HANDOFFS)

lead_panels.register(
    Panel("handoff", 10, "header", panels.lead_handoff, "handoff/_lead_header.html"),
    Panel("bant", 60, "right", panels.lead_handoff, "handoff/_lead_bant.html"),
    Panel("brief", 70, "right", panels.lead_handoff, "handoff/_lead_brief.html"),
)

refusal_sources.register(HANDOFF_REFUSALS)

working_hours.register(WorkingHours("calendars", 10, next_hours))

importers.register(
    Importer(
        name=ImportKind.HANDOFFS,
        order=30,
        parse=parse_handoff_mapping,
        apply=apply_handoffs,
        tables=(Handoff, Clock, HolderInterval),
    )
)

sales_loads.register(SalesLoad("handoff", 10, sales_load))

timeline_sources.register(
    TimelineSource("verdicts", 2, verdict_entries, kinds=("sales",), reads=(VERDICTS,)),
    TimelineSource("touches", 3, touch_entries, kinds=("sales",), reads=(TOUCHES,)),
    TimelineSource("decisions", 4, decision_entries, kinds=("sales",), reads=(DECISIONS,)),
    TimelineSource("breaches", 5, breach_entries, kinds=("sales",), reads=(BREACHES,)),
)

navigation.register(
    NavItem(
        "queue", "My queue", "handoff:queue", "inbox", 5,
        roles=(Role.REP,), badge=_due_today, key="g q", tab="Queue",
    ),
    NavItem(
        "team_queue", "Team queue", "handoff:team", "inbox", 8,
        roles=_LEADERS, badge=_open_handoffs, key="g q", tab="Team",
    ),
    NavItem(
        "pool", "Unassigned pool", "handoff:pool", "layers", 100,
        group="Team", roles=(Role.REP,), badge=_in_pool,
    ),
    NavItem("board", "Team board", "handoff:board", "columns-3", 9, roles=_LEADERS),
    NavItem(
        "to_approve", "To approve", "handoff:to_approve", "message-square-warning", 10,
        roles=_LEADERS, badge=_to_approve,
    ),
    NavItem(
        "missed", "Missed deadlines", "handoff:missed", "octagon-alert", 6, roles=(Role.REP,),
    ),
    NavItem(
        "agreement", "Agreement", "handoff:agreement", "signature", 410,
        group="Both teams", badge=_agreement_version,
    ),
    NavItem(
        "routing", "Routing", "handoff:routing", "route", 790,
        group="Set up", roles=_LEADERS,
    ),
    NavItem(
        "calendars", "Calendars", "handoff:calendars", "calendar-clock", 800,
        group="Set up", roles=_LEADERS,
    ),
)  # fmt: skip
