import pytest

from leads.countries import country_code, country_name
from leads.normalise import (
    NotAnEmail,
    NotAWebsite,
    NotText,
    can_be_dialled,
    clean_text,
    email_domain,
    is_free_mailbox,
    normalise_email,
    normalise_phone,
    normalise_source,
    normalise_website,
    source_label,
)


def test_an_email_is_lower_case_without_space_around() -> None:
    assert normalise_email("  Ines.Kallweit@Kesterwald.Example ") == (
        "ines.kallweit@kesterwald.example"
    )


def test_a_blank_email_is_none() -> None:
    assert normalise_email("   ") is None


@pytest.mark.parametrize(
    "text",
    [
        "none", "@example.com", "a@b", "a b@example.com", "a@@example.com", "a@-example.com",
        "a@example..com", "a@example.com\x00", "a@" + "x" * 250 + ".com", "a" * 65 + "@example.com",
    ],
)  # fmt: skip
def test_what_is_no_email_is_refused(text: str) -> None:
    with pytest.raises(NotAnEmail):
        normalise_email(text)


def test_an_address_with_plus_and_a_foreign_domain_is_an_email() -> None:
    assert normalise_email("o'neil+news@bücher.example") == "o'neil+news@bücher.example"


def test_the_domain_of_an_address() -> None:
    assert email_domain("a@sub.example.com") == "sub.example.com"
    assert email_domain(None) == ""


def test_a_free_mailbox_names_no_company() -> None:
    assert is_free_mailbox("GMAIL.com")
    assert not is_free_mailbox("kesterwald.example")


@pytest.mark.parametrize(
    ("typed", "country", "stored"),
    [
        ("+49 30 23125 418", "", "+493023125418"),
        ("030 / 23125418", "DE", "+493023125418"),
        ("030 / 23125418", "", "030 / 23125418"),
        ("ask  for Tom", "DE", "ask for Tom"),
        ("+44 20 7946 0018 ext 5", "", "+44 20 7946 0018 ext 5"),
        ("", "DE", ""),
    ],
)
def test_a_phone_number_is_international_when_it_can_be_read(
    typed: str, country: str, stored: object
) -> None:
    assert normalise_phone(typed, country) == stored


@pytest.mark.parametrize(
    "typed",
    ["+49 30 23125-418", "(030) 23125/418", "+44 20.7946.0018 ext. 5", "+1 (0) 20 794 x12", "112"],
)
def test_digits_with_usual_separators_can_be_dialled(typed: str) -> None:
    assert can_be_dialled(typed)


@pytest.mark.parametrize("typed", ["12ab", "ask for Tom", "12", "+", "030 + 23125", "030; rm"])
def test_other_text_cannot_be_dialled(typed: str) -> None:
    assert not can_be_dialled(typed)


def test_a_long_text_that_cannot_be_dialled_is_refused_at_once() -> None:
    assert not can_be_dialled("1 " * 20_000 + "!")


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("Google", "google"),
        ("google", "google"),
        ("Organic Search", "organic_search"),
        ("  Pay per Click Ads ", "pay_per_click_ads"),
        ("Référence-2", "référence_2"),
        ("--", ""),
    ],
)
def test_a_source_has_one_spelling(typed: str, stored: object) -> None:
    assert normalise_source(typed) == stored


def test_a_source_is_shown_as_words() -> None:
    assert source_label("organic_search") == "Organic search"
    assert source_label("linkedin_ads") == "LinkedIn ads"
    assert source_label("paid_google") == "Paid Google"
    assert source_label("googlemail") == "Googlemail"


@pytest.mark.parametrize("text", ["a\x00b", "a\ud800b"])
def test_what_no_database_stores_is_refused(text: str) -> None:
    with pytest.raises(NotText):
        clean_text(text)


@pytest.mark.parametrize(
    ("typed", "code"),
    [("de", "DE"), (" Germany ", "DE"), ("UK", "GB"), ("USA", "US"), ("Atlantis", ""), ("", "")],
)
def test_a_country_is_found_by_code_and_by_name(typed: str, code: str) -> None:
    assert country_code(typed) == code


def test_a_country_has_a_name() -> None:
    assert country_name("CI") == "Ivory Coast"
    assert country_name("ZZ") == "ZZ"


@pytest.mark.parametrize(
    ("typed", "link"),
    [
        ("", ""),
        (" kesterwald.example ", "https://kesterwald.example"),
        ("HTTP://www.Kesterwald.example/a?b=c#d", "HTTP://www.Kesterwald.example/a?b=c#d"),
        ("kesterwald.example:8080/a", "https://kesterwald.example:8080/a"),
        ("b\N{LATIN SMALL LETTER U WITH DIAERESIS}cher.example/a@b",
         "https://b\N{LATIN SMALL LETTER U WITH DIAERESIS}cher.example/a@b"),
        ("xn--bcher-kva.xn--p1ai", "https://xn--bcher-kva.xn--p1ai"),
    ],
)  # fmt: skip
def test_a_website_is_a_link_over_http(typed: str, link: str) -> None:
    assert normalise_website(typed) == link


@pytest.mark.parametrize(
    "text",
    [
        "javascript:alert(1)", "JaVaScRiPt:alert(1)//", "data:text/html,<script>", "//evil.example",
        "http://[::1", "http://[::1]", "http://user:pw@x.example", "user@x.example", "https://",
        "https:///a.example", "ftp://x.example", "none", "http://a b.example", "a.example/b c",
        "https://a.example\\@b.example", "https://x.example:port", "-.example",
    ],
)  # fmt: skip
def test_what_names_no_host_is_no_website(text: str) -> None:
    with pytest.raises(NotAWebsite):
        normalise_website(text)
