"""What may be done to the event log and what feeds it, one file per subject."""

from engagement.services.absorption import BATCH, absorb_events
from engagement.services.acceptance import OfferClosed, accept_offer, offer_url
from engagement.services.actors import NoSuchEvent, decide_actor, withdraw_decision
from engagement.services.assets import (
    PatternTaken,
    SlugTaken,
    create_asset,
    set_archived,
    update_asset,
)
from engagement.services.detaching import (
    LinkIsOtherwise,
    confirm_claim,
    detach_link,
    dismiss_claim,
    restore_link,
)
from engagement.services.downloads import download_url
from engagement.services.event_import import (
    EventImport,
    Line,
    Refusal,
    import_events,
    read_lines,
)
from engagement.services.event_log import record_event, withdraw_consents
from engagement.services.intake import receive
from engagement.services.links import link_visitor
from engagement.services.partitions import ensure_partitions, keep_partitions
from engagement.services.reclassification import Change, reclassify_events
from engagement.services.retention import remove_refused
from engagement.services.sources import (
    SourceNameTaken,
    create_source,
    switch_source,
    update_source,
)
from engagement.services.tracked_links import (
    TargetInvalid,
    link_url,
    make_tracked_link,
    pixel_url,
)

__all__ = [
    "BATCH",
    "Change",
    "EventImport",
    "Line",
    "LinkIsOtherwise",
    "NoSuchEvent",
    "OfferClosed",
    "PatternTaken",
    "Refusal",
    "SlugTaken",
    "SourceNameTaken",
    "TargetInvalid",
    "absorb_events",
    "accept_offer",
    "confirm_claim",
    "create_asset",
    "create_source",
    "decide_actor",
    "detach_link",
    "dismiss_claim",
    "download_url",
    "ensure_partitions",
    "import_events",
    "keep_partitions",
    "link_url",
    "link_visitor",
    "make_tracked_link",
    "offer_url",
    "pixel_url",
    "read_lines",
    "receive",
    "reclassify_events",
    "record_event",
    "remove_refused",
    "restore_link",
    "set_archived",
    "switch_source",
    "update_asset",
    "update_source",
    "withdraw_consents",
    "withdraw_decision",
]
