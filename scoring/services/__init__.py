"""Everything that writes scores and models, and what other apps ask of them."""

from scoring.services.approving import (
    ApprovalRefused,
    approve,
    is_asked,
    may_approve,
    request_approval,
    withdraw_approval,
)
from scoring.services.backtesting import (
    BackTestRefused,
    run_back_tests,
    start_back_test,
    stop_back_test,
)
from scoring.services.drafting import (
    ChangedDraft,
    change_draft,
    create_draft,
    discard_draft,
    problems_of,
    restore,
    start_draft,
)
from scoring.services.explaining import (
    NoModel,
    explain,
    explain_by,
    reason_of_mql,
    why_mql,
)
from scoring.services.fast_track import BuyingAct, buying_act
from scoring.services.gains import gain_rules, gains
from scoring.services.gates import gates_of, is_approved
from scoring.services.heavy import score_next_heavy_lead
from scoring.services.hits import count_rule_hits
from scoring.services.installing import ModelInForce, ensure_model, install_model
from scoring.services.locking import DraftChanged, NotADraft, lock_draft
from scoring.services.marking import mark_due
from scoring.services.measuring import latest_report, measure_quality, request_measuring
from scoring.services.publishing import (
    GateClosed,
    definition_of,
    model_at,
    publish,
    published_model,
    put_in_force,
)
from scoring.services.refresh import BATCH, score_due_leads, score_now
from scoring.services.releasing import BATCH as RELEASE_BATCH
from scoring.services.releasing import (
    NothingToRelease,
    PlanRefused,
    order_wave,
    release_waves,
    running_plan,
    start_plan,
    stop_plan,
    waiting_leads,
)
from scoring.services.renewal import renew_scores, start_renewal
from scoring.services.renewal_progress import renewal_progress
from scoring.services.reviewing import (
    AlreadyReviewed,
    ReasonMissing,
    bring_back,
    close_review,
    confirm_disqualification,
    review_figures,
)
from scoring.services.scheduling import (
    ScheduleRefused,
    publish_due_models,
    schedule,
    unschedule,
)
from scoring.services.snapshots import snapshot_move

__all__ = [
    "BATCH",
    "RELEASE_BATCH",
    "AlreadyReviewed",
    "ApprovalRefused",
    "BackTestRefused",
    "BuyingAct",
    "ChangedDraft",
    "DraftChanged",
    "GateClosed",
    "ModelInForce",
    "NoModel",
    "NotADraft",
    "NothingToRelease",
    "PlanRefused",
    "ReasonMissing",
    "ScheduleRefused",
    "approve",
    "bring_back",
    "buying_act",
    "change_draft",
    "close_review",
    "confirm_disqualification",
    "count_rule_hits",
    "create_draft",
    "definition_of",
    "discard_draft",
    "ensure_model",
    "explain",
    "explain_by",
    "gain_rules",
    "gains",
    "gates_of",
    "install_model",
    "is_approved",
    "is_asked",
    "latest_report",
    "lock_draft",
    "mark_due",
    "may_approve",
    "measure_quality",
    "model_at",
    "order_wave",
    "problems_of",
    "publish",
    "publish_due_models",
    "published_model",
    "put_in_force",
    "reason_of_mql",
    "release_waves",
    "renew_scores",
    "renewal_progress",
    "request_approval",
    "request_measuring",
    "restore",
    "review_figures",
    "run_back_tests",
    "running_plan",
    "schedule",
    "score_due_leads",
    "score_next_heavy_lead",
    "score_now",
    "snapshot_move",
    "start_back_test",
    "start_draft",
    "start_plan",
    "start_renewal",
    "stop_back_test",
    "stop_plan",
    "unschedule",
    "waiting_leads",
    "why_mql",
    "withdraw_approval",
]
