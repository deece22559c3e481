"""Back-tests: asked for, replayed piece by piece, summed up."""

from __future__ import annotations

import gc
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import F
from psycopg.sql import SQL, Identifier

from crm.accounts.models import User
from leads.models import Lead
from scoring.definition import Definition
from scoring.enums import BackTestChange, BackTestState
from scoring.models import BackTest, BackTestCycle, BackTestPiece
from scoring.replay import Cycle, Span, Verdict, replay
from scoring.services.back_test_card import card_of
from scoring.services.back_test_figures import summed_up
from scoring.services.locking import lock_draft
from scoring.services.publishing import definition_of, published_model
from scoring.sql import commas

__all__ = [
    "BackTestRefused",
    "card_of",
    "change_between",
    "run_back_tests",
    "start_back_test",
    "stop_back_test",
]

logger = logging.getLogger(__name__)

#: How far back a back-test goes unless somebody says otherwise. Our choice: two quarters.
PERIOD = timedelta(days=180)
#: Leads of a piece; so much is lost with a worker. Each has its price: a dozen rounds of the score
#: query. Where time alone moves the fit each lead is asked about for every day, hence fewer.
PIECE, PIECE_BY_DAY = 10_000, 1_000
_SETTINGS = (
    "SET LOCAL jit = off; SET LOCAL work_mem = '128MB'; SET LOCAL statement_timeout = '5min'"
)
_DIVIDE = """
    INSERT INTO scoring_backtestpiece (back_test_id, first_lead, last_lead, lead_count, is_done)
    SELECT %(back_test)s, min(id), max(id), count(*), false
    FROM (
        SELECT id, (row_number() OVER (ORDER BY id) - 1) / %(size)s AS place
        FROM leads_lead WHERE merged_into_id IS NULL
    ) lead
    GROUP BY place
"""
_COPIED = (
    "back_test_id", "lead_id", "number", "began_at", "mql_at", "sql_at", "won_at", "refused_at",
    "refusal", "draft_mql_at", "draft_rule", "draft_score", "draft_rank", "former_mql_at",
    "former_rule", "former_score", "former_rank", "change",
)  # fmt: skip


class BackTestRefused(Exception):
    """This cannot be asked of a back-test now; the message says why and what to do."""


@transaction.atomic
def start_back_test(
    *, model_id: int, actor: User | None, now: datetime, period: timedelta = PERIOD
) -> BackTest:
    """Ask for a replay of a draft, as it is now, over the time up to ``now``.

    Earlier back-tests of the draft end, and are removed when the new figures are there.

    Raises:
        NotADraft: the model is or was in force.
        DefinitionInvalid: naming every fault of the draft.
        BackTestRefused: one of this revision is waiting or running.
    """
    model = lock_draft(model_id)
    definition_of(model)
    running = BackTest.objects.waiting().filter(model=model)
    if running.filter(revision=model.revision).exists():
        raise BackTestRefused(f"{model} is being back-tested already: wait, or stop that first.")
    running.order_by().update(
        state=BackTestState.FAILED, error="The draft was changed.", finished_at=now
    )
    return BackTest.objects.create(
        model=model,
        revision=model.revision,
        former=published_model(),
        starts_at=now - period,
        ends_at=now,
        requested_by=actor,
        requested_at=now,
        lead_count=Lead.objects.standing().count(),
    )


def stop_back_test(*, back_test_id: int, error: str, now: datetime) -> None:
    """End a back-test that has work left; what it found so far is not shown."""
    waiting = BackTest.objects.waiting().filter(pk=back_test_id).order_by()
    waiting.update(state=BackTestState.FAILED, error=error[:1000], finished_at=now)


def run_back_tests(*, now: datetime) -> bool:
    """Do the next piece of the oldest back-test that waits; return whether more is to be done.

    Several workers do several pieces at once. One that was killed leaves its piece undone, and the
    next call takes it. A back-test that fails says why.
    """
    back_test = BackTest.objects.waiting().first()
    if back_test is None:
        return False
    try:
        return _step(back_test.pk, now)
    except Exception:
        if not connection.is_usable():
            raise
        logger.exception("Back-test %s failed", back_test.pk)
        error = "An unforeseen error; the log of the worker has it."
        stop_back_test(back_test_id=back_test.pk, error=error, now=now)
    return True


@transaction.atomic
def _step(back_test_id: int, now: datetime) -> bool:
    """Divide, replay a piece or sum up; False when others are at work on the last pieces."""
    with connection.cursor() as cursor:
        cursor.execute(_SETTINGS)
    waiting = BackTest.objects.waiting().select_related("model", "former")
    back_test = waiting.filter(pk=back_test_id).first()
    if back_test is None:
        return True
    if back_test.revision != back_test.model.revision or not back_test.model.is_draft:
        stop_back_test(back_test_id=back_test_id, error="The draft was changed.", now=now)
        return True
    if back_test.state == BackTestState.WAITING:
        return _alone(back_test) and _divide(back_test)
    left = back_test.pieces.filter(is_done=False).order_by("first_lead")
    piece = left.select_for_update(skip_locked=True).first()
    if piece is None:
        return not left.exists() and _alone(back_test) and _finish(back_test, now)
    _write(back_test, piece)
    if not _advance(back_test, piece):
        transaction.set_rollback(True)
    return True


def _alone(back_test: BackTest) -> bool:
    """Hold a back-test in the state that was read, unless another worker does."""
    same = BackTest.objects.filter(pk=back_test.pk, state=back_test.state)
    return same.select_for_update(skip_locked=True).exists()


def _divide(back_test: BackTest) -> bool:
    """Divide the leads into pieces."""
    size = PIECE_BY_DAY if any(x.moves_with_time for x in _definitions(back_test)) else PIECE
    with connection.cursor() as cursor:
        cursor.execute(_DIVIDE, {"back_test": back_test.pk, "size": size})
    BackTest.objects.filter(pk=back_test.pk).update(state=BackTestState.RUNNING)
    return True


def _definitions(back_test: BackTest) -> list[Definition]:
    return [definition_of(model) for model in (back_test.model, back_test.former) if model]


def _write(back_test: BackTest, piece: BackTestPiece) -> None:
    """Replay the leads of a piece and write their cycles."""
    span = Span(piece.first_lead, piece.last_lead, back_test.starts_at, back_test.ends_at)
    definitions = _definitions(back_test)
    # whole before the first row is sent: the connection takes no query in the middle of a COPY
    with _uncollected():
        found = replay(definitions, span, now=back_test.ends_at)
        lines = list(_rows(back_test.pk, definitions, found))
    table = Identifier(BackTestCycle._meta.db_table)
    columns = commas(map(Identifier, _COPIED))
    with (
        connection.wrap_database_errors,  # which COPY goes past otherwise
        connection.cursor() as cursor,
        cursor.copy(SQL("COPY {} ({}) FROM STDIN").format(table, columns)) as copy,
    ):
        for line in lines:
            copy.write_row(line)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Keep Python from looking for cycles among the objects of a piece, a third of its time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _rows(
    back_test_id: int,
    definitions: list[Definition],
    found: Iterator[tuple[Cycle, list[Verdict]]],
) -> Iterator[tuple[object, ...]]:
    """Yield the rows of cycles in the order of ``_COPIED``."""
    for cycle, verdicts in found:
        own = [
            (each.mql_at, each.rule, each.score, each.score + _fit(each, definition))
            for each, definition in zip(verdicts, definitions, strict=True)
        ]
        draft, former = own[0], own[1] if len(own) > 1 else (None, "", None, None)
        yield (
            back_test_id, cycle.lead_id, cycle.number, cycle.began_at, cycle.mql_at, cycle.sql_at,
            cycle.won_at, cycle.refused_at, cycle.refusal, *draft, *former,
            change_between(former[0], draft[0]),
        )  # fmt: skip


def _fit(verdict: Verdict, definition: Definition) -> int:
    """The fit to rank by: a lead of which nothing is known stands where all begin."""
    return definition.fit_base if verdict.fit is None else verdict.fit


def change_between(former: datetime | None, draft: datetime | None) -> BackTestChange:
    """Return what a draft changes for a cycle, from when each model makes it an MQL."""
    if draft is None:
        return BackTestChange.LOST if former else BackTestChange.NEITHER
    if former is None:
        return BackTestChange.GAINED
    if draft == former:
        return BackTestChange.SAME
    return BackTestChange.EARLIER if draft < former else BackTestChange.LATER


def _advance(back_test: BackTest, piece: BackTestPiece) -> bool:
    """Note that a piece is done; False when the back-test was stopped meanwhile."""
    BackTestPiece.objects.filter(pk=piece.pk).update(is_done=True)
    waiting = BackTest.objects.waiting().filter(pk=back_test.pk).order_by()
    return bool(waiting.update(leads_done=F("leads_done") + piece.lead_count))


def _finish(back_test: BackTest, now: datetime) -> bool:
    """Sum up, and let the earlier ones of this draft go."""
    results = summed_up(back_test, now=now)
    BackTest.objects.filter(pk=back_test.pk).update(
        state=BackTestState.DONE, finished_at=now, results=results
    )
    back_test.pieces.all().delete()
    BackTest.objects.filter(model=back_test.model).exclude(pk=back_test.pk).delete()
    return True
