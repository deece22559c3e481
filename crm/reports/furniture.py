"""What reports show on shared pages: links in the side bar, the funnel's figures as a filter."""

from crm.accounts.enums import Role
from crm.common.criteria import fields
from crm.common.slots import NavItem, navigation
from crm.reports.enums import READERS
from crm.reports.scorecard import month_so_far
from crm.reports.slices import FUNNEL_FIELD
from handoff.slots import AgreementNote, agreement_notes

fields.register(FUNNEL_FIELD)

agreement_notes.register(
    AgreementNote(
        name="so far", order=10, template="reports/_agreement_so_far.html", load=month_so_far
    )
)

navigation.register(
    NavItem(
        name="today",
        label="Today",
        url_name="reports:today",
        icon="sun",
        order=6,
        roles=(Role.MANAGER, Role.ADMIN),
        key="g t",
        tab="Today",
    ),
    NavItem(
        name="own",
        label="My numbers",
        url_name="reports:own",
        icon="chart-no-axes-column",
        order=15,
        roles=(Role.REP,),
        key="g n",
        tab="Numbers",
    ),
    NavItem(
        name="funnel",
        label="Funnel",
        url_name="reports:funnel",
        icon="funnel",
        order=300,
        group="Reports",
        roles=READERS,
    ),
    NavItem(
        name="calibration",
        label="Answers and deals",
        url_name="reports:calibration",
        icon="clipboard-check",
        order=310,
        group="Reports",
        roles=READERS,
    ),
    NavItem(
        name="sla",
        label="SLA compliance",
        url_name="reports:sla",
        icon="clock-check",
        order=400,
        key="g s",
        group="Both teams",
        roles=READERS,
    ),
)
