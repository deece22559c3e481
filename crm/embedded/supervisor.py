"""Keeps processes alive, and ends them in order. Standard library only."""

import time
from collections.abc import Callable

from crm.embedded.process import Process, Program, StillRunning, say, stop_together

FIRST_PAUSE = 0.25  # seconds before the first restart; doubled with every further one
LONGEST_PAUSE = 20.0
STEADY = 30.0  # seconds after which a process counts as healthy again


class Kept:
    """A process that is started again whenever it ends."""

    def __init__(self, process: Process, *, now: float) -> None:
        self.process = process
        self._pause = FIRST_PAUSE
        self._started_at = now
        self._restart_at: float | None = None

    def look_after(self, now: float) -> None:
        """Notice an end, and start again once the pause is over. ``now`` is monotonic seconds."""
        if self._restart_at is None:
            if not self.process.is_alive():
                self._notice_end(now)
        elif now >= self._restart_at:
            self._restart(now)

    def _notice_end(self, now: float) -> None:
        if now - self._started_at > STEADY:
            self._pause = FIRST_PAUSE
        program = self.process.program
        say(f"{program.name} {self.process.ending()}; starting it again (see {program.log})")
        self.process.end_group()
        self._restart_at = now + self._pause
        self._pause = min(self._pause * 2, LONGEST_PAUSE)

    def _restart(self, now: float) -> None:
        try:
            self.process.start()
        except StillRunning:  # its last child is still on the way out
            self._restart_at = now + FIRST_PAUSE
        else:
            self._started_at, self._restart_at = now, None


class Supervisor:
    """Starts processes, keeps them alive, and stops them in stages, the latest stage first."""

    def __init__(self) -> None:
        self._stages: list[list[Kept]] = []

    def begin_stage(self, *running: Process) -> None:
        """Begin a stage, of processes that run already or of none; it is stopped as one."""
        now = time.monotonic()
        self._stages.append([Kept(process, now=now) for process in running])

    def start(self, program: Program) -> None:
        """Start a program in the latest stage and look after it."""
        process = Process(program)
        self._stages[-1].append(Kept(process, now=time.monotonic()))
        process.start()

    def look_after_all(self) -> None:
        """Restart what ended."""
        now = time.monotonic()
        for stage in self._stages:
            for kept in stage:
                kept.look_after(now)

    def look_after_until(self, is_enough: Callable[[], bool]) -> None:
        """Keep everything alive until ``is_enough`` says so."""
        while not is_enough():
            self.look_after_all()
            time.sleep(0.1)

    def stop(self) -> None:
        """Stop all, the stage started last first."""
        while self._stages:
            stop_together([kept.process for kept in self._stages.pop()])
