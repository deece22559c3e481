from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engagement.identity import Claim, VisitorName, settle

LAPTOP: VisitorName = ("", "laptop")
PHONE: VisitorName = ("", "phone")
USER_7: VisitorName = ("site", "7")
ADA, BEN = 1, 2


def anonymous(device: VisitorName = LAPTOP) -> Claim:
    return Claim(device=device, user=None)


def identifies(
    person: int | str, device: VisitorName | None = LAPTOP, user: VisitorName | None = None
) -> Claim:
    return Claim(device=device, user=user, by_address=person)


def test_an_unknown_visitor_stays_anonymous() -> None:
    settled = settle([anonymous()], {LAPTOP: None})

    assert (settled.people, settled.links, settled.first) == ([None], {}, {})


def test_earlier_acts_of_a_visitor_go_to_the_lead_it_turns_out_to_be() -> None:
    settled = settle([anonymous(), identifies(ADA), anonymous()], {LAPTOP: None})

    assert settled.people == [ADA, ADA, ADA]
    assert settled.links == settled.first == {LAPTOP: ADA}


def test_two_people_on_one_device_stay_two() -> None:
    claims = [anonymous(), identifies(ADA), anonymous(), identifies(BEN), anonymous()]

    settled = settle(claims, {LAPTOP: None})

    assert settled.people == [ADA, ADA, ADA, BEN, BEN]
    assert settled.links == {LAPTOP: BEN}
    assert settled.first == {LAPTOP: ADA}


def test_a_second_person_on_a_linked_device_takes_over_nothing_that_was_done() -> None:
    settled = settle([anonymous(), identifies(BEN), anonymous()], {LAPTOP: ADA})

    assert settled.people == [ADA, BEN, BEN]
    assert (settled.links, settled.first) == ({LAPTOP: BEN}, {})


def test_one_person_on_two_devices_is_one_lead() -> None:
    claims = [anonymous(), anonymous(PHONE), identifies(ADA), identifies(ADA, PHONE)]

    settled = settle(claims, {LAPTOP: None, PHONE: None})

    assert settled.people == [ADA, ADA, ADA, ADA]
    assert settled.first == {LAPTOP: ADA, PHONE: ADA}


def test_a_user_id_is_remembered_once_its_address_was_told() -> None:
    claims = [
        Claim(device=None, user=USER_7),
        identifies("ada@example.com", LAPTOP, USER_7),
        Claim(device=PHONE, user=USER_7),
        anonymous(PHONE),
    ]

    settled = settle(claims, {LAPTOP: None, PHONE: None, USER_7: None})

    assert settled.people == ["ada@example.com"] * 4
    assert set(settled.first) == {LAPTOP, PHONE, USER_7}


def test_a_known_user_who_changes_the_address_stays_the_same_lead() -> None:
    settled = settle([identifies("new@example.com", LAPTOP, USER_7)], {USER_7: ADA, LAPTOP: ADA})

    assert (settled.people, settled.links) == ([ADA], {})


def test_an_imported_user_id_outranks_everything_else() -> None:
    claim = Claim(device=LAPTOP, user=USER_7, lead_id=ADA, by_address=BEN)

    settled = settle([claim], {USER_7: BEN, LAPTOP: None})

    assert (settled.people, settled.links) == ([ADA], {USER_7: ADA, LAPTOP: ADA})


names = st.sampled_from([LAPTOP, PHONE])
people = st.sampled_from([ADA, BEN])
sequences = st.lists(st.builds(anonymous, names) | st.builds(identifies, people, names))


@given(claims=sequences)
def test_who_identified_themselves_is_who_did_it(claims: list[Claim]) -> None:
    settled = settle(claims, {LAPTOP: None, PHONE: None})

    for claim, person in zip(claims, settled.people, strict=True):
        if claim.by_address:
            assert person == claim.by_address
        elif claim.device in settled.first:
            assert person is not None
        else:
            assert person is None
