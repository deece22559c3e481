"""One spelling for what arrives in many: e-mail addresses, phone numbers, sources. Pure."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import phonenumbers

#: Local part, then labels of at most 63 characters; linear, and looser than RFC 5321 on purpose:
#: the only proof of an address is an answer from it.
_EMAIL = re.compile(
    r"[^\s@<>()\[\],;:\"\\\x00-\x1f]{1,64}@(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)+[^\W_]{2,63}"
)
#: As in addresses; a port may follow, but no name and password.
_HOST = re.compile(r"(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)+[^\W_](?:[\w-]{0,61}[^\W_])(?::\d{1,5})?")
_WEB = ("http://", "https://")
_NOT_TEXT = re.compile("[\x00\ud800-\udfff]")
#: Three digits or more with the usual separators, and perhaps an extension; linear.
_DIALLED = re.compile(r"\+?[\s()./-]*(?:\d[\s()./-]*){3,}(?:(?:ext\.?|x)\s*\d+)?", re.IGNORECASE)
_EMAIL_LIMIT = 254
_PHONE_LIMIT = 40
_SOURCE_LIMIT = 100

_PROVIDERS = """
    aol.com bigpond.com bol.com.br free.fr freenet.de gmail.com gmx.at gmx.ch gmx.de
    gmx.net googlemail.com hotmail.co.uk hotmail.com hotmail.de hotmail.fr hotmail.it
    icloud.com ig.com.br laposte.net libero.it live.com mac.com mail.com mail.ru me.com
    msn.com naver.com online.de orange.fr outlook.com outlook.de proton.me protonmail.com
    qq.com rediffmail.com rocketmail.com sky.com t-online.de terra.com.br uol.com.br
    verizon.net wanadoo.fr web.de yahoo.co.in yahoo.co.uk yahoo.com yahoo.com.br yahoo.de
    yahoo.es yahoo.fr yahoo.it yandex.ru ymail.com zoho.com 126.com 163.com
"""
#: Providers whose domain says nothing about where a person works. Our choice, 2026-11.
FREE_MAILBOXES = frozenset(_PROVIDERS.split())

#: Names among sources that are not written as a sentence begins. Our choice: the usual networks.
_SPELLED = {
    "facebook": "Facebook", "google": "Google", "linkedin": "LinkedIn", "xing": "XING",
    "youtube": "YouTube",
}  # fmt: skip
_NAME = re.compile(rf"\b(?:{'|'.join(_SPELLED)})\b", re.IGNORECASE)


class NotAnEmail(ValueError):
    """The text is no e-mail address."""


class NotAWebsite(ValueError):
    """The text is no address of a website."""


class NotText(ValueError):
    """The text holds NUL or a lone surrogate, which no database stores."""


def clean_text(text: str) -> str:
    """Return ``text`` without surrounding space.

    Raises:
        NotText: when it holds NUL or a lone surrogate.
    """
    if _NOT_TEXT.search(text):
        raise NotText("holds a character that is no text")
    return text.strip()


def normalise_email(text: str) -> str | None:
    """Return the address in lower case, or None when ``text`` is blank.

    Raises:
        NotAnEmail: when it is anything else.
    """
    address = text.strip().lower()
    if not address:
        return None
    if len(address) > _EMAIL_LIMIT or not _EMAIL.fullmatch(address):
        raise NotAnEmail(f"{address[:60]!r} is not an e-mail address")
    return address


def email_domain(email: str | None) -> str:
    """Return what follows the last @ in lower case; empty without an address."""
    return email.rpartition("@")[2].lower() if email else ""


def is_free_mailbox(domain: str) -> bool:
    """Say whether ``domain`` hands out mailboxes to anybody, so that it names no company."""
    return domain.lower() in FREE_MAILBOXES


def normalise_phone(text: str, country: str = "") -> str:
    """Return the number as E.164 when it can exist, else as typed with single spaces.

    ``country`` (ISO 3166 alpha-2) reads numbers without a country prefix. A number that cannot be
    read is kept: a person may still be able to.
    """
    typed = " ".join(text.split())[:_PHONE_LIMIT]
    try:
        number = phonenumbers.parse(typed, country or None)
    except phonenumbers.NumberParseException:
        return typed
    if not phonenumbers.is_valid_number(number) or number.extension:
        return typed
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def can_be_dialled(text: str) -> bool:
    """Say whether ``text`` is digits with usual separators: ``030 / 23125-418 ext. 5``."""
    return _DIALLED.fullmatch(text.strip()) is not None


def normalise_website(text: str) -> str:
    """Return a link that can only be followed over http(s); empty when ``text`` is blank.

    Raises:
        NotAWebsite: when it names no host, as ``javascript:...`` does, or a password with it.
    """
    address = text.strip()
    if not address:
        return ""
    link = address if address.lower().startswith(_WEB) else f"https://{address}"
    try:
        host = urlsplit(link).netloc
    except ValueError:
        host = ""
    if not _HOST.fullmatch(host) or re.search(r"[\s\\]", link):
        raise NotAWebsite(f"{text[:60]!r} is not the address of a website")
    return link


def normalise_source(text: str) -> str:
    """Return a source, medium or campaign code: ``Organic Search`` is ``organic_search``."""
    return "_".join(re.findall(r"[^\W_]+", text.lower()))[:_SOURCE_LIMIT]


def source_label(code: str) -> str:
    """Return a code of ``normalise_source`` as a person reads it: ``Organic search``."""
    words = code.replace("_", " ").capitalize()
    return _NAME.sub(lambda found: _SPELLED[found[0].lower()], words)
