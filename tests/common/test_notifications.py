from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.core import mail
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from crm.accounts.models import User
from crm.common.models import Notification, OutboxMessage
from crm.common.notifications import News, mark_read, notify, notify_all
from crm.common.outbox import dispatch_outbox
from tests.concurrency import side_by_side
from tests.factories import make_user

NOW = datetime(2026, 5, 12, 8, 42, tzinfo=UTC)


def tell(*people: User, key: str = "breach:17", title: str = "19 min over", topic: str = "") -> int:
    return notify(
        recipients=people,
        key=key,
        title=title,
        body="Bastien Aubrière waits for a first touch.",
        url="/leads/17/",
        topic=topic,
        now=NOW,
    )


@pytest.mark.django_db
def test_the_same_news_twice_is_one_line_and_one_mail() -> None:
    tomas = make_user(email="tomas@example.com")

    told = [tell(tomas), tell(tomas), tell(tomas, tomas)]
    dispatch_outbox(now=NOW)

    assert told == [1, 0, 0]
    assert Notification.objects.filter(recipient=tomas).count() == 1
    assert [letter.to for letter in mail.outbox] == [["tomas@example.com"]]


@pytest.mark.django_db
def test_the_database_refuses_one_line_twice() -> None:
    tell(make_user())
    line = Notification.objects.get()
    line.pk = None

    with pytest.raises(IntegrityError, match="notification_once_per_recipient"):
        line.save(force_insert=True)


@pytest.mark.django_db
def test_a_mail_says_what_and_links_to_where(settings: Settings) -> None:
    settings.PUBLIC_URL = "https://baton.example.com"
    tell(make_user())

    dispatch_outbox(now=NOW)

    assert mail.outbox[0].subject == "19 min over"
    assert mail.outbox[0].body == (
        "Bastien Aubrière waits for a first touch.\n\nhttps://baton.example.com/leads/17/"
    )


@pytest.mark.django_db
def test_who_wants_no_mail_gets_the_line_only() -> None:
    quiet = make_user(wants_mail=False)

    tell(quiet)

    assert Notification.objects.get().recipient == quiet
    assert OutboxMessage.objects.count() == 0


@pytest.mark.django_db
def test_who_has_left_is_told_nothing_not_even_late() -> None:
    left_before = make_user(is_active=False)
    left_after = make_user()
    told = tell(left_before, left_after)
    User.objects.filter(pk=left_after.pk).update(is_active=False)

    dispatch_outbox(now=NOW)

    assert told == 1
    assert mail.outbox == []


@pytest.mark.django_db
def test_telling_nobody_is_no_error() -> None:
    assert tell() == 0


@pytest.mark.django_db
def test_words_too_long_to_show_are_cut_not_refused() -> None:
    tell(make_user(), title="x" * 300)

    assert Notification.objects.get().title == "x" * 200


@pytest.mark.django_db
def test_only_the_newest_waiting_mail_about_one_thing_goes_out_to_each() -> None:
    tomas, maj = make_user(email="tomas@example.com"), make_user(email="maj@example.com")
    tell(tomas, maj, key="half:17", title="Half is gone", topic="handoff:17")
    tell(tomas, key="breach:17", title="Over", topic="handoff:17")

    dispatch_outbox(now=NOW)

    sent = {(letter.to[0], letter.subject) for letter in mail.outbox}
    assert sent == {("maj@example.com", "Half is gone"), ("tomas@example.com", "Over")}
    assert Notification.objects.count() == 3


@pytest.mark.django_db(transaction=True)
def test_the_same_news_from_two_sides_at_once_is_told_once() -> None:
    tomas = make_user()

    told = side_by_side(*[lambda: tell(tomas)] * 4)

    assert sorted(told, key=str) == [0, 0, 0, 1]
    assert OutboxMessage.objects.count() == 1


@pytest.mark.django_db
def test_telling_many_things_to_many_people_costs_as_much_as_one() -> None:
    people = [make_user() for _ in range(3)]

    def queries(count: int, name: str) -> int:
        news = [
            News(people, f"{name}:{number}", "Over", topic=f"handoff:{number}")
            for number in range(count)
        ]
        with CaptureQueriesContext(connection) as captured:
            assert notify_all(news, now=NOW) == 3 * count
        return len(captured)

    assert queries(20, "many") == queries(1, "one")


@pytest.mark.django_db
def test_reading_marks_ones_own_lines_only() -> None:
    tomas, maj = make_user(), make_user()
    tell(tomas, maj)
    tell(tomas, key="other")
    first = Notification.objects.get(recipient=tomas, key="breach:17")

    one = mark_read(user=tomas, now=NOW, notification_id=first.pk)
    foreign = mark_read(user=maj, now=NOW, notification_id=first.pk)
    rest = mark_read(user=tomas, now=NOW + timedelta(hours=1))

    first.refresh_from_db()
    assert (one, foreign, rest, first.read_at) == (1, 0, 1, NOW)
    assert Notification.objects.unread().get().recipient == maj
