"""What a handler is given, and what it may answer."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, Protocol, TypeAlias, TypeVar
from uuid import UUID

from aiohttp import web

from application.sessions import Caller
from application.use_cases import UseCases
from domain.kernel import AccountId, SessionId
from domain.values import Password

NIL = UUID(int=0)
NOBODY = Caller(AccountId(NIL), SessionId(NIL))
"""The caller of an open route: an account that has no row anywhere."""

Json: TypeAlias = dict[str, Any]
I = TypeVar("I")  # noqa: E741 - the input


class Sandbox(Protocol):
    """What only the Sandbox can do: move time, read mails, play the carrier."""

    async def advance(self, by: timedelta) -> datetime:
        """Move the clock forward and let everything due happen; return the new now. Raises OverflowError."""
        ...

    def now(self) -> datetime:
        """Return the Sandbox's present."""
        ...

    async def mails(self) -> list[Json]:
        """Return the mails sent so far, oldest first."""
        ...

    async def sms(self, from_: str, to: str, body: str) -> str:
        """Let somebody text one of our numbers; return the carrier's reference. Raises LookupError."""
        ...

    def faults(self, wanted: Json) -> Json:
        """Set how the simulated providers misbehave; return what now holds. Raises ValueError."""
        ...

    def providers(self) -> Json:
        """Return what each simulated provider still holds."""
        ...


@dataclass(frozen=True, slots=True)
class EdgeContext:
    """What stands behind the edge. `ready` raises a PicoError when the context cannot serve."""

    use_cases: UseCases
    ready: Callable[[], Awaitable[None]]
    document: bytes
    sandbox: Sandbox | None = None


@dataclass(slots=True)
class Request(Generic[I]):
    """One request, checked: who asks, for which thing, with what input.

    What a route does not ask for is there all the same, and empty: NOBODY, NIL, no Idempotency-Key, no password.
    """

    context: EdgeContext
    caller: Caller
    id: UUID
    key: str
    password: Password
    input: I

    @property
    def use_cases(self) -> UseCases:
        """The use cases."""
        return self.context.use_cases

    @property
    def account_id(self) -> AccountId:
        """Whose request it is."""
        return self.caller.account_id


@dataclass(frozen=True, slots=True)
class Download:
    """A JSON document too large to hold, sent as it is made."""

    chunks: AsyncGenerator[bytes, None]
    filename: str


Reply: TypeAlias = Json | Download | web.StreamResponse | None
"""JSON, a stream, an answer made by hand, or nothing to say."""
