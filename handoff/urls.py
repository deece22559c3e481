"""Addresses of this app."""

from django.urls import path

from handoff.views import (
    agreement,
    agreement_draft,
    answers,
    approvals,
    bant,
    calendars,
    handoffs,
    qualification,
    queue,
    rebasing,
    routing,
    team,
)

app_name = "handoff"

urlpatterns = [
    path("queue/", queue.queue, name="queue"),
    path("queue/take/", queue.take, name="take"),
    path("queue/team/", team.team, name="team"),
    path("queue/board/", team.board, name="board"),
    path("queue/pool/", team.pool, name="pool"),
    path("queue/refused/", team.refused, name="refused"),
    path("queue/missed/", approvals.missed, name="missed"),
    path("approvals/", approvals.to_approve, name="to_approve"),
    path("approvals/excuses/<int:excuse_id>/", approvals.decide_excuse, name="decide_excuse"),
    path("approvals/touches/<int:touch_id>/", approvals.decide_touch, name="decide_touch"),
    path("clocks/<int:clock_id>/excuse/", approvals.excuse, name="excuse"),
    path("agreement/", agreement.agreement, name="agreement"),
    path("agreement/rebase/", rebasing.rebase, name="rebase"),
    path("agreement/next/", agreement_draft.draft_next, name="agreement_next"),
    path("agreement/<int:version>/edit/", agreement_draft.edit, name="agreement_edit"),
    path(
        "agreement/<int:version>/qualification/",
        qualification.qualification,
        name="agreement_qualification",
    ),
    path("agreement/<int:version>/tiers/new/", agreement_draft.tier, name="agreement_tier_new"),
    path(
        "agreement/<int:version>/tiers/<int:position>/", agreement_draft.tier, name="agreement_tier"
    ),
    path(
        "agreement/<int:version>/tiers/<int:position>/<str:way>/",
        agreement_draft.tier_move,
        name="agreement_tier_move",
    ),
    path("agreement/draft/<int:model_id>/", agreement.draft, name="draft_agreement"),
    path("agreement/<int:version>/sign/", agreement.sign, name="sign_agreement"),
    path("calendars/", calendars.calendars, name="calendars"),
    path("calendars/new/", calendars.calendar_new, name="calendar_new"),
    path("calendars/<int:calendar_id>/", calendars.calendar, name="calendar"),
    path("calendars/<int:calendar_id>/edit/", calendars.calendar_edit, name="calendar_edit"),
    path("calendars/<int:calendar_id>/retire/", calendars.calendar_retire, name="calendar_retire"),
    path("routing/", routing.routing, name="routing"),
    path("routing/new/", routing.rule, name="routing_new"),
    path("routing/dry-run/", routing.dry_run_page, name="dry_run"),
    path("routing/reps/<int:user_id>/", routing.rep, name="rep"),
    path("routing/<int:rule_id>/", routing.rule, name="routing_rule"),
    path("routing/<int:rule_id>/<str:way>/", routing.rule_move, name="routing_move"),
    path("handoffs/<int:handoff_id>/", handoffs.handoff, name="handoff"),
    path("handoffs/<int:handoff_id>/accept/", answers.accept, name="accept"),
    path("handoffs/<int:handoff_id>/reject/", answers.reject, name="reject"),
    path("handoffs/<int:handoff_id>/touch/", answers.log, name="log"),
    path("handoffs/<int:handoff_id>/snooze/", answers.snooze, name="snooze"),
    path("handoffs/<int:handoff_id>/reassign/", answers.reassign, name="reassign"),
    path("handoffs/<int:handoff_id>/bant/", bant.bant, name="bant"),
    path("handoffs/<int:handoff_id>/bant/save/", bant.bant_save, name="bant_save"),
]
