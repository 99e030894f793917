"""What a provider is answered: in a word or none, and never with a reason."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import ParamSpec

from aiohttp import web
from multidict import CIMultiDict

from adapters.error_report import report
from adapters.inbound.http_io import COMMON_HEADERS, Refused
from domain.kernel import PicoError

P = ParamSpec("P")

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


class Malformed(Exception):
    """What was signed makes no sense."""


def answering(
    endpoint: Callable[P, Awaitable[web.StreamResponse]],
) -> Callable[P, Awaitable[web.StreamResponse]]:
    """Have an endpoint answer in its provider's terms whatever happens: taken, refused, or to be sent again.

    What was verified and could not be done is none of the provider's doing, so it is asked to come again.
    """

    @wraps(endpoint)
    async def answer(*args: P.args, **kwargs: P.kwargs) -> web.StreamResponse:
        try:
            return await endpoint(*args, **kwargs)
        except Refused as no:
            return refused(no.status)
        except Malformed:
            return malformed()
        except PicoError:
            return not_now()
        except Exception as error:  # noqa: BLE001 - nothing of it may reach a provider, and what it told must come again
            report(error)
            return not_now()

    return answer
