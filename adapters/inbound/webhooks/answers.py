"""What a provider is answered: in a word or none, and never with a reason."""

from __future__ import annotations

from aiohttp import web
from multidict import CIMultiDict

from adapters.inbound.http_io import COMMON_HEADERS

PLAIN = CIMultiDict({**COMMON_HEADERS, "Content-Type": "text/plain; charset=utf-8"})
BARE = CIMultiDict(COMMON_HEADERS)


def noted() -> web.Response:
    """Answer that nothing more is to be said."""
    return web.Response(status=204, headers=BARE)


def forbidden() -> web.Response:
    """Refuse, without a word about why."""
    return web.Response(status=403, headers=PLAIN, body=b"forbidden\n")


def refused(status: int) -> web.Response:
    """Refuse what does not get as far as being verified, by its HTTP status alone."""
    return web.Response(status=status, headers=PLAIN, body=b"refused\n")


def not_now() -> web.Response:
    """Take nothing for now: whoever calls comes again."""
    return web.Response(status=503, headers=PLAIN, body=b"not now\n")


def malformed() -> web.Response:
    """Refuse what was signed and still makes no sense."""
    return web.Response(status=400, headers=PLAIN, body=b"malformed\n")
