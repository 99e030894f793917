"""Which addresses are called: public ones, looked up by us, and connected to as they were checked.

A name is resolved once for each connection, and the connection goes to one of the addresses that were found then. It is
looked at twice: when it comes from the resolver, and as the socket for it is made, so that nothing gets past by
another way (a name that is an address, a cache, a second lookup).
"""

from __future__ import annotations

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult
from typing_extensions import override

CARRYING = tuple(
    map(ip_network, ("::ffff:0:0/96", "::/96", "64:ff9b::/96", "64:ff9b:1::/48", "2001::/32", "2002::/16"))
)
"""IPv6 addresses with an IPv4 address inside: whoever translates them would get anywhere."""
NOBODYS = tuple(map(ip_network, ("100.64.0.0/10", "192.0.0.0/24", "192.88.99.0/24", "198.18.0.0/15", "240.0.0.0/4",
                                 "fc00::/7", "fe80::/10", "fec0::/10", "100::/64")))  # fmt: skip
"""Not public whatever a release of Python says of them: shared, reserved, for tests, or a site's own."""


THREADS = 8
"""In which names are looked up."""


class Forbidden(OSError):
    """Nobody is called at this address."""


@dataclass(frozen=True, slots=True)
class Guard:
    """Says which addresses may be connected to; `loopback` lets this machine be called, too (a Sandbox)."""

    loopback: bool = False

    def must_be_public(self, address: str) -> None:
        """Raise Forbidden unless it is a public unicast address. One with a zone, or that is none, is not."""
        try:
            found = ip_address(address)
        except ValueError:
            raise Forbidden from None
        if self.loopback and found in {IPv4Address("127.0.0.1"), IPv6Address("::1")}:
            return
        if isinstance(found, IPv6Address) and found.scope_id is not None:
            raise Forbidden
        listed = any(
            found in network for network in (*CARRYING, *NOBODYS) if network.version == found.version
        )
        if listed or not found.is_global or found.is_multicast or found.is_reserved or found.is_unspecified:
            raise Forbidden

    def socket_for(self, info: tuple[Any, ...]) -> socket.socket:
        """Make the socket for an address that is about to be connected to. Raises Forbidden."""
        family, kind, protocol, _, place = info
        self.must_be_public(place[0])
        return socket.socket(family, kind, protocol)


class PooledResolver(AbstractResolver):
    """The system's resolver, in a few threads of its own: a name server that does not answer holds up nobody else."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="webhook-names")

    @override
    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        ask = partial(socket.getaddrinfo, host, port, family, socket.SOCK_STREAM)
        found = await asyncio.get_running_loop().run_in_executor(self._threads, ask)
        return [
            ResolveResult(hostname=host, host=str(place[0]), port=port, family=kind, proto=protocol, flags=0)
            for kind, _, protocol, _, place in found
        ]

    @override
    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


class GuardedResolver(AbstractResolver):
    """Resolves names to public addresses. One that leads anywhere else as well leads nowhere."""

    def __init__(self, guard: Guard, resolver: AbstractResolver | None = None) -> None:
        self._guard, self._resolver = guard, resolver or PooledResolver()

    @override
    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._resolver.resolve(host, port, family)
        for each in found:
            self._guard.must_be_public(each["host"])
        return found

    @override
    async def close(self) -> None:
        await self._resolver.close()
