from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from threading import Event, Thread
from time import monotonic, sleep
from typing import Any, Never

import pytest
from django.db import connection

from crm.common.instants import InstantInvalid
from leads.enums import LifecycleStage as Stage
from leads.models import Lead
from leads.services import IllegalTransition, OverrideNeedsReason, ScoreSnapshot, change_stage
from leads.signals import stage_changed
from tests.concurrency import somebody_waits_for_a_lock
from tests.factories import NOW, make_lead, make_user

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
Receiver = Callable[..., None]
Listen = Callable[[Receiver], None]


@pytest.fixture
def listen() -> Iterator[Listen]:
    """Connect receivers for one test only."""
    connected = []

    def connect(receiver: Receiver) -> None:
        stage_changed.connect(receiver, weak=False)
        connected.append(receiver)

    yield connect
    for receiver in connected:
        stage_changed.disconnect(receiver)


@pytest.fixture(autouse=True)
def _only_our_receivers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the receivers of upper apps: they have tests of their own."""
    monkeypatch.setattr(stage_changed, "receivers", [])


def history(lead: Lead) -> list[tuple[Any, ...]]:
    return [
        (each.sequence, each.stage, each.cycle, each.started_at, each.ended_at)
        for each in lead.stage_intervals.order_by("sequence")
    ]


def test_a_move_closes_one_interval_and_opens_the_next() -> None:
    lead = make_lead()

    change_stage(lead_id=lead.pk, to_stage=Stage.MQL, now=NOW + HOUR)

    assert history(lead) == [
        (1, "LEAD", 1, NOW, NOW + HOUR),
        (2, "MQL", 1, NOW + HOUR, None),
    ]
    lead.refresh_from_db()
    assert (lead.stage, lead.cycle, lead.stage_since) == ("MQL", 1, NOW + HOUR)


def test_a_move_keeps_who_why_and_the_score_of_the_moment() -> None:
    lead, actor = make_lead(), make_user()
    snapshot = ScoreSnapshot(14, Decimal("76.0"), Decimal("61.2"), "B2")

    change = change_stage(
        lead_id=lead.pk, to_stage=Stage.MQL, now=NOW, actor=actor, rule="Cell B2", reason="Hot",
        snapshot=snapshot,
    )  # fmt: skip

    change.refresh_from_db()
    assert (change.actor, change.rule, change.reason) == (actor, "Cell B2", "Hot")
    assert (change.model_version, change.fit_score, change.engagement_score, change.cell) == (
        14, Decimal("76.0"), Decimal("61.2"), "B2",
    )  # fmt: skip
    assert not change.is_override
    assert not change.is_imported


def test_a_move_without_a_score_is_not_evaluated_and_not_zero() -> None:
    change = change_stage(lead_id=make_lead().pk, to_stage=Stage.MQL, now=NOW)

    assert (change.model_version, change.fit_score, change.engagement_score) == (None, None, None)


def test_a_move_outside_the_table_is_refused_and_changes_nothing() -> None:
    lead = make_lead()

    with pytest.raises(IllegalTransition):
        change_stage(lead_id=lead.pk, to_stage=Stage.SQL, now=NOW + HOUR)

    lead.refresh_from_db()
    assert lead.stage == "LEAD"
    assert history(lead) == [(1, "LEAD", 1, NOW, None)]


def test_an_override_makes_the_move_and_is_marked() -> None:
    lead = make_lead()

    change = change_stage(
        lead_id=lead.pk, to_stage=Stage.SQL, now=NOW, override=True, reason="Met at the fair"
    )

    assert change.is_override
    assert Lead.objects.get(pk=lead.pk).stage == "SQL"


def test_an_override_without_a_reason_is_refused() -> None:
    lead = make_lead()

    with pytest.raises(OverrideNeedsReason):
        change_stage(lead_id=lead.pk, to_stage=Stage.SQL, now=NOW, override=True)

    assert Lead.objects.get(pk=lead.pk).stage == "LEAD"


def test_a_legal_move_is_never_marked_as_an_override() -> None:
    change = change_stage(
        lead_id=make_lead().pk, to_stage=Stage.MQL, now=NOW, override=True, reason="Why not"
    )

    assert not change.is_override


def test_no_override_moves_a_lead_to_where_it_is() -> None:
    with pytest.raises(IllegalTransition):
        change_stage(
            lead_id=make_lead().pk, to_stage=Stage.LEAD, now=NOW, override=True, reason="Twice"
        )


def test_recycling_starts_the_next_cycle_and_names_the_wake_up() -> None:
    lead = make_lead(stage=Stage.MQL)
    wake_at = NOW + timedelta(days=90)

    change = change_stage(
        lead_id=lead.pk, to_stage=Stage.RECYCLED, now=NOW + HOUR, reason="Budget", wake_at=wake_at
    )

    lead.refresh_from_db()
    assert (change.cycle, lead.cycle, lead.wake_at) == (2, 2, wake_at)


def test_the_way_back_in_keeps_the_cycle_and_clears_the_wake_up() -> None:
    lead = make_lead(stage=Stage.RECYCLED, cycle=2, wake_at=NOW + HOUR)

    change_stage(lead_id=lead.pk, to_stage=Stage.MQL, now=NOW + HOUR)

    lead.refresh_from_db()
    assert (lead.cycle, lead.wake_at) == (2, None)


def test_a_disqualified_lead_comes_back_in_the_next_cycle() -> None:
    lead = make_lead(stage=Stage.DISQUALIFIED)

    change_stage(lead_id=lead.pk, to_stage=Stage.LEAD, now=NOW + HOUR)

    assert Lead.objects.get(pk=lead.pk).cycle == 2


def test_history_never_runs_backwards() -> None:
    lead = make_lead(stage=Stage.MQL, stage_since=NOW + HOUR)

    change = change_stage(lead_id=lead.pk, to_stage=Stage.SAL, now=NOW)

    assert change.started_at == NOW + HOUR


def test_a_move_is_announced_with_where_it_came_from(listen: Listen) -> None:
    heard = []
    listen(lambda *, change, from_stage, now, **_: heard.append((change, from_stage, now)))
    lead = make_lead()

    change = change_stage(lead_id=lead.pk, to_stage=Stage.MQL, now=NOW + HOUR)

    assert heard == [(change, Stage.LEAD, NOW + HOUR)]


@pytest.mark.django_db(transaction=True)
def test_a_receiver_that_fails_takes_the_move_back(listen: Listen) -> None:
    def fail(**_: Any) -> Never:
        raise RuntimeError("no calendar")

    listen(fail)
    lead = make_lead()

    with pytest.raises(RuntimeError):
        change_stage(lead_id=lead.pk, to_stage=Stage.MQL, now=NOW + HOUR)

    lead.refresh_from_db()
    assert lead.stage == "LEAD"
    assert history(lead) == [(1, "LEAD", 1, NOW, None)]


@pytest.mark.django_db(transaction=True)
def test_of_two_equal_moves_at_once_one_wins_and_the_other_is_illegal(listen: Listen) -> None:
    lead = make_lead(stage=Stage.MQL)
    first_has_moved, outcomes = Event(), {}

    def hold(**_: Any) -> None:
        first_has_moved.set()
        wait_until_another_session_is_blocked()

    def move(name: str) -> None:
        try:
            change_stage(lead_id=lead.pk, to_stage=Stage.SAL, now=NOW + HOUR)
            outcomes[name] = "moved"
        except Exception as error:  # noqa: BLE001 -- the assertion names the one that is right
            outcomes[name] = type(error).__name__
        finally:
            connection.close()

    listen(hold)
    threads = {name: Thread(target=move, args=[name]) for name in ("first", "second")}
    threads["first"].start()
    assert first_has_moved.wait(5)
    threads["second"].start()
    for thread in threads.values():
        thread.join(10)

    assert outcomes == {"first": "moved", "second": "IllegalTransition"}
    assert [each[1] for each in history(lead)] == ["LEAD", "MQL", "SAL"]


def wait_until_another_session_is_blocked() -> None:
    """Return when somebody waits for a lock, or after two seconds when nobody does."""
    give_up_at = monotonic() + 2
    while monotonic() < give_up_at and not somebody_waits_for_a_lock():
        sleep(0.01)


def test_a_lead_does_not_wake_in_a_year_that_cannot_be_shown() -> None:
    lead = make_lead(stage=Stage.SQL)

    with pytest.raises(InstantInvalid):
        change_stage(
            lead_id=lead.pk,
            to_stage=Stage.RECYCLED,
            now=NOW + HOUR,
            wake_at=datetime.max.replace(tzinfo=UTC),
        )

    lead.refresh_from_db()
    assert lead.stage == Stage.SQL
