"""The one way in which Baton calls other servers: to public addresses, briefly, without redirects.

The name is resolved once and the connection goes to the address that was checked, so that a name
which answers differently the second time reaches nothing.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
from collections.abc import Mapping
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

TIMEOUT = 5.0  # seconds, of each wait
LONGEST_ADDRESS = 500
_LARGEST_ANSWER = 65_536
_PORTS = {"https": 443, "http": 80}


class AddressRefused(ValueError):
    """The address is none that may be called; the message says why."""


class CallFailed(Exception):
    """The server was not reached, or did not answer with success."""


def check_address(url: str) -> SplitResult:
    """Return the parts of an address that may be called, as far as its text says.

    Raises:
        AddressRefused: no http(s), no host, or credentials in it.
    """
    if len(url) > LONGEST_ADDRESS or not url.isprintable():
        raise AddressRefused("The address is too long, or holds what no address does.")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise AddressRefused("This is no address.") from error
    if parts.scheme not in _PORTS or not parts.hostname or port == 0:
        raise AddressRefused("Give an address that begins with https://")
    if parts.username or parts.password:
        raise AddressRefused("Leave name and password out of the address.")
    return parts


def post(url: str, body: bytes, headers: Mapping[str, str]) -> None:
    """Send ``body``; return once the server has answered with success.

    Raises:
        AddressRefused: the address is none that may be called.
        CallFailed: it was not reached in time, or answered otherwise.
    """
    parts = check_address(url)
    host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
    target = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
    try:
        with _connected(_public_address(host, port), port, parts) as line:
            caller = http.client.HTTPConnection(host, port, timeout=TIMEOUT)
            caller.sock = line
            caller.request("POST", target, body=body, headers=dict(headers))
            answer = caller.getresponse()
            answer.read(_LARGEST_ANSWER)
    except (OSError, http.client.HTTPException) as error:
        raise CallFailed(f"No answer: {type(error).__name__}") from None
    if not 200 <= answer.status < 300:
        raise CallFailed(f"The server answered {answer.status}.")


def _public_address(host: str, port: int) -> str:
    """Return the address of ``host``; each one that it has must be public.

    An installation can name hosts of its own network that may be called all the same.
    """
    found = {str(each[4][0]) for each in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
    if host not in settings.OUTGOING_PRIVATE_HOSTS and not all(map(_is_public, found)):
        raise AddressRefused("The address leads into a private network.")
    return min(found)


def _is_public(address: str) -> bool:
    parsed = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(parsed, "ipv4_mapped", None) or getattr(parsed, "sixtofour", None)
    return (mapped or parsed).is_global and not parsed.is_multicast


def _connected(address: str, port: int, parts: SplitResult) -> socket.socket:
    line = socket.create_connection((address, port), timeout=TIMEOUT)
    if parts.scheme == "http":
        return line
    return ssl.create_default_context().wrap_socket(line, server_hostname=parts.hostname)
