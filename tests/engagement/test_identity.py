from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engagement.enums import LinkReason
from engagement.identity import (
    Introduction,
    Owner,
    Settlement,
    Standing,
    VisitorName,
    settle,
)

LAPTOP: VisitorName = ("", "laptop")
PHONE: VisitorName = ("", "phone")
USER_7: VisitorName = ("site", "7")
ADA, BEN = 1, 2
NEW = "ada@example.com"


def anonymous(device: VisitorName | None = LAPTOP, user: VisitorName | None = None) -> Introduction:
    return Introduction(device, user)


def server(
    person: int | str | None, device: VisitorName | None = LAPTOP, user: VisitorName | None = None
) -> Introduction:
    """Return what a server, which is believed, says."""
    return Introduction(
        device, user, by_address=person, captures=True, reason=LinkReason.SERVER, is_believed=True
    )


def browser(
    person: int | str | None, device: VisitorName | None = LAPTOP, user: VisitorName | None = None
) -> Introduction:
    """Return what a website says, which everybody can write."""
    return Introduction(device, user, by_address=person, captures=True)


def proof(person: int, device: VisitorName | None = LAPTOP) -> Introduction:
    return Introduction(device, proof=person, reason=LinkReason.EMAIL_CLICK)


def settled(
    *said: Introduction, standings: dict[VisitorName, Standing] | None = None
) -> Settlement:
    everybody = {name: Standing() for name in (LAPTOP, PHONE, USER_7)}
    return settle(said, {**everybody, **(standings or {})})


def people(settlement: Settlement) -> list[int | str | None]:
    return [owner.person for owner in settlement.owners]


def known(person: int, link: int = 70) -> Standing:
    return Standing(person=person, link=link, proven={person})


def test_an_unknown_visitor_stays_anonymous() -> None:
    found = settled(anonymous())

    assert (found.owners, found.made, found.changed) == ([Owner()], [], set())


def test_earlier_acts_of_a_visitor_go_to_the_lead_it_turns_out_to_be() -> None:
    found = settled(anonymous(), server(ADA), anonymous())

    (made,) = found.made
    assert found.owners == [Owner(ADA, made)] * 3
    assert (made.visitor, made.reason, made.is_proven) == (LAPTOP, LinkReason.SERVER, True)
    assert found.first == {LAPTOP: made}


def test_two_people_on_one_device_stay_two() -> None:
    found = settled(anonymous(), server(ADA), anonymous(), server(BEN), anonymous())

    assert people(found) == [ADA, ADA, ADA, BEN, BEN]
    assert [made.person for made in found.made] == [ADA, BEN]
    assert found.first == {LAPTOP: found.made[0]}
    assert found.standings[LAPTOP].link is found.made[1]


def test_whoever_comes_back_to_a_shared_device_gets_an_identification_of_their_own() -> None:
    found = settled(server(ADA), server(BEN), server(ADA))

    assert [made.person for made in found.made] == [ADA, BEN, ADA]
    assert found.standings[LAPTOP].link is found.made[2]


def test_a_second_person_on_a_linked_device_takes_over_nothing_that_was_done() -> None:
    found = settled(anonymous(), server(BEN), anonymous(), standings={LAPTOP: known(ADA)})

    assert people(found) == [ADA, BEN, BEN]
    assert found.first == {}


def test_one_person_on_two_devices_is_one_lead() -> None:
    found = settled(anonymous(), anonymous(PHONE), server(ADA), server(ADA, PHONE))

    assert people(found) == [ADA, ADA, ADA, ADA]
    assert set(found.first) == {LAPTOP, PHONE}


def test_a_server_remembers_a_user_id_once_it_told_the_address() -> None:
    found = settled(
        server(None, None, USER_7),
        server(NEW, LAPTOP, USER_7),
        server(None, PHONE, USER_7),
        server(None, PHONE),
    )

    assert people(found) == [NEW] * 4
    assert set(found.first) == {LAPTOP, PHONE, USER_7}
    assert found.captured == {NEW: 1}


def test_a_known_user_who_changes_the_address_stays_the_same_lead() -> None:
    both = {LAPTOP: known(ADA, 70), USER_7: known(ADA, 71)}

    from_server = settled(server("new@example.com", LAPTOP, USER_7), standings=both)
    from_browser = settled(browser("new@example.com", LAPTOP, USER_7), standings=both)

    for found in (from_server, from_browser):
        assert (people(found), found.made, found.captured) == ([ADA], [], {})


def test_an_imported_user_id_outranks_everything_else_that_a_server_says() -> None:
    said = Introduction(LAPTOP, USER_7, imported=ADA, by_address=BEN, is_believed=True)

    found = settled(said, standings={USER_7: known(BEN)})

    assert people(found) == [ADA]
    assert found.standings[LAPTOP].person == found.standings[USER_7].person == ADA


def test_a_new_address_from_a_browser_captures_a_lead_and_is_proven() -> None:
    found = settled(anonymous(), browser(NEW))

    assert people(found) == [NEW, NEW]
    assert found.captured == {NEW: 1}
    assert [made.is_proven for made in found.made] == [True]


def test_an_address_in_passing_captures_nobody() -> None:
    found = settled(Introduction(LAPTOP, by_address=NEW))

    assert (people(found), found.made, found.captured) == ([None], [], {})


def test_somebody_elses_address_from_a_browser_is_a_claim_under_which_nothing_counts() -> None:
    found = settled(anonymous(), browser(ADA), anonymous())

    (claim,) = found.made
    assert not claim.is_proven
    assert found.owners == [Owner(), Owner(None, claim), Owner(None, claim)]
    assert (found.standings[LAPTOP].link, found.standings[LAPTOP].claim) == (None, claim)
    assert found.first == {}


def test_the_second_browser_with_a_new_address_of_the_same_batch_merely_claims_it() -> None:
    found = settled(browser(NEW, LAPTOP), browser(NEW, PHONE))

    assert people(found) == [NEW, None]
    assert [made.is_proven for made in found.made] == [True, False]


def test_a_claim_takes_nothing_from_whoever_the_device_was_proven_to_be() -> None:
    found = settled(
        anonymous(), browser(ADA), anonymous(), browser(BEN), anonymous(),
        standings={LAPTOP: known(BEN)},
    )  # fmt: skip

    assert people(found) == [BEN, None, None, BEN, BEN]
    assert len(found.made) == 1


@given(claims=st.integers(1, 5))
def test_a_claim_that_is_repeated_is_one(claims: int) -> None:
    found = settled(*[browser(ADA)] * claims)

    assert len(found.made) == 1


def test_a_claim_that_was_dismissed_is_not_raised_again() -> None:
    found = settled(browser(ADA), standings={LAPTOP: Standing(dismissed={ADA: 5})})

    assert (found.owners, found.made) == ([Owner(None, 5)], [])


def test_a_proof_gives_the_lead_what_was_done_under_the_claim_and_before_it() -> None:
    found = settled(anonymous(), browser(ADA), anonymous(), proof(ADA), anonymous())

    (claim,) = found.made
    assert found.owners == [Owner(ADA, claim)] * 5
    assert [(each.link, each.index, each.reason) for each in found.proofs] == [
        (claim, 3, LinkReason.EMAIL_CLICK)
    ]


def test_a_proof_gives_nobody_what_was_done_under_the_claim_to_be_somebody_else() -> None:
    found = settled(browser(BEN), anonymous(), proof(ADA), anonymous())

    assert people(found) == [None, None, ADA, ADA]
    assert found.proofs == []


def test_a_server_that_names_the_device_proves_its_claim() -> None:
    waiting = Standing(claim=5, open_claims={ADA: 5})

    found = settled(server(ADA), standings={LAPTOP: waiting})

    assert [each.link for each in found.proofs] == [5]
    assert found.standings[LAPTOP].link == 5
    assert found.made == []


def test_a_dismissed_claim_is_not_what_a_proof_proves() -> None:
    found = settled(proof(ADA), standings={LAPTOP: Standing(dismissed={ADA: 5})})

    assert found.proofs == []
    assert [made.is_proven for made in found.made] == [True]


def test_somebody_elses_user_id_from_a_browser_is_a_claim() -> None:
    found = settled(anonymous(LAPTOP, USER_7), standings={USER_7: known(ADA)})
    imported = settled(Introduction(LAPTOP, USER_7, imported=ADA), standings={LAPTOP: known(BEN)})

    assert people(found) == people(imported) == [None]
    assert [made.is_proven for made in (*found.made, *imported.made)] == [False, False]


def test_a_user_id_that_the_same_device_introduced_is_no_claim() -> None:
    found = settled(browser(NEW, LAPTOP, USER_7), anonymous(LAPTOP, USER_7))

    assert people(found) == [NEW, NEW]
    assert all(made.is_proven for made in found.made)


def test_a_user_id_that_a_stranger_took_first_takes_nothing_from_a_known_device() -> None:
    """Red when any user id makes a claim: whoever guesses ids could silence their owners."""
    found = settled(
        browser(BEN, PHONE, USER_7),
        anonymous(LAPTOP, USER_7),
        standings={PHONE: known(BEN, 70), LAPTOP: known(ADA, 71)},
    )

    assert people(found) == [BEN, ADA]


def test_a_user_id_without_a_device_proves_nothing_on_a_website() -> None:
    found = settled(
        anonymous(None, USER_7), browser(ADA, None, USER_7), standings={USER_7: known(ADA)}
    )

    assert (found.owners, found.made) == ([Owner(), Owner()], [])


names = st.sampled_from([LAPTOP, PHONE])
leads = st.sampled_from([ADA, BEN])
users = st.sampled_from([None, USER_7])
websites = (
    st.builds(anonymous, names, users)
    | st.builds(browser, leads, names, users)
    | st.builds(proof, leads, names)
)


@given(said=st.lists(websites))
def test_a_browser_is_nobody_but_whom_it_was_proven_to_be(said: list[Introduction]) -> None:
    found = settled(*said)

    for name in (LAPTOP, PHONE):
        theirs = [
            owner.person
            for each, owner in zip(said, found.owners, strict=True)
            if each.device == name and owner.person
        ]
        proven = {each.proof for each in said if each.device == name and each.proof}
        assert set(theirs) <= proven


@given(said=st.lists(st.builds(anonymous, names) | st.builds(server, leads, names)))
def test_who_a_server_identified_is_who_did_it(said: list[Introduction]) -> None:
    found = settled(*said)

    for each, person in zip(said, people(found), strict=True):
        if each.by_address:
            assert person == each.by_address
        else:
            assert (person is not None) == (each.device in found.first)


@given(said=st.lists(websites | st.builds(server, leads, names, users)), cut=st.integers(0, 20))
def test_batches_settle_like_one(said: list[Introduction], cut: int) -> None:
    """What was nobody's in an earlier batch is attached in the database instead."""
    whole = settled(*said)
    earlier = settled(*said[:cut])
    later = settled(*said[cut:], standings=earlier.standings)

    assert people(later) == people(whole)[len(said[:cut]) :]
    assert {name: each.person for name, each in later.standings.items()} == {
        name: each.person for name, each in whole.standings.items()
    }
