"""Who is calling, as far as an unknown caller can be told from another: for sharing places, while a request lasts."""

from __future__ import annotations

import secrets
from hashlib import blake2b
from ipaddress import IPv6Address, ip_address, ip_network

from adapters.inbound.http.request import Headers

_KEY = secrets.token_bytes(32)
"""Of this process and its life: what is made with it means nothing elsewhere or later."""
NETWORK_BITS = 64
"""What one household or host has of IPv6 at the least."""


def caller_of(headers: Headers) -> str:
    """Return a name for whoever the proxy in front says is calling; empty where it says nothing.

    The address itself goes no further (PRIVACY.md, N5), and of several only the last was written by our own proxy.
    """
    said = headers.getall("X-Forwarded-For", ())
    if not said:
        return ""
    try:
        address = ip_address(said[-1].rpartition(",")[2].strip())
    except ValueError:
        return ""
    if isinstance(address, IPv6Address):
        address = ip_network((address, NETWORK_BITS), strict=False).network_address
    return blake2b(address.packed, key=_KEY, digest_size=8).hexdigest()
