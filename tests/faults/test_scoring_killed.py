"""Long work of scoring whose worker is killed in the middle: it goes on, and shows nothing half."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest

from scoring.enums import BackTestState, TrainingState
from scoring.models import BackTest, PredictiveModel
from scoring.services import mark_due
from scoring.services.training import start_training
from tests.factories import NOW
from tests.faults.background import Background
from tests.faults.table_locks import locked, somebody_waits
from tests.processes import wait_for
from tests.scoring.drafts import make_draft
from tests.scoring.logs import publish_model
from tests.scoring.test_backtesting import buyer, downloads, start
from tests.scoring.test_predictive_training import make_sample

pytestmark = [
    pytest.mark.faults,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(sys.platform != "linux", reason="finds the workers in /proc"),
]

killing = pytest.mark.parametrize("kill", [Background.kill, Background.kill_child])


@killing
def test_a_back_test_goes_on_with_the_piece_that_was_begun(
    background: Background, kill: Callable[[Background, str], None]
) -> None:
    publish_model(downloads(30))
    leads = [buyer(1), buyer(1, 2)]
    mark_due(lead_ids=leads, now=NOW, is_news=False)
    draft = make_draft(downloads(55))
    with locked("scoring_backtestcycle", "ACCESS EXCLUSIVE"):
        asked = start(draft)
        wait_for(lambda: somebody_waits("scoring_backtestcycle"))
        kill(background, "worker-bulk")
        asked.refresh_from_db()
        assert (asked.state, asked.leads_done) == (BackTestState.RUNNING, 0)
        assert BackTest.objects.finished_for(draft) is None

    wait_for(lambda: BackTest.objects.finished_for(draft))

    done = BackTest.objects.get()
    assert sorted(done.cycles.values_list("lead", flat=True)) == leads
    assert (done.leads_done, done.results["cycles"], done.pieces.count()) == (2, 2, 0)


@killing
def test_a_training_begins_anew(
    background: Background, kill: Callable[[Background, str], None]
) -> None:
    make_sample()
    with locked("leads_leadfact", "ACCESS EXCLUSIVE"):
        model = start_training(target="sql", now=NOW)
        wait_for(lambda: somebody_waits("leads_leadfact"))
        kill(background, "worker-bulk")
        model.refresh_from_db()
        assert (model.state, model.attempts) == (TrainingState.RUNNING, 1)
        assert model.formula is None

    wait_for(lambda: not PredictiveModel.objects.under_way().exists(), seconds=60)

    model.refresh_from_db()
    assert (model.state, model.attempts, model.error) == (TrainingState.TRAINED, 2, "")
    assert model.formula is not None
