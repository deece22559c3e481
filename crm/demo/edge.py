"""The last hours, played through the real services: the queues as reps find them now."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import count
from random import Random

from crm.accounts.models import User
from crm.demo.behaviour import Act, live_journey
from crm.demo.capture import LAG, Chronicle
from crm.demo.company import DemoCompany
from crm.demo.names import WEST
from crm.demo.people import Employer, Person, make_candidate, moment_on, working_day
from crm.demo.qualifying import DELAY, Qualified
from crm.demo.scripts import EACH_REP, EACH_TEAM, FOR_THE_POOL, Script, Standing, worked_before
from handoff.business_hours import add_working_time, next_opening
from handoff.enums import BantAnswer, TouchChannel, TouchOutcome
from handoff.models import Handoff, RepProfile
from handoff.services import accept_handoff, log_touch, save_bant, snooze_handoff
from leads.enums import LifecycleStage
from leads.services import change_stage

#: Reps per team for whom a queue is set up, however many there are.
REPS = 2
DAY = timedelta(days=1)
Attempt = tuple[TouchChannel, TouchOutcome, str]
#: Attempts, each so much of the handoff's age after the first.
_ATTEMPTS: tuple[tuple[float, Attempt], ...] = (
    (0.0, (TouchChannel.CALL, TouchOutcome.NO_ANSWER, "")),
    (0.3, (TouchChannel.CALL, TouchOutcome.LEFT_MESSAGE, "Asked for a call back")),
    (0.6, (TouchChannel.CALL, TouchOutcome.CONNECTED, "Wants numbers for two sites")),
)
_BOOKED: Attempt = (TouchChannel.MEETING, TouchOutcome.BOOKED, "Meeting at the plant")

#: What a first talk brings for the BANT form.
_HEARD = {
    "need": BantAnswer.YES,
    "need_detail": "Stops cost a shift a month",
    "budget": BantAnswer.UNKNOWN,
}

Cast = tuple[Person, Sequence[Act], Script]


def live_cast(
    demo: DemoCompany, rng: Random, employers: Sequence[Employer], *, now: datetime
) -> Iterator[Cast]:
    """Return the leads of the live edge; each works for a firm that nobody else writes from."""
    taken: set[str] = set()
    for team, calendar in demo.calendars.items():
        firms = (each for each in employers if each.country.team == team)
        scripts = [script for script in EACH_REP for _ in demo.reps[team][:REPS]]
        for script in [*scripts, *EACH_TEAM, *(FOR_THE_POOL if team == WEST else ())]:
            employer = next(firms)
            age = script.age * rng.uniform(0.97, 1.08)
            peak = worked_before(now, age, calendar.hours) - LAG - DELAY
            day = working_day((peak - rng.uniform(6, 50) * DAY).date(), rng)
            person = make_candidate(
                rng, employer, is_best=script.is_best, taken=taken,
                created_at=moment_on(day, employer.country, rng),
            )  # fmt: skip
            yield person, live_journey(person, rng, peak=peak, ask=script.ask), script


class Stage:
    """Plays scripts in order of time, all at once: a heap of what comes next."""

    def __init__(self, rng: Random, now: datetime) -> None:
        """Begin with an empty stage."""
        self._rng, self._now = rng, now
        self._coming: list[tuple[datetime, int, Callable[[datetime], None]]] = []
        self._order = count()

    def play(self, scripted: Sequence[tuple[Chronicle, Qualified]]) -> None:
        """Carry out everything up to the present."""
        for chronicle, qualified in scripted:
            self._at(qualified.at, self._entrance(chronicle, qualified))
        while self._coming:
            at, _, act = heapq.heappop(self._coming)
            act(at)

    def _at(self, moment: datetime, act: Callable[[datetime], None]) -> None:
        if moment <= self._now:
            heapq.heappush(self._coming, (moment, next(self._order), act))

    def _entrance(self, chronicle: Chronicle, qualified: Qualified) -> Callable[[datetime], None]:
        """Return the act by which the lead becomes an MQL; it plans what sales does next."""

        def become_mql(at: datetime) -> None:
            script = chronicle.script
            if script is None:
                return
            with _nobody_there(at, when=script.standing is Standing.POOL):
                change_stage(
                    lead_id=chronicle.lead.pk,
                    to_stage=LifecycleStage.MQL,
                    now=at,
                    rule=qualified.rule,
                    snapshot=qualified.snapshot,
                )
            handoff = Handoff.objects.for_display().open().get(lead=chronicle.lead.pk)
            if script.standing not in (Standing.OFFERED, Standing.POOL):
                self._work(handoff, script)

        return become_mql

    def _work(self, handoff: Handoff, script: Script) -> None:
        """Plan what the rep does: accept in time, then call, book a meeting, or nothing yet."""
        rep, tier, hours = handoff.holder, handoff.tier, handoff.calendar.hours
        if rep is None or tier is None:
            return

        def after(span: timedelta) -> datetime:
            return add_working_time(handoff.opened_at, span, hours)

        def accept(at: datetime) -> None:
            accept_handoff(handoff_id=handoff.pk, rep=rep, now=at)

        self._at(after(tier.accept_within * self._rng.uniform(0.3, 0.7)), accept)
        if script.standing is Standing.WORKING:
            first = tier.first_touch_within * self._rng.uniform(0.75, 0.95)
            for share, attempt in _ATTEMPTS[: self._rng.randint(1, 3)]:
                self._at(after(first + script.age * share), _touch(handoff, rep, attempt))
        elif script.standing is Standing.WAITING:
            self._at(after(tier.first_touch_within * 0.8), _touch(handoff, rep, _BOOKED))
            self._at(after(tier.first_touch_within * 0.85), _snooze(handoff, rep, self._now))


def _touch(handoff: Handoff, rep: User, attempt: Attempt) -> Callable[[datetime], None]:
    channel, outcome, note = attempt

    def touch(at: datetime) -> None:
        log_touch(
            handoff_id=handoff.pk,
            rep=rep,
            channel=channel,
            outcome=outcome,
            occurred_at=at,
            now=at,
            note=note,
        )
        if outcome is TouchOutcome.CONNECTED:
            save_bant(handoff_id=handoff.pk, rep=rep, fields=_HEARD, now=at)

    return touch


def _snooze(handoff: Handoff, rep: User, now: datetime) -> Callable[[datetime], None]:
    meeting = next_opening(now + timedelta(hours=20), handoff.calendar.hours) + timedelta(hours=3)

    def snooze(at: datetime) -> None:
        snooze_handoff(
            handoff_id=handoff.pk, rep=rep, until=meeting, reason="Meeting booked", now=at
        )

    return snooze


@contextmanager
def _nobody_there(at: datetime, *, when: bool) -> Iterator[None]:
    """Have a team away for a moment, so that what comes in stays in its pool."""
    team = RepProfile.objects.filter(user__sales_team__name=WEST)
    if when:
        team.update(absent_from=at, absent_until=at + timedelta(minutes=1))
    yield
    if when:
        team.update(absent_from=None, absent_until=None)
