from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from crm.accounts.enums import Role
from leads.enums import LifecycleStage
from leads.models import Lead, StageInterval
from leads.services import change_stage
from scoring.definition import parse_definition
from scoring.enums import ReviewVerdict
from scoring.models import DisqualificationReview
from scoring.services import (
    AlreadyReviewed,
    ReasonMissing,
    bring_back,
    confirm_disqualification,
    mark_due,
    review_figures,
)
from scoring.services.reviewing import ReviewFigure, draw_for_review, draw_of
from tests.factories import NOW, client_of, make_lead, make_user
from tests.scoring.logs import document, log_act, publish_model, settle

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
FREE = {"reason": "Free mailbox", "criteria": {"field": "free_mailbox", "op": "is", "value": True}}


def put_out(percent: int = 100, **fields: Any) -> Lead:
    """Make a lead that the model in force disqualifies, and let it."""
    publish_model(document(disqualifiers=[FREE], review_percent=percent))
    return judged(**fields)


def judged(**fields: Any) -> Lead:
    lead = make_lead(**{"created_at": NOW - DAY, **fields})
    if "email" not in fields:
        Lead.objects.filter(pk=lead.pk).update(email=f"lead{lead.pk}@gmail.com")
    mark_due(lead_ids=[lead.pk], now=NOW)
    settle()
    lead.refresh_from_db()
    return lead


def review_of(lead: Lead) -> DisqualificationReview:
    return DisqualificationReview.objects.get(change__lead=lead)


def test_whom_a_rule_puts_out_is_drawn_for_review_with_reason_and_rule() -> None:
    lead = put_out()
    review = review_of(lead)
    assert lead.stage == LifecycleStage.DISQUALIFIED
    assert (review.change.reason, review.change.rule) == (
        "Free mailbox", "Disqualifier of model v1"
    )  # fmt: skip
    assert (review.percent, review.draw) == (100, draw_of(review.change))


def test_a_model_that_wants_no_review_draws_nobody() -> None:
    put_out(percent=0)
    assert not DisqualificationReview.objects.exists()


def test_the_draw_follows_from_the_move_and_is_even() -> None:
    draws = [draw_of(StageInterval(lead_id=lead_id, sequence=2)) for lead_id in range(5_000)]
    assert draw_of(StageInterval(lead_id=7, sequence=2)) == draws[7]
    assert draw_of(StageInterval(lead_id=7, sequence=4)) != draws[7]
    shares = [sum(draw < percent for draw in draws) / 50 for percent in (10, 50, 90)]
    assert [round(share) for share in shares] == pytest.approx([10, 50, 90], abs=2)


def test_whom_is_drawn_is_below_the_share() -> None:
    change = make_lead().stage_intervals.get()
    draw = draw_of(change)
    assert draw_for_review(change=change, percent=draw) is None
    assert draw_for_review(change=change, percent=draw + 1) is not None


def test_a_right_disqualification_is_kept_as_such() -> None:
    lead, marketer = put_out(), make_user(Role.MARKETER)
    confirm_disqualification(review_id=review_of(lead).pk, actor=marketer, now=NOW + DAY)
    review = review_of(lead)
    assert (review.verdict, review.reviewed_by, review.reviewed_at) == (
        ReviewVerdict.RIGHT, marketer, NOW + DAY
    )  # fmt: skip
    with pytest.raises(AlreadyReviewed, match=f"Reviewed by {marketer} already: rightly out"):
        bring_back(review_id=review.pk, actor=marketer, reason="Customer", now=NOW + DAY)
    assert Lead.objects.get(pk=lead.pk).stage == LifecycleStage.DISQUALIFIED


def test_whom_a_marketer_brings_back_stays_until_there_is_news() -> None:
    lead, marketer = put_out(), make_user(Role.MARKETER)
    with pytest.raises(ReasonMissing):
        bring_back(review_id=review_of(lead).pk, actor=marketer, reason=" ", now=NOW + DAY)
    bring_back(review_id=review_of(lead).pk, actor=marketer, reason="Owner of a mill", now=NOW)
    log_act(lead.pk, "DOWNLOAD", NOW + DAY)
    mark_due(lead_ids=[lead.pk], now=NOW + DAY)
    settle(NOW + DAY)

    review = review_of(lead)
    assert Lead.objects.get(pk=lead.pk).stage == LifecycleStage.LEAD
    assert (review.verdict, review.reason, review.reviewed_by) == (
        ReviewVerdict.BACK, "Owner of a mill", marketer
    )  # fmt: skip


def test_whoever_brings_a_lead_back_elsewhere_has_reviewed_it() -> None:
    lead, manager = put_out(), make_user(Role.MANAGER)
    change_stage(
        lead_id=lead.pk, to_stage=LifecycleStage.LEAD, now=NOW + DAY, actor=manager, reason="Known"
    )
    review = review_of(lead)
    assert (review.verdict, review.reviewed_by, review.reason) == (
        ReviewVerdict.BACK, manager, "Known"
    )  # fmt: skip


def test_a_lead_that_a_machine_brings_back_was_reviewed_by_nobody() -> None:
    lead = put_out()
    change_stage(
        lead_id=lead.pk, to_stage=LifecycleStage.LEAD, now=NOW + DAY, actor=None, reason="Undone"
    )
    assert not DisqualificationReview.objects.exists()


def test_the_share_of_right_ones_is_told_for_all_and_for_each_reason() -> None:
    lead, marketer = put_out(), make_user(Role.MARKETER)
    others = [judged(), judged()]
    confirm_disqualification(review_id=review_of(lead).pk, actor=marketer, now=NOW)
    bring_back(review_id=review_of(others[0]).pk, actor=marketer, reason="A mill", now=NOW)
    assert review_figures() == [
        ReviewFigure("", 1, 2, 1), ReviewFigure("Free mailbox", 1, 2, 1)
    ]  # fmt: skip


def test_a_verdict_without_a_date_cannot_be_kept() -> None:
    review = review_of(put_out())
    with pytest.raises(IntegrityError, match="review_verdict_has_a_date"), transaction.atomic():
        DisqualificationReview.objects.filter(pk=review.pk).update(verdict="RIGHT")


@pytest.mark.parametrize(("told", "percent"), [(None, 10), (0, 0), (100, 100)])
def test_a_tenth_is_reviewed_unless_the_model_says_otherwise(
    told: int | None, percent: int
) -> None:
    parts = {} if told is None else {"review_percent": told}
    assert parse_definition(document(**parts)).review_percent == percent


def test_the_page_lists_whom_to_review_and_takes_the_verdict() -> None:
    lead = put_out(title="Owner", company_name="Kolbe Ventile")
    client, address = client_of(make_user(Role.MARKETER)), reverse("scoring:disqualified")
    page = client.get(address).content.decode()
    assert str(lead) in page
    assert "Free mailbox" in page
    assert "Disqualifier of model v1" in page

    review = reverse("scoring:review", args=[review_of(lead).pk])
    refused = client.post(review, {"verdict": "BACK"}, headers={"HX-Request": "true"})
    assert refused.status_code == 422
    assert "Say why the lead comes back" in refused.content.decode()
    done = client.post(review, {"verdict": "BACK", "reason": "A mill"})
    assert done.status_code == 302
    assert str(lead) not in client.get(address).content.decode()
    assert "A mill" in client.get(address, {"state": "reviewed"}).content.decode()


@pytest.mark.parametrize("said", [{}, {"verdict": "MAYBE"}, {"verdict": "BACK", "reason": "\x00"}])
def test_what_is_no_verdict_changes_nothing(said: dict[str, str]) -> None:
    lead = put_out()
    review = reverse("scoring:review", args=[review_of(lead).pk])
    answer = client_of(make_user(Role.MARKETER)).post(review, said, headers={"HX-Request": "true"})
    assert (answer.status_code, review_of(lead).verdict) == (422, "")


def test_managers_read_the_sample_and_change_nothing() -> None:
    lead, client = put_out(), client_of(make_user(Role.MANAGER))
    page = client.get(reverse("scoring:disqualified")).content.decode()
    assert str(lead) in page
    assert "Rightly out</button>" not in page
    answer = client.post(reverse("scoring:review", args=[review_of(lead).pk]), {"verdict": "RIGHT"})
    assert (answer.status_code, review_of(lead).verdict) == (404, "")
