"""Origins of web pages as browsers name them: ``https://www.example.com``. Pure."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

LONGEST = 200
_PORT_OF = {"http": 80, "https": 443}
#: A name or an address. Origins are written into policies, where any other character could end one.
_HOST = re.compile(r"[a-z0-9._-]+|[0-9a-f:.]+")


class NotAnOrigin(ValueError):
    """A text names no origin; the message says what is wrong with it."""


def parse_origin(text: str) -> str:
    """Return the origin that ``text`` names, spelled as a browser sends it.

    Browsers send host names in lower case and ASCII, and no port that goes without saying.

    Raises:
        NotAnOrigin: it has no scheme or host, or more than an origin has.
    """
    text = text.strip()
    try:
        parts = urlsplit(text)
        scheme, port = parts.scheme.lower(), parts.port
        host = (parts.hostname or "").encode("idna").decode()
    except ValueError:  # UnicodeError is one
        raise NotAnOrigin(f"{text} is no address.") from None
    if scheme not in _PORT_OF or not host:
        raise NotAnOrigin(f"{text} does not begin with https:// and the name of a site.")
    if parts.path not in ("", "/") or parts.query or parts.fragment or "@" in parts.netloc:
        raise NotAnOrigin(f"{text} is more than a site: leave out what follows its name.")
    shown = f"[{host}]" if ":" in host else host
    origin = f"{scheme}://{shown}" + (f":{port}" if port not in (None, _PORT_OF[scheme]) else "")
    if len(origin) > LONGEST or not _HOST.fullmatch(host):
        raise NotAnOrigin(f"{text[:60]} is no address.")
    return origin
