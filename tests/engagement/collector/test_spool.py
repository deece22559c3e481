from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from crm.embedded.location import ROOT
from engagement.collector.spool import (
    SEGMENT,
    Backlog,
    Damage,
    Spool,
    SpoolFull,
    held,
    put_aside,
    read_records,
)

FIRST, SECOND = [b"1\n", b"2\n"], [b"3\n"]


def filled(folder: Path) -> Path:
    """Return the only file of a spool that holds both records."""
    spool = Spool(folder, limit=10_000)
    spool.append(FIRST)
    spool.append(SECOND)
    spool.close()
    [path] = spool.segments()
    return path


def test_records_come_back_in_order(tmp_path: Path) -> None:
    assert list(read_records(filled(tmp_path))) == [FIRST, SECOND]


def cut(content: bytes) -> bytes:
    return content[:-1]


def cut_in_header(content: bytes) -> bytes:
    return content[:-10]


def flip(content: bytes) -> bytes:
    return content[:-2] + b"4\n"


def pretend_to_be_huge(content: bytes) -> bytes:
    return content[: 12 + 4] + b"\xff" * 12 + content[12 + 4 + 12 :]


def zeroes_behind(content: bytes) -> bytes:
    return content[: 12 + 4] + b"\0" * 40


@pytest.mark.parametrize("damage", [cut, cut_in_header, flip, pretend_to_be_huge, zeroes_behind])
def test_a_damaged_end_is_noticed_and_costs_nothing_before_it(
    tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    path = filled(tmp_path)
    path.write_bytes(damage(path.read_bytes()))
    read: list[list[bytes]] = []

    with pytest.raises(Damage) as caught:
        read.extend(read_records(path))

    assert (read, caught.value.offset) == ([FIRST], 12 + 4)


def test_what_does_not_fit_is_refused_whole(tmp_path: Path) -> None:
    spool = Spool(tmp_path, limit=2 * 12 + 5)
    spool.append(FIRST)

    with pytest.raises(SpoolFull):
        spool.append([b"34\n"])
    spool.append([b"\n"])

    spool.close()
    assert list(read_records(spool.segments()[0])) == [FIRST, [b"\n"]]


def test_a_disk_that_refuses_is_a_full_spool_and_leaves_no_half_record(tmp_path: Path) -> None:
    code = (
        "import resource, signal, pathlib\n"
        "from engagement.collector.spool import Spool, SpoolFull\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (30, 30))\n"
        f"spool = Spool(pathlib.Path({str(tmp_path)!r}), limit=10_000)\n"
        "spool.append([b'1\\n', b'2\\n'])\n"
        "try:\n    spool.append([b'3' * 20 + b'\\n'])\n"
        "except SpoolFull:\n    print('full')\n"
        "spool.append([b'4\\n'])\n"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)

    assert done.stdout == "full\n"
    first, second = Spool(tmp_path, limit=10_000).segments()
    assert [list(read_records(path)) for path in (first, second)] == [[FIRST], [[b"4\n"]]]


def test_a_replay_between_the_making_and_the_locking_of_a_file_costs_nothing(
    tmp_path: Path,
) -> None:
    """Red when what is written may be a file that a replay has taken away."""
    code = (
        "import asyncio, pathlib, sys\n"
        "from engagement.collector.spool import Spool\n"
        "from engagement.collector.upkeep import replay_oldest\n"
        f"folder, replays = pathlib.Path({str(tmp_path)!r}), [1]\n"
        "def replay_once(event, arguments):\n"
        "    if event == 'fcntl.flock' and replays:\n"
        "        replays.pop()\n"
        "        asyncio.run(replay_oldest(Spool(folder, limit=10_000), None))\n"
        "sys.addaudithook(replay_once)\n"
        "Spool(folder, limit=10_000).append([b'1\\n', b'2\\n'])\n"
        "print(len(replays))\n"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)

    [path] = Spool(tmp_path, limit=10_000).segments()
    assert (done.stdout, list(read_records(path))) == ("0\n", [FIRST])


def test_a_file_that_is_replayed_while_the_sizes_are_added_up_takes_no_room(
    tmp_path: Path,
) -> None:
    """Red when a file that was listed has to be there still."""
    listed = tmp_path / "0-0.spool"
    listed.symlink_to("replayed")
    spool = Spool(tmp_path, limit=10_000)

    spool.append(FIRST)
    spool.close()

    assert spool.backlog().messages == len(FIRST)


def test_a_long_file_is_followed_by_another(tmp_path: Path) -> None:
    spool = Spool(tmp_path, limit=4 * SEGMENT)
    row = b"x" * (SEGMENT // 2) + b"\n"

    for _ in range(3):
        spool.append([row])

    spool.close()
    assert len(spool.segments()) == 2


def test_the_backlog_counts_messages_and_knows_since_when(tmp_path: Path) -> None:
    empty = Spool(tmp_path, limit=10_000).backlog()
    filled(tmp_path)
    backlog = Spool(tmp_path, limit=10_000).backlog()

    assert empty == Backlog(0, None)
    assert backlog.messages == 3
    assert backlog.since is not None
    assert timedelta(0) <= datetime.now(UTC) - backlog.since < timedelta(minutes=1)


def test_only_one_process_holds_a_file(tmp_path: Path) -> None:
    spool = Spool(tmp_path, limit=10_000)
    spool.append(FIRST)
    [path] = spool.segments()

    with held(path) as while_it_is_written:
        pass
    spool.close()
    with held(path) as first, held(path) as second:
        pass
    with held(put_aside(path)) as aside, held(path) as gone:
        pass

    assert (while_it_is_written, first, second, aside, gone) == (False, True, False, True, False)
    assert spool.segments() == []
