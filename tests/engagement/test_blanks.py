from __future__ import annotations

from engagement.blanks import compare


def test_what_nobody_knew_is_new() -> None:
    told = compare({"city": "", "phone": None}, {"city": "Hagen", "phone": "1", "title": "Lead"})
    assert told.new == {"city": "Hagen", "phone": "1", "title": "Lead"}
    assert told.differences == {}


def test_what_is_known_stays_and_the_contradiction_is_told() -> None:
    told = compare({"city": "Hagen"}, {"city": "Siegen"})
    assert (told.new, told.differences) == ({}, {"city": ["Hagen", "Siegen"]})


def test_a_blank_answer_says_nothing() -> None:
    told = compare({"city": "Hagen"}, {"city": "", "attributes": {"plant": None}})
    assert (told.new, told.differences) == ({}, {})


def test_capitals_and_spaces_are_no_contradiction() -> None:
    told = compare({"company_name": "Kesterwald  Pumpen"}, {"company_name": "KESTERWALD pumpen"})
    assert (told.new, told.differences) == ({}, {})


def test_attributes_are_compared_key_by_key() -> None:
    told = compare({"attributes": {"staff": 75}}, {"attributes": {"staff": 80, "plant": "Hagen"}})
    assert told.new == {"attributes": {"plant": "Hagen"}}
    assert told.differences == {"attr_staff": [75, 80]}


def test_no_and_nought_are_answers() -> None:
    told = compare({"attributes": {"ready": False}}, {"attributes": {"ready": True, "staff": 0}})
    assert told.new == {"attributes": {"staff": 0}}
    assert told.differences == {"attr_ready": [False, True]}
