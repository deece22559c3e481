"""Everything that writes leads. Callers hold nothing; each function locks what it checks."""

from leads.lifecycle import IllegalTransition, ScoreSnapshot
from leads.services.capture import (
    Capture,
    ChangedMeanwhile,
    DuplicateEmail,
    create_lead,
    create_leads,
    update_lead,
)
from leads.services.consent import (
    WithdrawalRefused,
    record_consent,
    unsubscribe,
    withdraw_consent,
)
from leads.services.deals import DealAlreadyRecorded, NothingToClose, close_deal, record_deal
from leads.services.duplicates import mark_duplicates
from leads.services.merging import (
    MergeChanged,
    MergeRefused,
    begin_to_merge,
    consequences,
    family_of,
    merge_leads,
    objections,
    propose,
    share_merges,
    standing_ids,
    survivor_of,
    told,
    undo_merge,
)
from leads.services.owners import give_lead, release_leads
from leads.services.retention import forget_results
from leads.services.stages import OverrideNeedsReason, change_stage, freeze_score
from leads.services.values import LeadInvalid, fitting_values
from leads.services.waking import wake_leads
from leads.services.work import (
    add_note,
    assign_lead,
    lock_leads,
    recall_activity,
    record_activity,
    set_next_step,
)

__all__ = [
    "Capture",
    "ChangedMeanwhile",
    "DealAlreadyRecorded",
    "DuplicateEmail",
    "IllegalTransition",
    "LeadInvalid",
    "MergeChanged",
    "MergeRefused",
    "NothingToClose",
    "OverrideNeedsReason",
    "ScoreSnapshot",
    "WithdrawalRefused",
    "add_note",
    "assign_lead",
    "begin_to_merge",
    "change_stage",
    "close_deal",
    "consequences",
    "create_lead",
    "create_leads",
    "family_of",
    "fitting_values",
    "forget_results",
    "freeze_score",
    "give_lead",
    "lock_leads",
    "mark_duplicates",
    "merge_leads",
    "objections",
    "propose",
    "recall_activity",
    "record_activity",
    "record_consent",
    "record_deal",
    "release_leads",
    "set_next_step",
    "share_merges",
    "standing_ids",
    "survivor_of",
    "told",
    "undo_merge",
    "unsubscribe",
    "update_lead",
    "wake_leads",
    "withdraw_consent",
]
