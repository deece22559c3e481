from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engagement.classify import classify
from engagement.enums import Actor

CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Chrome/125.0.0.0 Safari/537.36"
)


@pytest.mark.parametrize(
    "agent",
    [
        CHROME,
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148",
        "Mozilla/5.0 (Linux; Android 12; CUBOT NOTE 20) AppleWebKit/537.36 Chrome/120 Mobile",
        "Mozilla/5.0 (X11; Linux x86_64; rv:126.0) Gecko/20100101 Firefox/126.0",
        None,
    ],
)
def test_people_and_servers_that_report_for_them_are_human(agent: str | None) -> None:
    assert classify(user_agent=agent).actor is Actor.HUMAN


@pytest.mark.parametrize(
    ("agent", "word"),
    [
        ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "googlebot"),
        ("Mozilla/5.0 (compatible; bingbot/2.0)", "bingbot"),
        ("Mozilla/5.0 (compatible; YandexBot/3.0)", "yandexbot"),
        ("Mozilla/5.0 HeadlessChrome/125.0.0.0 Safari/537.36", "headless"),
        ("facebookexternalhit/1.1", "facebookexternalhit"),
        ("python-requests/2.32", "python-requests"),
        ("curl/8.5.0", "curl"),
        ("Barracuda Sentinel (EE)", "barracuda"),
        ("Mozilla/5.0 (compatible; Baiduspider/2.0)", "spider"),
    ],
)
def test_known_robots_are_machines_by_name(agent: str, word: str) -> None:
    verdict = classify(user_agent=agent)

    assert (verdict.actor, verdict.reason) == (Actor.MACHINE, f"Known robot: {word}")


@pytest.mark.parametrize("purpose", ["prefetch", "prefetch;prerender", "Preview"])
def test_what_a_browser_loads_ahead_nobody_has_seen(purpose: str) -> None:
    verdict = classify(user_agent=CHROME, purpose=purpose)

    assert (verdict.actor, verdict.reason) == (Actor.MACHINE, "Loaded ahead by the browser")


@pytest.mark.parametrize("agent", ["", "  ", "Mozilla/5.0"])
def test_a_browser_that_does_not_say_what_it_is_may_be_anybody(agent: str) -> None:
    assert classify(user_agent=agent).actor is Actor.UNKNOWN


@given(agent=st.text() | st.none(), purpose=st.text())
def test_any_agent_gets_a_verdict_with_a_reason_that_fits_its_column(
    agent: str | None, purpose: str
) -> None:
    verdict = classify(user_agent=agent, purpose=purpose)

    assert len(verdict.reason) <= 100
    assert (verdict.reason == "") == (verdict.actor is Actor.HUMAN)
