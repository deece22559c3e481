"""What this app shows on the pages of lower floors: timeline, filters, a list column."""

from crm.accounts.enums import Role
from crm.common.criteria import Kind, column_field, fields
from crm.common.slots import (
    Column,
    NavItem,
    Panel,
    TimelineSource,
    lead_columns,
    lead_panels,
    navigation,
    timeline_sources,
)
from engagement.browsers import (
    LINK_CHANGES,
    LINKS,
    browsers_panel,
    link_change_entries,
    link_entries,
)
from engagement.content_access import CONTENT_ROLES
from engagement.criteria import (
    NAMED,
    asset_choices,
    asset_words,
    deed_field,
    event_choices,
    event_words,
    kind_words,
    stage_words,
)
from engagement.enums import EventKind, FunnelStage
from engagement.form_timeline import DIFFERENCES, difference_entries
from engagement.history import act_entries, last_acts, machine_entries
from engagement.services.merging import ACTS
from engagement.silence import silence_of
from engagement.slices import CONTENT_FIELD
from engagement.touches import arrivals_of, arrivals_panel
from leads.merging import followers

DEED_CONTROL = "engagement/_deed_control.html"

followers.register(ACTS)

fields.register(
    deed_field(
        "did", "Act", column="kind", words=kind_words, choices=lambda: EventKind.choices,
        group="Engagement", order=10, hint="DOWNLOAD:2:30d", control=DEED_CONTROL,
    ),
    deed_field(
        "did_event", "Custom event", column="name", words=event_words, choices=event_choices,
        only=NAMED, group="Engagement", order=15, hint="Plan%20opened:2:30d", control=DEED_CONTROL,
    ),
    deed_field(
        "did_asset", "Asset", column="asset__slug", words=asset_words, choices=asset_choices,
        group="Engagement", order=20, hint="pricing:1:14d", control=DEED_CONTROL,
    ),
    deed_field(
        "did_stage", "Funnel stage", column="funnel_stage", words=stage_words,
        choices=lambda: FunnelStage.choices,
        group="Engagement", order=30, hint="BOFU:2:7d", control=DEED_CONTROL,
    ),
    CONTENT_FIELD,
    column_field(
        "last_activity", "Last activity", Kind.DATE, path="last_activity_at",
        group="Engagement", order=40,
    ),
)  # fmt: skip

lead_columns.register(
    Column(
        name="last_act",
        label="Last act",
        order=75,
        load=last_acts,
        template="engagement/_last_act.html",
        is_default=False,
        export=lambda act: act.title,
    ),
    Column(
        name="first_touch",
        label="First touch",
        order=76,
        load=arrivals_of,
        template="engagement/_first_touch.html",
        is_default=False,
        export=lambda arrivals: arrivals.first,
    ),
    Column(
        name="last_touch",
        label="Last touch",
        order=77,
        load=arrivals_of,
        template="engagement/_last_touch.html",
        is_default=False,
        export=lambda arrivals: arrivals.last,
    ),
)

timeline_sources.register(
    TimelineSource("events", 10, act_entries, kinds=("acts",), silence=silence_of),
    TimelineSource("machines", 11, machine_entries, kinds=("machines",)),
    TimelineSource(
        "form_differences", 12, difference_entries, kinds=("acts",), reads=(DIFFERENCES,)
    ),
    TimelineSource(
        "link_changes", 13, link_change_entries, kinds=("acts", "sales"), reads=(LINK_CHANGES,)
    ),
    TimelineSource("links", 14, link_entries, kinds=("acts",), reads=(LINKS,)),
)

navigation.register(
    NavItem(
        name="content",
        label="Content",
        tab="Content",
        url_name="engagement:content",
        icon="library",
        order=200,
        group="Marketing",
        roles=CONTENT_ROLES,
    ),
    NavItem(
        name="tracking",
        label="Tracking",
        url_name="engagement:tracking",
        icon="radio-tower",
        order=260,
        group="Marketing",
        roles=(Role.MARKETER, Role.MANAGER, Role.ADMIN),
    ),
)

lead_panels.register(
    Panel("arrivals", 20, "left", arrivals_panel, "engagement/_where_from.html"),
    Panel("browsers", 60, "left", browsers_panel, "engagement/_browsers.html"),
)
