"""The end of a process that serves: it is said before it comes, so that nobody is sent here any more."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from domain.kernel import ErrorKind, PicoError

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class IsEnding(PicoError):
    """This server is about to end: ask another one."""

    kind = ErrorKind.UNAVAILABLE
    code = "ending"


@dataclass(slots=True)
class Ending:
    """Whether it is near. Requests are answered all the same until nobody is let in any more."""

    is_near: bool = False

    def must_be_far(self) -> None:
        """Raise IsEnding if it is near."""
        if self.is_near:
            raise IsEnding


@dataclass(frozen=True, slots=True)
class ClosingAnswers:
    """Answers by `app`; once the end is near, each answer says that its connection is closed behind it.

    A client that keeps its connection would otherwise send its next request into one that is being closed.
    """

    app: Handler
    ending: Ending

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        answer = await self.app(request)
        if self.ending.is_near:
            answer.force_close()
        return answer
