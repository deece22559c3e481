"""Who sends: the key in the header, and the address in front of the proxies that we trust. Pure."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

_LONGEST = {"agent": 500, "purpose": 50}

Networks = Sequence[IPv4Network | IPv6Network]


def networks(names: Sequence[str]) -> Networks:
    """Return the networks of addresses such as ``10.0.0.5`` and ``10.1.0.0/16``.

    Raises:
        ValueError: a name is neither.
    """
    return [ip_network(name.strip()) for name in names]


def key_in(header: bytes) -> str:
    """Return the key of ``Authorization: Basic``; "" when the body has to name it."""
    scheme, _, packed = header.partition(b" ")
    if scheme.lower() != b"basic":
        return ""
    try:
        return base64.b64decode(packed, validate=True).decode().partition(":")[0]
    except (binascii.Error, UnicodeDecodeError):
        return ""


def address_of(client: str, forwarded: bytes, trusted: Networks) -> str:
    """Return the address of who sent a request.

    Args:
        client: the other end of the connection.
        forwarded: ``X-Forwarded-For``, which counts only as far as proxies of ours wrote it.
        trusted: the networks of these proxies.
    """
    if not trusted:
        return client
    address = client
    for name in reversed(forwarded.decode("latin-1").split(",")):
        if not _is_in(address, trusted) or not (name := name.strip()):
            break
        address = name
    return address if _is_address(address) else client


def circumstances(address: str, headers: Mapping[bytes, bytes]) -> str:
    """Return as JSON what a request told beside its body, as far as it is known."""
    purpose = headers.get(b"sec-purpose", b"") or headers.get(b"purpose", b"")
    return _circumstances(address, headers.get(b"user-agent", b""), purpose)


@lru_cache(maxsize=1_000)
def _circumstances(address: str, agent: bytes, purpose: bytes) -> str:
    told = {"agent": agent, "purpose": purpose}
    known = {name: value.decode("latin-1")[: _LONGEST[name]] for name, value in told.items()}
    return json.dumps({name: each for name, each in {"address": address, **known}.items() if each})


def _is_in(address: str, trusted: Networks) -> bool:
    if not _is_address(address):
        return False
    place = ip_address(address)
    return any(place in network for network in trusted)


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
