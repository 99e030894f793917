"""A verified form of Twilio's, and the answers to one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias

from aiohttp import web
from multidict import CIMultiDict

from adapters.inbound.http_io import COMMON_HEADERS

Form: TypeAlias = Mapping[str, str]
FormHandler: TypeAlias = Callable[[Form, str], Awaitable[web.Response]]
"""Answers a verified form, given the raw query it came with."""

XML = CIMultiDict({**COMMON_HEADERS, "Content-Type": "text/xml; charset=utf-8"})
PLAIN = CIMultiDict({**COMMON_HEADERS, "Content-Type": "text/plain; charset=utf-8"})
BARE = CIMultiDict(COMMON_HEADERS)


def empty_twiml() -> web.Response:
    """Answer with TwiML that asks Twilio to do nothing."""
    return web.Response(headers=XML, body=b"<Response/>")


def noted() -> web.Response:
    """Answer that nothing more is to be said."""
    return web.Response(status=204, headers=BARE)


def forbidden() -> web.Response:
    """Refuse, without a word about why."""
    return web.Response(status=403, headers=PLAIN, body=b"forbidden\n")


def malformed() -> web.Response:
    """Refuse what was signed and still makes no sense."""
    return web.Response(status=400, headers=PLAIN, body=b"malformed\n")
