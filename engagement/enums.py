"""Kinds of events and assets, and who caused an event."""

from django.db.models import TextChoices

#: The names under which Baton itself records: what it sees, forms, and who came to webinars.
OWN_SOURCE = "baton"
FORM_SOURCE = "form"
WEBINAR_SOURCE = "webinars"
#: No key can be had for these: whoever had it could take the ids of our messages first.
RESERVED_SOURCES = (OWN_SOURCE, FORM_SOURCE, WEBINAR_SOURCE)


class EventKind(TextChoices):
    """What happened, as scoring and the timeline tell events apart."""

    PAGE_VIEW = "PAGE_VIEW", "Viewed a page"
    DOWNLOAD = "DOWNLOAD", "Downloaded"
    FORM_SUBMIT = "FORM_SUBMIT", "Submitted a form"
    NEWSLETTER_SIGNUP = "NEWSLETTER_SIGNUP", "Signed up for the newsletter"
    WEBINAR_REGISTERED = "WEBINAR_REGISTERED", "Registered for a webinar"
    WEBINAR_ATTENDED = "WEBINAR_ATTENDED", "Attended a webinar"
    WEBINAR_NO_SHOW = "WEBINAR_NO_SHOW", "Missed a webinar"
    EMAIL_OPEN = "EMAIL_OPEN", "Opened an e-mail"
    EMAIL_CLICK = "EMAIL_CLICK", "Clicked in an e-mail"
    UNSUBSCRIBE = "UNSUBSCRIBE", "Unsubscribed"
    DEMO_REQUEST = "DEMO_REQUEST", "Asked for a demo"
    TRIAL_START = "TRIAL_START", "Started a trial"
    CONSULTATION_REQUEST = "CONSULTATION_REQUEST", "Asked for a consultation"
    PRICING_REQUEST = "PRICING_REQUEST", "Asked for a price"
    PROMOTION_ACCEPTED = "PROMOTION_ACCEPTED", "Accepted a promotion"
    PAGE_READ = "PAGE_READ", "Read a page"
    LINK_CLICK = "LINK_CLICK", "Followed a link to another site"
    IDENTIFY = "IDENTIFY", "Identified"
    CUSTOM = "CUSTOM", "Custom event"


class Actor(TextChoices):
    """Who caused an event. Only human events score."""

    HUMAN = "HUMAN", "Human"
    MACHINE = "MACHINE", "Machine"
    UNKNOWN = "UNKNOWN", "Unknown"


class ActorRule(TextChoices):
    """By what an event is held for a machine's, or for nobody's in particular.

    The reason of an event is the label, sometimes with a colon and a detail behind it.
    """

    ROBOT = "ROBOT", "Known robot"
    AHEAD = "AHEAD", "Loaded ahead by the browser"
    NETWORK = "NETWORK", "Sent from a hosting network"
    HEAD_ONLY = "HEAD_ONLY", "Only asked where a link leads"
    HEAD_FIRST = "HEAD_FIRST", "Asked where the link leads before following it"
    ALL_LINKS = "ALL_LINKS", "Followed all links of a mail within seconds"
    HIDDEN_LINK = "HIDDEN_LINK", "Followed a link that people cannot see"
    MARKED = "MARKED", "Marked as a machine by"
    UNSAID = "UNSAID", "The browser does not say what it is"
    MAIL_PROXY = "MAIL_PROXY", "Loaded by the mail provider"


class ClockFault(TextChoices):
    """Why the time that a client told was not believed."""

    FUTURE = "FUTURE", "Ahead of the server"
    ABSURD = "ABSURD", "Not a credible time"


class SourceKind(TextChoices):
    """Who holds the key of a source: every visitor of a website, or servers only."""

    WEBSITE = "WEBSITE", "Website"
    SERVER = "SERVER", "Server"


class LinkReason(TextChoices):
    """Why a visitor is taken for a lead."""

    IDENTIFY = "IDENTIFY", "Identified by the site"
    SERVER = "SERVER", "Identified by a server"
    FORM = "FORM", "Sent a form"
    EMAIL_CLICK = "EMAIL_CLICK", "Clicked in an e-mail"
    OFFER_LINK = "OFFER_LINK", "Accepted an offer"
    PERSON = "PERSON", "Confirmed by a colleague"


class LinkAct(TextChoices):
    """What happened to an identification after it was made."""

    PROVEN = "PROVEN", "Proven"
    DETACHED = "DETACHED", "Detached"
    RESTORED = "RESTORED", "Restored"


class FunnelStage(TextChoices):
    """How close to a purchase an asset speaks."""

    TOFU = "TOFU", "Top of funnel"
    MOFU = "MOFU", "Middle of funnel"
    BOFU = "BOFU", "Bottom of funnel"


class AssetKind(TextChoices):
    """What an asset is."""

    BLOG = "BLOG", "Blog post"
    GUIDE = "GUIDE", "Guide"
    EBOOK = "EBOOK", "E-book"
    CHECKLIST = "CHECKLIST", "Checklist"
    NEWSLETTER = "NEWSLETTER", "Newsletter"
    WEBINAR = "WEBINAR", "Webinar"
    TOOL = "TOOL", "Tool"
    CASE_STUDY = "CASE_STUDY", "Case study"
    COMPARISON = "COMPARISON", "Comparison"
    PRICING = "PRICING", "Pricing page"
    PAGE = "PAGE", "Page"


class FormStatus(TextChoices):
    """Whether strangers can see and send a form."""

    DRAFT = "DRAFT", "Draft"
    PUBLISHED = "PUBLISHED", "Published"
    ARCHIVED = "ARCHIVED", "Archived"


class SubmissionState(TextChoices):
    """What became of what somebody sent."""

    ACCEPTED = "ACCEPTED", "Accepted"
    WAITING = "WAITING", "Waiting for confirmation"
    REFUSED = "REFUSED", "Refused"


class RefusalReason(TextChoices):
    """Why a submission is taken for a machine's; nobody is told but colleagues."""

    TRAP = "TRAP", "Filled in a field that people cannot see"
    TOO_FAST = "TOO_FAST", "Sent within two seconds"
    TOO_MANY = "TOO_MANY", "Too many from one address"


class OfferKind(TextChoices):
    """What an offer is, and with that what accepting it is."""

    DEMO = "DEMO", "Demo"
    CONSULTATION = "CONSULTATION", "Consultation"
    TRIAL = "TRIAL", "Trial"
    PROMOTION = "PROMOTION", "Promotion"

    @property
    def event_kind(self) -> EventKind:
        """Return the event that accepting an offer of this kind is."""
        return {
            OfferKind.DEMO: EventKind.DEMO_REQUEST,
            OfferKind.CONSULTATION: EventKind.CONSULTATION_REQUEST,
            OfferKind.TRIAL: EventKind.TRIAL_START,
            OfferKind.PROMOTION: EventKind.PROMOTION_ACCEPTED,
        }[self]

    @property
    def call_to_action(self) -> str:
        """Return what stands on the button that accepts an offer of this kind."""
        return {
            OfferKind.DEMO: "Book my demo",
            OfferKind.CONSULTATION: "Book my consultation",
            OfferKind.TRIAL: "Start my trial",
            OfferKind.PROMOTION: "Accept the offer",
        }[self]


class AttendanceStatus(TextChoices):
    """What a list says of somebody and a webinar."""

    REGISTERED = "REGISTERED", "Registered"
    ATTENDED = "ATTENDED", "Attended"
    NO_SHOW = "NO_SHOW", "No-show"

    @property
    def event_kind(self) -> EventKind:
        """Return the event that it is."""
        return EventKind(f"WEBINAR_{self.value}")


class UploadState(TextChoices):
    """How far an uploaded list is."""

    CHECKED = "CHECKED", "Checked, nothing recorded"
    QUEUED = "QUEUED", "Being recorded"
    RECORDED = "RECORDED", "Recorded"
    FAILED = "FAILED", "Failed"


class AttendanceResult(TextChoices):
    """What becomes of a line of such a list, or became of it."""

    READY = "READY", "To be recorded"
    NEW_LEAD = "NEW_LEAD", "To be recorded, as a new lead"
    DONE = "DONE", "Recorded"
    CAPTURED = "CAPTURED", "Recorded, as a new lead"
    KNOWN = "KNOWN", "Recorded before"
    UNKNOWN = "UNKNOWN", "Nobody we know"
    REFUSED = "REFUSED", "Refused"
