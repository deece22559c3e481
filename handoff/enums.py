"""States, clocks, outcomes and reasons of the handoff to sales."""

from django.db.models import TextChoices


class AgreementState(TextChoices):
    """An agreement is drafted, comes into force when both sides signed, and is superseded."""

    DRAFT = "DRAFT", "Draft"
    IN_FORCE = "IN_FORCE", "In force"
    SUPERSEDED = "SUPERSEDED", "Superseded"


class Side(TextChoices):
    """The two parties to the agreement."""

    MARKETING = "MARKETING", "Marketing"
    SALES = "SALES", "Sales"


class Commitment(TextChoices):
    """What one side promises the other; each has a named owner."""

    VOLUME = "VOLUME", "MQLs a month"
    ACCEPTANCE = "ACCEPTANCE", "Accepted by sales"
    QUALITY = "QUALITY", "Become SQL"
    ON_TIME = "ON_TIME", "First touch in time"
    ATTEMPTS = "ATTEMPTS", "Attempts before giving up"
    VERDICT = "VERDICT", "Verdict in time"
    CONVERSION = "CONVERSION", "SQLs won"


OF_MARKETING = (Commitment.VOLUME, Commitment.ACCEPTANCE, Commitment.QUALITY)


class HandoffState(TextChoices):
    """Where a handoff stands; the last five are closed.

    Withdrawn: somebody moved the lead out of the hands of sales before sales had answered.
    """

    OFFERED = "OFFERED", "Offered"
    ACCEPTED = "ACCEPTED", "Accepted"
    WORKING = "WORKING", "Working"
    REJECTED = "REJECTED", "Rejected"
    QUALIFIED = "QUALIFIED", "Qualified"
    RECYCLED = "RECYCLED", "Recycled"
    DISQUALIFIED = "DISQUALIFIED", "Disqualified"
    WITHDRAWN = "WITHDRAWN", "Withdrawn"


OPEN_STATES = (HandoffState.OFFERED, HandoffState.ACCEPTED, HandoffState.WORKING)


class ClockKind(TextChoices):
    """The three promises of sales, in the order in which they fall due."""

    ACCEPT = "ACCEPT", "Accept"
    FIRST_TOUCH = "FIRST_TOUCH", "Touch"
    VERDICT = "VERDICT", "Qualify"


class Alarm(TextChoices):
    """What the sweep does next for a running clock, in this order."""

    FIRST = "FIRST", "Warn"
    LAST = "LAST", "Warn again"
    BREACH = "BREACH", "Breach"
    ESCALATE = "ESCALATE", "Tell the managers"


class TimesOutTo(TextChoices):
    """Where a handoff goes that its holder left unanswered for too long."""

    NEXT_REP = "NEXT_REP", "The next rep in turn"
    POOL = "POOL", "The pool of the team"


class DecisionKind(TextChoices):
    """What was decided about an open handoff, by a person or by a rule."""

    HANDED = "HANDED", "Handed over"
    REBASED = "REBASED", "Deadlines re-based"
    ENDED = "ENDED", "Handoff withdrawn"


class RouteTo(TextChoices):
    """Who gets the leads of a routing rule."""

    TEAM = "TEAM", "The reps of a team, in turn"
    REP = "REP", "One rep"
    POOL = "POOL", "The pool of a team"


class Approval(TextChoices):
    """How far a manager's decision is."""

    PENDING = "PENDING", "Waits for a manager"
    GRANTED = "GRANTED", "Granted"
    REFUSED = "REFUSED", "Refused"


class ExcuseReason(TextChoices):
    """Why nobody is to blame for a missed deadline."""

    OUTAGE = "OUTAGE", "Phone, mail or Baton was down"
    BUYER_ASKED = "BUYER_ASKED", "The buyer asked to wait"
    WRONG_DATA = "WRONG_DATA", "Contact data was wrong"
    ABSENCE = "ABSENCE", "Absent, and nobody was told"
    LEFT_IN_POOL = "LEFT_IN_POOL", "Left in the pool"
    OTHER = "OTHER", "Something else"


class TouchChannel(TextChoices):
    """How sales reached out."""

    CALL = "CALL", "Call"
    EMAIL = "EMAIL", "E-mail"
    MEETING = "MEETING", "Meeting"


class TouchOutcome(TextChoices):
    """What came of a touch."""

    CONNECTED = "CONNECTED", "Connected"
    NO_ANSWER = "NO_ANSWER", "No answer"
    LEFT_MESSAGE = "LEFT_MESSAGE", "Left message"
    WRONG_NUMBER = "WRONG_NUMBER", "Wrong number"
    SENT = "SENT", "Sent"
    BOOKED = "BOOKED", "Booked"


class RejectionReason(TextChoices):
    """Why sales rejects an MQL."""

    NOT_A_FIT = "NOT_A_FIT", "Not our kind of customer"
    NO_CONTACT_DATA = "NO_CONTACT_DATA", "Cannot be reached"
    DUPLICATE = "DUPLICATE", "Already in work"
    TOO_EARLY = "TOO_EARLY", "Too early"
    COMPETITOR = "COMPETITOR", "Competitor, student or vendor"


class BantAnswer(TextChoices):
    """An answer to one of the four questions."""

    YES = "YES", "Yes"
    NO = "NO", "No"
    UNKNOWN = "UNKNOWN", "Unknown"
    NOT_ASKED = "NOT_ASKED", "Not asked"


class Verdict(TextChoices):
    """What a salesperson decides after BANT."""

    SQL = "SQL", "SQL"
    RECYCLE = "RECYCLE", "Recycle"
    DISQUALIFY = "DISQUALIFY", "Disqualify"


class RecycleReason(TextChoices):
    """Why a lead goes back to nurture."""

    NO_BUDGET = "NO_BUDGET", "No budget now"
    NO_AUTHORITY = "NO_AUTHORITY", "Not the decision maker"
    NO_TIMELINE = "NO_TIMELINE", "No date in sight"
    NO_RESPONSE = "NO_RESPONSE", "No response"
    TOO_EARLY = "TOO_EARLY", "Too early"
    NO_CONTACT_DATA = "NO_CONTACT_DATA", "Contact data missing"


class WakeOn(TextChoices):
    """What wakes a recycled lead."""

    DATE = "DATE", "On that day"
    ACT = "ACT", "As soon as they act, on that day at the latest"


class DisqualifyReason(TextChoices):
    """Why a lead is out."""

    NOT_A_FIT = "NOT_A_FIT", "Not our kind of customer"
    NO_NEED = "NO_NEED", "No need"
    COMPETITOR = "COMPETITOR", "Competitor, student or vendor"
    UNREACHABLE = "UNREACHABLE", "Cannot be reached"
    OPTED_OUT = "OPTED_OUT", "Does not want contact"
    DUPLICATE = "DUPLICATE", "Already in work"
