"""Views that somebody pinned stand first among their tabs, and among nobody else's."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from crm.accounts.enums import Role
from crm.accounts.models import User
from leads.models import KeptView, PinnedView
from leads.saved_views import views_of
from leads.services.views import delete_view, pin_view
from tests.factories import NOW, client_of, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def marketer() -> User:
    return make_user(Role.MARKETER)


@pytest.fixture
def web(marketer: User) -> Client:
    return client_of(marketer)


def keep(owner: User, *, is_team: bool = True) -> KeptView:
    return KeptView.objects.create(
        owner=owner, name="German", is_team=is_team, sort="name", page_size=50, created_at=NOW
    )


def test_pinned_views_stand_first_in_the_order_in_which_they_were_pinned(
    marketer: User, web: Client
) -> None:
    kept, before = keep(make_user(Role.MANAGER)), [view.name for view in views_of(marketer)]
    for code in (str(kept.pk), "hot", str(kept.pk)):
        web.post(reverse("leads:view_pin"), {"view": code, "pinned": "1"})

    names = [view.name for view in views_of(marketer)]

    pinned = [str(kept.pk), "hot"]
    assert names == pinned + [name for name in before if name not in pinned]
    assert [view.name for view in views_of(marketer) if view.is_pinned] == pinned
    other = make_user(Role.MARKETER)
    assert [view.name for view in views_of(other)] == before


def test_what_is_unpinned_or_gone_stands_where_it_stood(marketer: User, web: Client) -> None:
    before = [view.name for view in views_of(marketer)]
    kept = keep(marketer, is_team=False)
    pin_view(owner=marketer, kept_id=kept.pk, now=NOW)
    pin_view(owner=marketer, shipped="hot", now=NOW + timedelta(minutes=1))

    web.post(reverse("leads:view_pin"), {"view": "hot"})
    delete_view(view_id=kept.pk, actor=marketer)

    assert [view.name for view in views_of(marketer)] == before
    assert not PinnedView.objects.exists()


def test_what_is_not_offered_cannot_be_pinned(web: Client) -> None:
    theirs = keep(make_user(Role.MANAGER), is_team=False)

    for code in (str(theirs.pk), "no such view", ""):
        answer = web.post(reverse("leads:view_pin"), {"view": code, "pinned": "1"})
        assert answer.status_code == 404
