"""What they did, and where it came from."""

from engagement.models.assets import Asset, AssetFile, AssetPattern
from engagement.models.attendance import AttendanceRow, AttendanceUpload
from engagement.models.events import Event, EventKey
from engagement.models.forms import CaptureForm, FormVersion, Submission
from engagement.models.intake import LANES, InboxMessage, RefusalCount, Source
from engagement.models.link_changes import LinkChange
from engagement.models.links import TrackedLink
from engagement.models.machines import ActorChange, ActorDecision, Agent
from engagement.models.offers import Offer
from engagement.models.visitors import Visitor, VisitorLink
from engagement.models.webinars import Webinar

__all__ = [
    "LANES",
    "ActorChange",
    "ActorDecision",
    "Agent",
    "Asset",
    "AssetFile",
    "AssetPattern",
    "AttendanceRow",
    "AttendanceUpload",
    "CaptureForm",
    "Event",
    "EventKey",
    "FormVersion",
    "InboxMessage",
    "LinkChange",
    "Offer",
    "RefusalCount",
    "Source",
    "Submission",
    "TrackedLink",
    "Visitor",
    "VisitorLink",
    "Webinar",
]
