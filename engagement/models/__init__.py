"""What they did, and where it came from."""

from engagement.models.assets import Asset
from engagement.models.events import Event, EventKey
from engagement.models.forms import CaptureForm, FormVersion, Submission
from engagement.models.intake import InboxMessage, Source
from engagement.models.link_changes import LinkChange
from engagement.models.links import TrackedLink
from engagement.models.machines import ActorDecision, Agent
from engagement.models.visitors import Visitor, VisitorLink

__all__ = [
    "ActorDecision",
    "Agent",
    "Asset",
    "CaptureForm",
    "Event",
    "EventKey",
    "FormVersion",
    "InboxMessage",
    "LinkChange",
    "Source",
    "Submission",
    "TrackedLink",
    "Visitor",
    "VisitorLink",
]
