from __future__ import annotations

import pytest

from engagement.collector.limits import BURST, MOST_BUCKETS, Bucket, Limits, neighbourhood


def test_who_was_quiet_may_send_a_burst_and_then_at_the_rate() -> None:
    bucket = Bucket(rate=2, level=2 * BURST, seen_at=0)

    bucket.level -= 2 * BURST
    waits = [bucket.wait(now) for now in (0, 0.25, 0.5, 60)]

    assert waits == [0.5, 0.25, 0, 0]
    assert bucket.level == 2 * BURST


def test_more_than_a_burst_passes_once_and_is_paid_for_afterwards() -> None:
    bucket = Bucket(rate=1, level=BURST, seen_at=0)

    before = bucket.wait(0)
    bucket.level -= 100

    assert (before, bucket.wait(0)) == (0, 100 - BURST + 1)


def test_a_rate_of_nothing_lets_nothing_pass() -> None:
    assert Limits().bucket("off", rate=0, now=0).wait(5) > 0


def test_a_new_rate_holds_at_once() -> None:
    limits = Limits()
    limits.bucket("site", rate=1, now=0).level -= BURST

    assert limits.bucket("site", rate=1, now=0).wait(0) == 1
    assert limits.bucket("site", rate=50, now=0).wait(0) == 0


def test_strangers_without_number_cost_bounded_memory_and_free_nobody() -> None:
    limits = Limits()
    limits.bucket("busy", rate=1, now=0).level -= 100

    for number in range(MOST_BUCKETS + 10):
        limits.bucket(number, rate=1, now=1)

    assert len(limits._buckets) <= MOST_BUCKETS
    assert limits.bucket("busy", rate=1, now=1).wait(1) > 80


def test_a_stranger_who_comes_while_room_is_made_stops_nothing() -> None:
    """Red when the buckets themselves are walked: they change while another thread adds one."""
    limits = Limits()

    class Crowded(Bucket):
        def is_full(self, now: float) -> bool:
            limits.bucket(object(), rate=2, now=now)
            return super().is_full(now)

    limits._buckets = dict.fromkeys(range(5), Crowded(1, 0, 0))
    limits._forget(0)

    assert limits.bucket(0, rate=1, now=0).wait(0) == 1


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
    ],
)
def test_the_addresses_of_one_ipv6_network_count_as_one(address: str, name: str) -> None:
    assert neighbourhood(address) == name
