from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engagement.event_ids import event_id, instant_of

AT = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
NAIVE = AT.replace(tzinfo=None)
EARLIEST, LATEST = NAIVE.replace(year=1970), NAIVE.replace(year=2200)


def test_an_id_is_a_uuid_of_version_7_dated_by_the_event() -> None:
    made = event_id(source="site", message_id="m-1", occurred_at=AT)

    assert (made.version, made.variant) == (7, "specified in RFC 4122")
    assert made.int >> 80 == 1_795_262_400_000


def test_the_same_message_gets_the_same_id_and_another_one_another() -> None:
    first, again, other, elsewhere = (
        event_id(source=source, message_id=message_id, occurred_at=AT)
        for source, message_id in [("a", "1"), ("a", "1"), ("a", "2"), ("b", "1")]
    )

    assert first == again
    assert len({first, other, elsewhere}) == 3


@given(
    moment=st.datetimes(EARLIEST, LATEST, timezones=st.just(UTC)),
    later=st.timedeltas(timedelta(milliseconds=1), timedelta(days=9000)),
    name=st.text(),
)
def test_ids_sort_by_the_time_of_the_event(moment: datetime, later: timedelta, name: str) -> None:
    early = event_id(source="site", message_id=name, occurred_at=moment)
    late = event_id(source="site", message_id=name, occurred_at=moment + later)

    start, end = instant_of(early)
    assert early < late
    assert start <= moment < end


@pytest.mark.parametrize("moment", [NAIVE, datetime(1969, 12, 31, tzinfo=UTC)])
def test_a_time_without_a_zone_or_before_1970_is_refused(moment: datetime) -> None:
    with pytest.raises(ValueError, match="aware time after 1970"):
        event_id(source="site", message_id="m", occurred_at=moment)
