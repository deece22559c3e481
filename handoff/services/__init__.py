"""Everything that writes handoffs, and what they stand on: agreements, calendars, routing rules.

Whoever acts on one handoff locks its lead, then the handoff, then decides. Openings and withdrawals
run in the change of a stage, which holds the lead. The sweep locks handoffs only, past those that
somebody holds.
"""

from handoff.business_hours import CalendarInvalid
from handoff.evidence import EvidenceRefused
from handoff.services.agreements import SignatureRefused, draft_agreement, sign_agreement
from handoff.services.answers import (
    HandoffNotOffered,
    SnoozeInvalid,
    accept_handoff,
    reject_handoff,
    snooze_handoff,
    take_from_pool,
)
from handoff.services.approvals import (
    DecisionRefused,
    ExcuseRefused,
    ask_excuse,
    decide_excuse,
    decide_touch,
    may_excuse,
    waiting_figure,
)
from handoff.services.calendars import (
    define_calendar,
    read_calendar,
    renew_public_holidays,
    retire_calendar,
)
from handoff.services.definition import (
    agreement_gate,
    draft_for_model,
    enforce_with_model,
)
from handoff.services.drafting import draft_next, revise_draft
from handoff.services.enforcement import BATCH, enforce_deadlines
from handoff.services.holders import CannotHold, check_can_hold
from handoff.services.locking import HandoffClosed, HandoffTaken
from handoff.services.opening import open_handoff, withdraw_handoff
from handoff.services.qualification import BantIncomplete, save_bant, submit_bant
from handoff.services.reassignment import reassign_handoff, reroute_handoffs
from handoff.services.rebasing import RebaseRefused, preview_rebase, rebase_handoffs, to_rebase
from handoff.services.routing_rules import (
    RoutingInvalid,
    add_routing_rule,
    change_rep,
    change_routing_rule,
    move_routing_rule,
    order_routing_rules,
    remove_routing_rule,
)
from handoff.services.terms import AgreementInvalid, TierTerms
from handoff.services.touches import log_touch
from handoff.services.waking import tell_woken

__all__ = [
    "BATCH",
    "AgreementInvalid",
    "BantIncomplete",
    "CalendarInvalid",
    "CannotHold",
    "DecisionRefused",
    "EvidenceRefused",
    "ExcuseRefused",
    "HandoffClosed",
    "HandoffNotOffered",
    "HandoffTaken",
    "RebaseRefused",
    "RoutingInvalid",
    "SignatureRefused",
    "SnoozeInvalid",
    "TierTerms",
    "accept_handoff",
    "add_routing_rule",
    "agreement_gate",
    "ask_excuse",
    "change_rep",
    "change_routing_rule",
    "check_can_hold",
    "decide_excuse",
    "decide_touch",
    "define_calendar",
    "draft_agreement",
    "draft_for_model",
    "draft_next",
    "enforce_deadlines",
    "enforce_with_model",
    "log_touch",
    "may_excuse",
    "move_routing_rule",
    "open_handoff",
    "order_routing_rules",
    "preview_rebase",
    "read_calendar",
    "reassign_handoff",
    "rebase_handoffs",
    "reject_handoff",
    "remove_routing_rule",
    "renew_public_holidays",
    "reroute_handoffs",
    "retire_calendar",
    "revise_draft",
    "save_bant",
    "sign_agreement",
    "snooze_handoff",
    "submit_bant",
    "take_from_pool",
    "tell_woken",
    "to_rebase",
    "waiting_figure",
    "withdraw_handoff",
]
