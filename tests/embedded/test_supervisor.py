import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from crm.embedded.process import Process, Program, stop_together
from crm.embedded.supervisor import FIRST_PAUSE, LONGEST_PAUSE, STEADY, Kept, Supervisor


def make_program(log: Path, code: str, *, grace: float = 5, name: str = "child") -> Program:
    return Program(name=name, command=(sys.executable, "-c", code), log=log / name, grace=grace)


def ended(process: Process) -> Process:
    while process.is_alive():
        time.sleep(0.005)
    return process


def pauses_of(kept: Kept, *, ends: int) -> list[float]:
    """Return after how many seconds each of several early ends was made good."""
    now, pauses = 0.0, []
    for _ in range(ends):
        before = kept.process.pid
        ended(kept.process)
        noticed = now
        kept.look_after(now)
        while kept.process.pid == before:
            now += 0.25
            kept.look_after(now)
        pauses.append(now - noticed)
    return pauses


def test_a_process_that_keeps_ending_is_started_less_and_less_often(tmp_path: Path) -> None:
    process = Process(Program(name="child", command=("true",), log=tmp_path / "log"))
    process.start()

    pauses = pauses_of(Kept(process, now=0), ends=9)

    assert pauses == [0.25, 0.5, 1, 2, 4, 8, 16, LONGEST_PAUSE, LONGEST_PAUSE]
    ended(process)


def test_a_process_that_ran_steadily_is_started_again_at_once(tmp_path: Path) -> None:
    process = Process(Program(name="child", command=("true",), log=tmp_path / "log"))
    process.start()
    kept = Kept(process, now=0)
    pauses_of(kept, ends=3)
    before = ended(process).pid

    late = STEADY + 100
    kept.look_after(late)
    kept.look_after(late + FIRST_PAUSE)

    assert process.pid != before
    ended(process)


def test_stages_end_in_the_opposite_order_of_their_start(tmp_path: Path) -> None:
    diary = tmp_path / "diary"
    code = (
        "import signal, sys, time\n"
        f"note = lambda *_: (open({str(diary)!r}, 'a').write(sys.argv[1]), sys.exit())\n"
        "signal.signal(signal.SIGTERM, note)\n"
        f"open({str(tmp_path)!r} + '/up-' + sys.argv[1], 'w')\n"
        "time.sleep(60)"
    )
    supervisor = Supervisor()
    for name in ("1", "2", "3"):
        command = (sys.executable, "-c", code, name)
        supervisor.begin_stage()
        supervisor.start(Program(name=name, command=command, log=tmp_path / f"log-{name}"))
    supervisor.look_after_until(lambda: len([*tmp_path.glob("up-*")]) == 3)

    supervisor.stop()

    assert diary.read_text() == "321"


def test_who_does_not_stop_within_the_grace_is_made_to(tmp_path: Path) -> None:
    code = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        " print('deaf', flush=True); time.sleep(60)"
    )
    process = Process(make_program(tmp_path, code, grace=0.2))
    process.start()
    process.wait_until(lambda: (tmp_path / "child").read_text() == "deaf\n", timeout=10)

    stop_together([process])

    assert ended(process).ending() == "was ended by SIGKILL"


def test_what_an_ended_process_left_behind_ends_too(tmp_path: Path) -> None:
    code = "import subprocess; print(subprocess.Popen(['sleep', '60']).pid, flush=True)"
    process = Process(make_program(tmp_path, code))
    process.start()
    ended(process)
    orphan = int((tmp_path / "child").read_text())
    os.kill(orphan, 0)

    Kept(process, now=0).look_after(1)

    assert wait_until(lambda: not exists(orphan))


def test_a_function_runs_as_a_process_of_its_own(tmp_path: Path) -> None:
    def work() -> None:
        os.write(1, f"at work {os.getpid()}\n".encode())
        raise SystemExit(3)

    process = Process(Program(name="worker", command=work, log=tmp_path / "log"))
    process.start()

    assert ended(process).ending() == "ended with status 3"
    assert (tmp_path / "log").read_text() == f"at work {process.pid}\n"


def test_a_function_that_fails_leaves_its_traceback_in_the_log(tmp_path: Path) -> None:
    def work() -> None:
        raise ValueError("of all things")

    process = Process(Program(name="worker", command=work, log=tmp_path / "log"))
    process.start()

    assert ended(process).ending() == "ended with status 1"
    assert (tmp_path / "log").read_text().endswith("ValueError: of all things\n")


def test_a_function_hears_signals_as_a_fresh_process_does(tmp_path: Path) -> None:
    process = Process(Program(name="worker", command=lambda: time.sleep(60), log=tmp_path / "log"))
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        process.start()
    finally:
        signal.signal(signal.SIGTERM, before)
    wait_until(lambda: os.getsid(process.pid or 0) == process.pid)

    stop_together([process])

    assert ended(process).ending() == "was ended by SIGTERM"


def wait_until(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 5
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    return condition()


def exists(pid: int) -> bool:
    """Tell whether a process runs; one that only waits to be reaped does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
