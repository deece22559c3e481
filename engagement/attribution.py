"""What brought a visitor: source, medium, campaign, read from an address and a referrer. Pure.

What the link itself says (UTM) goes before what an advertiser's click id says, and that before the
referrer. A page reached without any of them, or from a page of our own, is no arrival.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from leads.normalise import normalise_source

LONGEST_REFERRER = 300
_LONGEST_CAMPAIGN = 200
_MOST_PARAMETERS = 100

#: Medium, source and where its visitors come from. A name without a dot stands for all countries
#: (``google.co.uk``). Our choice, 2026-11: what people in business use in Europe and America.
_PLACES = """
organic  google: google com.google.android.googlequicksearchbox
organic  bing: bing | yahoo: yahoo | duckduckgo: duckduckgo | ecosia: ecosia | qwant: qwant
organic  startpage: startpage | yandex: yandex ya.ru | baidu: baidu | naver: naver | brave: search.brave.com
organic  seznam: seznam | kagi: kagi.com | aol: search.aol.com | t_online: suche.t-online.de
ai       chatgpt: chatgpt.com chat.openai.com | perplexity: perplexity.ai | claude: claude.ai
ai       gemini: gemini.google.com bard.google.com | copilot: copilot.microsoft.com copilot.cloud.microsoft
ai       mistral: chat.mistral.ai | deepseek: deepseek.com | grok: grok.com | meta_ai: meta.ai | you: you.com
social   linkedin: linkedin.com lnkd.in com.linkedin.android | xing: xing.com
social   facebook: facebook.com fb.com fb.me com.facebook.katana | instagram: instagram.com
social   x: x.com twitter.com t.co | youtube: youtube.com youtu.be | tiktok: tiktok.com
social   reddit: reddit.com redd.it | pinterest: pinterest pin.it | threads: threads.net threads.com
social   bluesky: bsky.app | mastodon: mastodon.social | quora: quora.com | vk: vk.com | weibo: weibo.com
social   hacker_news: news.ycombinator.com | whatsapp: whatsapp.com wa.me | telegram: t.me telegram.org
email    gmail: mail.google.com com.google.android.gm | outlook: outlook.live.com outlook.office.com outlook.office365.com outlook.cloud.microsoft
email    yahoo_mail: mail.yahoo.com | proton: mail.proton.me | gmx: gmx.net gmx.de gmx.at gmx.ch | web_de: web.de | icloud: icloud.com
"""  # noqa: E501 -- a table
#: Hosts that are on the way to a page (sign-in, payment) and bring nobody.
_WAYSIDE = {
    "accounts.google.com", "login.microsoftonline.com", "login.live.com", "appleid.apple.com",
    "checkout.stripe.com", "paypal.com",
}  # fmt: skip
#: The first label of a host where people read their mail.
_MAIL_LABELS = {"mail", "webmail", "email", "owa"}
#: What advertisers and mailers append to a link, most telling first. ``fbclid`` says no more than
#: that the link was on Facebook.
_CLICK_IDS = {
    "gclid": ("google", "cpc"), "gbraid": ("google", "cpc"), "wbraid": ("google", "cpc"),
    "dclid": ("google", "display"), "msclkid": ("bing", "cpc"), "yclid": ("yandex", "cpc"),
    "li_fat_id": ("linkedin", "paid_social"), "ttclid": ("tiktok", "paid_social"),
    "twclid": ("x", "paid_social"), "rdt_cid": ("reddit", "paid_social"),
    "sccid": ("snapchat", "paid_social"), "fbclid": ("facebook", "social"),
    "igshid": ("instagram", "social"), "mc_cid": ("mailchimp", "email"),
    "_hsmi": ("hubspot", "email"), "mkt_tok": ("marketo", "email"),
}  # fmt: skip
#: What people call a medium, and how it is called here.
_MEDIA = {
    called: medium
    for medium, names in {
        "cpc": "ppc paid_search paidsearch sem adwords search_ads",
        "paid_social": "paidsocial social_paid cpc_social",
        "display": "banner cpm banners",
        "email": "e_mail mail newsletter emailing",
        "social": "social_network social_media sm organic_social",
        "organic": "organic_search seo",
    }.items()
    for called in names.split()
}
_UTM = {"source": "utm_source", "medium": "utm_medium", "campaign": "utm_campaign"}
_CALL = {"source": "source", "medium": "medium", "campaign": "name"}


@dataclass(frozen=True, slots=True)
class Touch:
    """What brought a visitor once. ``referrer`` is a host and a path, never a query."""

    source: str
    medium: str
    campaign: str = ""
    referrer: str = ""

    def as_json(self) -> dict[str, str]:
        """Return what is known of it, as the log keeps it."""
        return {name: text for name, text in asdict(self).items() if text}

    @classmethod
    def from_json(cls, kept: Mapping[str, str]) -> Touch:
        """Return what the log keeps of one."""
        return cls(**{each.name: kept.get(each.name, "") for each in fields(cls)})


def touch_of(
    *,
    url: str,
    referrer: str = "",
    campaign: object = None,
    own_hosts: Collection[str] = (),
) -> Touch | None:
    """Return what brought the visitor of a page, None when nothing says so.

    Args:
        url: the address of the page, with its query.
        referrer: the page before, as the browser told it.
        campaign: what the tracker read from the address already: ``source``, ``medium``, ``name``.
        own_hosts: hosts that are ours, beside the page's own; with them all that ends in one.
    """
    host, _ = _place(url)
    from_host, from_path = _place(referrer)
    if from_host in _WAYSIDE or any(_is_within(from_host, own) for own in {host, *own_hosts}):
        from_host = from_path = ""
    shown = f"{from_host}{from_path}"[:LONGEST_REFERRER]
    query = _query(url)
    by = _click(query) or _place_of(from_host)
    if said := _said(query, _UTM) or _said(_mapping(campaign), _CALL):
        source, medium = by or ("", "campaign")
        return Touch(said["source"] or source, said["medium"] or medium, said["campaign"], shown)
    return Touch(*by, referrer=shown) if by else None


def _said(given: Mapping[str, Any], keys: Mapping[str, str]) -> dict[str, str] | None:
    """Return what a link says of its own campaign; None when it says nothing."""
    said = {name: _text(given.get(key)) for name, key in keys.items()}
    if not any(said.values()):
        return None
    medium = normalise_source(said["medium"])
    return {
        "source": normalise_source(said["source"]),
        "medium": _MEDIA.get(medium, medium),
        "campaign": said["campaign"][:_LONGEST_CAMPAIGN],
    }


def _click(query: Mapping[str, str]) -> tuple[str, str] | None:
    return next((touch for key, touch in _CLICK_IDS.items() if query.get(key)), None)


def _place_of(host: str) -> tuple[str, str] | None:
    """Return source and medium of who comes from ``host``; another site is a referral."""
    if not host:
        return None
    for known in _names(host):
        if known in _KNOWN:
            return _KNOWN[known]
    label = host.partition(".")[0]
    return host, "email" if label in _MAIL_LABELS else "referral"


def _names(host: str) -> Iterator[str]:
    """Yield a host and what it is part of; the last is its name without a country."""
    labels = host.split(".")
    for start in range(len(labels) - 1):
        yield ".".join(labels[start:])
    registered = -3 if len(labels) > 2 and labels[-2] in {"co", "com"} else -2
    if len(labels) >= -registered and labels[0] not in _MAIL_LABELS:
        yield labels[registered]


def _is_within(host: str, own: str) -> bool:
    """Say whether a host is ours: the same, above or below one that is, ``www`` or not."""
    host, own = host.removeprefix("www."), own.removeprefix("www.")
    return bool(own) and (host == own or host.endswith(f".{own}") or own.endswith(f".{host}"))


def _place(address: str) -> tuple[str, str]:
    """Return host (lower case, without ``www``) and path of an address; empty when it has none."""
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
    except ValueError:  # a stranger's text
        return "", ""
    return host.removeprefix("www."), parts.path if parts.path != "/" else ""


def _query(url: str) -> dict[str, str]:
    """Return the parameters of an address in lower case; of a repeated one the first."""
    if "?" not in url:
        return {}
    try:
        query = urlsplit(url).query
        pairs = parse_qsl(query, max_num_fields=_MOST_PARAMETERS, errors="ignore")
    except ValueError:  # unreadable, or too many to be a page of ours
        return {}
    return {key.lower(): value for key, value in reversed(pairs)}


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return value.strip().replace("\0", "") if isinstance(value, str) else ""


def _known() -> Iterator[tuple[str, tuple[str, str]]]:
    for line in _PLACES.strip().splitlines():
        medium, _, sources = line.partition(" ")
        for entry in sources.split("|"):
            source, _, hosts = entry.partition(":")
            for host in hosts.split():
                yield host, (source.strip(), medium)


_KNOWN = dict(_known())
