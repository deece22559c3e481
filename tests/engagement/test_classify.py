from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engagement.classify import Networks, classify
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
        "analytics-python/2.3.3",
        None,
    ],
)
def test_people_and_servers_that_report_for_them_are_human(agent: str | None) -> None:
    assert classify(agent=agent).actor is Actor.HUMAN


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
        ("Mozilla/4.0 (compatible; ms-office; MSOffice 16)", "ms-office"),
        ("NeverHeardOfBot/0.1", "neverheardofbot"),
        ("ChatGPT-User/1.0", "chatgpt-user"),
        ("WhatsApp/2.23.20.0", "whatsapp"),
    ],
)
def test_known_robots_are_machines_by_name(agent: str, word: str) -> None:
    verdict = classify(agent=agent)

    assert (verdict.actor, verdict.reason) == (Actor.MACHINE, f"Known robot: {word}")


@pytest.mark.parametrize("purpose", ["prefetch", "prefetch;prerender", "Preview"])
def test_what_a_browser_loads_ahead_nobody_has_seen(purpose: str) -> None:
    verdict = classify(agent=CHROME, purpose=purpose)

    assert (verdict.actor, verdict.reason) == (Actor.MACHINE, "Loaded ahead by the browser")


@pytest.mark.parametrize(
    "agent",
    [
        "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)",
        "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html",
    ],
)
def test_what_a_mail_service_loads_may_have_been_seen(agent: str) -> None:
    verdict = classify(agent=agent)

    assert (verdict.actor, verdict.reason) == (Actor.UNKNOWN, "Loaded by the mail provider")


@pytest.mark.parametrize(
    ("address", "actor"),
    [
        ("203.0.113.0", Actor.MACHINE),
        ("203.0.113.255", Actor.MACHINE),
        ("203.0.114.0", Actor.HUMAN),
        ("203.0.112.255", Actor.HUMAN),
        ("198.51.100.7", Actor.MACHINE),
        ("198.51.100.8", Actor.HUMAN),
        ("2001:db8::1", Actor.MACHINE),
        ("2001:db9::1", Actor.HUMAN),
        ("::ffff:203.0.113.9", Actor.MACHINE),
        ("", Actor.HUMAN),
        ("no address", Actor.HUMAN),
    ],
)
def test_browsers_in_hosting_networks_are_machines(address: str, actor: Actor) -> None:
    networks = Networks(["203.0.113.0/25", "203.0.113.128/25", "198.51.100.7", "2001:db8::/32"])

    assert classify(agent=CHROME, address=address, networks=networks).actor is actor


def test_a_server_may_stand_in_a_hosting_network() -> None:
    networks = Networks(["203.0.113.0/24"])

    assert classify(agent=None, address="203.0.113.9", networks=networks).actor is Actor.HUMAN


def test_a_network_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="999"):
        Networks(["10.0.0.0/8", "999.0.0.0/8"])


@pytest.mark.parametrize("agent", ["", "  ", "Mozilla/5.0"])
def test_a_browser_that_does_not_say_what_it_is_may_be_anybody(agent: str) -> None:
    assert classify(agent=agent).actor is Actor.UNKNOWN


@given(agent=st.text() | st.none(), purpose=st.text())
def test_any_agent_gets_a_verdict_with_a_reason_that_fits_its_column(
    agent: str | None, purpose: str
) -> None:
    verdict = classify(agent=agent, purpose=purpose)

    assert len(verdict.reason) <= 100
    assert (verdict.reason == "") == (verdict.actor is Actor.HUMAN)
