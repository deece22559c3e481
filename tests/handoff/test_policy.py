"""The qualification policy as data: every combination of answers, templates, and its page."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from crm.accounts.enums import Role
from handoff.agreement_diff import changes_between
from handoff.answer_lines import aligned, blank_lines, with_fields
from handoff.bant import outcomes, policy_sentence, propose
from handoff.enums import BantAnswer, Verdict
from handoff.frameworks import (
    DEFAULT_QUALIFICATION,
    TEMPLATES,
    PolicyInvalid,
    QualificationPolicy,
    check_policy,
    read_policy,
    with_questions,
    write_policy,
)
from handoff.models import Agreement
from handoff.services import draft_next, revise_draft, save_bant
from tests.factories import NOW, client_of, make_user
from tests.handoff.factories import (
    holder_of,
    make_agreement,
    make_calendar,
    make_handoff,
    make_scoring_model,
)

YES, NO, UNKNOWN, NOT_ASKED = BantAnswer
BANT = DEFAULT_QUALIFICATION


def _policy(needed: int, *musts: str, unknown: bool = True) -> QualificationPolicy:
    marked = with_questions(BANT, {name: {"is_must": True} for name in musts})
    return replace(marked, yes_needed=needed, unknown_allowed=unknown)


def _expected(way: tuple[BantAnswer, ...], needed: int, musts: set[str], unknown: bool) -> Verdict:
    """Say the rule again in other words: by counting what speaks against it."""
    said = dict(zip(("budget", "authority", "need", "timeline"), way, strict=True))
    if said["need"] == "NO":
        return Verdict.DISQUALIFY
    not_yes = {name for name, answer in said.items() if answer != "YES"}
    open_ones = {name for name, answer in said.items() if answer in ("UNKNOWN", "NOT_ASKED")}
    against = len(not_yes) > 4 - needed or not_yes & musts or (open_ones and not unknown)
    return Verdict.RECYCLE if against else Verdict.SQL


@pytest.mark.parametrize("unknown", [True, False])
@pytest.mark.parametrize(
    ("needed", "musts"),
    [(4, ()), (3, ()), (3, ("need",)), (2, ("budget", "need")), (2, ()), (1, ("authority",))],
)
def test_each_of_the_256_ways_to_answer_is_judged_by_the_policy(
    needed: int, musts: tuple[str, ...], unknown: bool
) -> None:
    policy = _policy(needed, *musts, unknown=unknown)
    ways = list(product(BantAnswer, repeat=4))

    found = [propose(dict(zip(BANT.names, way, strict=True)), policy=policy) for way in ways]

    assert len(ways) == 256
    wanted = [_expected(way, needed, set(musts), unknown) for way in ways]
    assert [each.verdict for each in found] == wanted


#: Counted by hand: of 4 ways to answer each question, 64 have no need.
#: 3 of 4: all yes (1), need yes and one of three others not yes (3 * 3), or need open (2).
@pytest.mark.parametrize(
    ("policy", "counts"),
    [
        (_policy(4), (1, 191, 64)),
        (_policy(3), (12, 180, 64)),
        (_policy(3, unknown=False), (4, 188, 64)),
        (_policy(3, "need"), (10, 182, 64)),
        (_policy(3, "budget", "need"), (7, 185, 64)),
    ],
)
def test_outcomes_add_up_to_what_was_counted_by_hand(
    policy: QualificationPolicy, counts: tuple[int, int, int]
) -> None:
    assert tuple(outcomes(policy).values()) == counts


def test_a_policy_says_what_it_asks_for() -> None:
    answers = dict.fromkeys(BANT.names, YES) | {"timeline": UNKNOWN}

    proposal = propose(answers, policy=_policy(3, "budget", "need", unknown=False))

    assert proposal.sentence == (
        "Timeline unknown. The policy in force asks for 3 of 4, budget and need among them,"
        " and nothing unknown."
    )


@pytest.mark.parametrize(
    ("cycles", "verdict"),
    [(1, Verdict.RECYCLE), (2, Verdict.RECYCLE), (3, Verdict.DISQUALIFY), (4, Verdict.DISQUALIFY)],
)
def test_the_last_cycle_is_not_recycled_again(cycles: int, verdict: Verdict) -> None:
    policy = replace(BANT, most_cycles=3)

    assert propose({"budget": NO}, policy=policy, cycles=cycles).verdict is verdict
    assert propose({"budget": NO}, policy=BANT, cycles=cycles).verdict is Verdict.RECYCLE


@pytest.mark.parametrize("name", TEMPLATES)
def test_each_template_can_be_met_kept_and_read_again(name: str) -> None:
    policy = TEMPLATES[name]

    check_policy(policy)
    assert read_policy(write_policy(policy)) == policy
    all_yes = dict.fromkeys(policy.names, YES)
    assert propose(all_yes, policy=policy).verdict is Verdict.SQL


@pytest.mark.parametrize(
    ("policy", "problem"),
    [
        (replace(BANT, yes_needed=0), "SQL needs 1 to 4 answers"),
        (replace(BANT, yes_needed=5), "SQL needs 1 to 4 answers"),
        (_policy(1, "budget", "need"), "2 questions must be yes"),
        (replace(BANT, questions=()), "Ask 1 to 6 questions"),
        (with_questions(BANT, {"need": {"label": "Budget"}}), "have the same name"),
        (replace(BANT, most_cycles=21), "up to 20 times"),
    ],
)
def test_a_policy_that_cannot_be_followed_is_refused(
    policy: QualificationPolicy, problem: str
) -> None:
    with pytest.raises(PolicyInvalid, match=problem):
        check_policy(policy)


def test_answers_are_kept_when_other_questions_are_asked() -> None:
    lines = with_fields(blank_lines(BANT), {"budget": YES, "authority": YES, "authority_note": "A"})

    kept = aligned(lines, TEMPLATES["CHAMP"])

    assert [(line["label"], line["answer"]) for line in kept] == [
        ("Challenges", "NOT_ASKED"),
        ("Authority", "YES"),
        ("Money", "NOT_ASKED"),
        ("Prioritization", "NOT_ASKED"),
        ("Budget", "YES"),
    ]
    assert kept[1]["note"] == "A"


@pytest.mark.django_db
def test_a_handoff_is_asked_what_its_agreement_asks_for() -> None:
    make_calendar()
    make_agreement(qualification=write_policy(TEMPLATES["MEDDIC"]))
    handoff = make_handoff()
    rep = holder_of(handoff)

    blank = handoff.bant
    bant = save_bant(
        handoff_id=handoff.pk, rep=rep, fields={"pain": "NO", "pain_detail": "None"}, now=NOW
    )
    page = client_of(rep).get(reverse("handoff:bant", args=[handoff.pk])).content.decode()

    assert (blank.framework, len(blank.lines)) == ("MEDDIC", 6)
    assert bant.proposed_verdict == Verdict.DISQUALIFY
    assert bant.values["pain_detail"] == "None"
    assert page.count('type="radio" name="economic_buyer"') == 4
    assert "MEDDIC after the call" in page


@pytest.fixture
def draft() -> Agreement:
    make_scoring_model()
    return draft_next(now=NOW)


def _page(draft: Agreement) -> str:
    return reverse("handoff:agreement_qualification", args=[draft.version])


def _said(web: Client, address: str) -> dict[str, Any]:
    form = web.get(address).context["form"]
    said = {name: form[name].value() for name in form.fields}
    return {name: value for name, value in said.items() if value is not None and value is not False}


@pytest.mark.django_db
def test_the_policy_of_a_draft_is_changed_on_its_page(draft: Agreement) -> None:
    web = client_of(make_user(Role.MANAGER))
    fields = {**_said(web, _page(draft)), "framework": "BANT", "revision": 1}

    refused = web.post(_page(draft), {**fields, "yes_needed": 9})
    saved = web.post(
        _page(draft),
        {**fields, "yes_needed": 3, "need-is_must": "on", "need-prompt": "What hurts?"},
    )
    stale = web.post(_page(draft), fields)

    draft.refresh_from_db()
    assert (refused.status_code, saved.status_code, stale.status_code) == (422, 302, 422)
    assert "SQL needs 1 to 4 answers" in refused.content.decode()
    assert "Somebody changed the draft" in stale.content.decode()
    assert (draft.policy.yes_needed, [each.name for each in draft.policy.musts]) == (3, ["need"])
    assert "10 propose SQL, 182 propose Recycle" in web.get(_page(draft)).content.decode()


@pytest.mark.django_db
def test_a_template_replaces_the_questions_once_it_is_saved(draft: Agreement) -> None:
    web = client_of(make_user(Role.MANAGER))
    address = f"{_page(draft)}?template=CHAMP"

    page = web.get(address).content.decode()
    assert "nothing is saved yet" in page
    assert web.get(f"{_page(draft)}?template=NONE").context["framework"] == "BANT"
    fields = {**_said(web, address), "framework": "CHAMP", "revision": 1}
    assert web.post(_page(draft), fields).status_code == 302

    draft.refresh_from_db()
    assert draft.policy == TEMPLATES["CHAMP"]
    assert policy_sentence(draft.policy).startswith(
        "SQL is proposed by CHAMP from 3 of 4 answered yes"
    )


@pytest.mark.django_db
def test_versions_say_what_they_ask_otherwise() -> None:
    old = make_agreement()
    new = draft_next(now=NOW)
    changed = with_questions(_policy(3), {"need": {"prompt": "What hurts?"}})
    new = revise_draft(
        agreement_id=new.pk, revision=1, now=NOW, qualification=write_policy(changed)
    )

    asked = "4 answered yes (budget, authority, need, timeline)"
    by = "SQL is proposed by BANT from"
    assert changes_between(old, new) == [
        f"{by} 3 of {asked}; was: {by} 4 of {asked}",
        "BANT asks otherwise for need: What hurts?",
    ]
