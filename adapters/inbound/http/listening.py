"""Listening, so that connections that come at once are all taken soon."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from collections.abc import Callable

AT_A_TIME = 8
"""How many connections one turn of the loop takes.

uvloop takes one for each handle that listens, and under load a turn takes 2 ms and more: of 32 that came at once the
last waited for 32 turns. With one handle 99 of 100 calls over 32 connections were answered within 80 ms, with 8 within
42, with 32 within 46; pages of messages within 81, 50 and 44 ms (`./pico bench`). As many were answered a second.
"""


class CannotListen(Exception):
    """The address cannot be listened on; the message says what to change."""


async def listen(
    make: Callable[[], asyncio.BaseProtocol], host: str, port: int, setting: str = "PICO_PORT"
) -> tuple[int, list[asyncio.Server]]:
    """Listen by several handles of one socket; return its port, also for port 0, and what is to be closed.

    Raises CannotListen, which names the setting of the port.
    """
    loop = asyncio.get_running_loop()
    try:
        first = await loop.create_server(make, host, port)
    except OSError as error:
        reason = "is taken" if error.errno == errno.EADDRINUSE else "cannot be listened on"
        message = f"port {port} on {host} {reason}: set {setting} to another one"
        raise CannotListen(message) from None
    others = [
        await loop.create_server(make, sock=socket.socket(fileno=os.dup(listening.fileno())))
        for listening in first.sockets
        for _ in range(AT_A_TIME - 1)
    ]
    return int(first.sockets[0].getsockname()[1]), [first, *others]
