"""What brought a visitor, from addresses and referrers as they are in the wild."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engagement.attribution import LONGEST_REFERRER, Touch, touch_of

PAGE = "https://www.halvorn.example/pricing"


@pytest.mark.parametrize(
    ("referrer", "source", "medium"),
    [
        ("https://www.google.com/", "google", "organic"),
        ("https://www.google.co.uk/search?q=oee", "google", "organic"),
        ("https://google.de/url", "google", "organic"),
        ("android-app://com.google.android.googlequicksearchbox/", "google", "organic"),
        ("https://www.bing.com/search?q=x", "bing", "organic"),
        ("https://search.yahoo.com/", "yahoo", "organic"),
        ("https://duckduckgo.com/", "duckduckgo", "organic"),
        ("https://mail.google.com/mail/u/0/", "gmail", "email"),
        ("android-app://com.google.android.gm/", "gmail", "email"),
        ("https://outlook.office.com/", "outlook", "email"),
        ("https://webmail.kesterwald.de/roundcube", "webmail.kesterwald.de", "email"),
        ("https://www.linkedin.com/feed/", "linkedin", "social"),
        ("https://lnkd.in/abc", "linkedin", "social"),
        ("https://l.facebook.com/l.php", "facebook", "social"),
        ("https://t.co/xyz", "x", "social"),
        ("https://chatgpt.com/", "chatgpt", "ai"),
        ("https://gemini.google.com/app", "gemini", "ai"),
        ("https://www.perplexity.ai/search/x", "perplexity", "ai"),
        ("https://www.fachzeitung.de/artikel", "fachzeitung.de", "referral"),
        ("https://google.evil.com/", "google.evil.com", "referral"),
        ("https://notgoogle.com/", "notgoogle.com", "referral"),
    ],
)
def test_a_referrer_tells_source_and_medium(referrer: str, source: str, medium: str) -> None:
    touch = touch_of(url=PAGE, referrer=referrer)

    assert touch is not None
    assert (touch.source, touch.medium) == (source, medium)


@pytest.mark.parametrize(
    ("query", "touch"),
    [
        (
            "utm_source=Newsletter&utm_medium=E-Mail&utm_campaign=May 2026",
            Touch("newsletter", "email", "May 2026"),
        ),
        ("utm_source=google&utm_medium=ppc", Touch("google", "cpc")),
        ("UTM_Source=LinkedIn&utm_medium=paid-social", Touch("linkedin", "paid_social")),
        ("utm_campaign=spring", Touch("", "campaign", "spring")),
        ("utm_campaign=spring&gclid=x", Touch("google", "cpc", "spring")),
        ("utm_source=a&utm_source=b", Touch("a", "campaign")),
        ("gclid=Cj0KCQ", Touch("google", "cpc")),
        ("msclkid=1", Touch("bing", "cpc")),
        ("fbclid=1", Touch("facebook", "social")),
        ("li_fat_id=1", Touch("linkedin", "paid_social")),
        ("ttclid=1", Touch("tiktok", "paid_social")),
    ],
)
def test_a_link_tells_its_campaign(query: str, touch: Touch) -> None:
    assert touch_of(url=f"{PAGE}?{query}#top") == touch


def test_what_the_link_says_goes_before_the_referrer() -> None:
    touch = touch_of(
        url=f"{PAGE}?utm_source=partner&utm_medium=referral", referrer="https://www.google.com/"
    )

    assert touch == Touch("partner", "referral", referrer="google.com")


def test_an_advertisement_on_a_search_engine_is_paid() -> None:
    touch = touch_of(url=f"{PAGE}?gclid=1", referrer="https://www.google.com/search")

    assert touch == Touch("google", "cpc", referrer="google.com/search")


def test_a_campaign_that_the_tracker_read_counts_as_the_links() -> None:
    told = {"source": "Google", "medium": "cpc", "name": "planned downtime", "term": "cmms"}

    assert touch_of(url=PAGE, campaign=told) == Touch("google", "cpc", "planned downtime")


@pytest.mark.parametrize(
    "referrer",
    [
        "",
        "https://halvorn.example/blog/oee",
        "https://www.halvorn.example/",
        "https://blog.halvorn.example/",
        "https://shop.halvorn.com/cart",
        "https://accounts.google.com/signin",
        "https://checkout.stripe.com/pay",
        "nonsense",
        "http://[::1",
    ],
)
def test_coming_from_our_own_pages_or_from_nowhere_is_no_arrival(referrer: str) -> None:
    assert touch_of(url=PAGE, referrer=referrer, own_hosts={"halvorn.com"}) is None


def test_a_host_is_ours_by_whole_names_only() -> None:
    touch = touch_of(url="https://corn.example/", referrer="https://popcorn.example/")

    assert touch == Touch("popcorn.example", "referral", referrer="popcorn.example")


def test_the_query_of_a_referrer_is_never_kept() -> None:
    touch = touch_of(url=PAGE, referrer="https://other.example/s/?q=ada@example.com#x")

    assert touch is not None
    assert touch.referrer == "other.example/s/"
    assert touch.as_json() == {
        "source": "other.example",
        "medium": "referral",
        "referrer": "other.example/s/",
    }


@given(url=st.text(), referrer=st.text(), campaign=st.dictionaries(st.text(), st.text()))
def test_any_text_is_read_without_failing_and_fits_its_column(
    url: str, referrer: str, campaign: dict[str, str]
) -> None:
    touch = touch_of(url=f"https://a.example/?{url}", referrer=referrer, campaign=campaign)

    assert touch is None or len(touch.referrer) <= LONGEST_REFERRER
