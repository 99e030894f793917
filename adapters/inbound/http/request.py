"""What guards and handlers are given."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable
from dataclasses import dataclass, field
from typing import Generic, TypeAlias, TypeVar
from uuid import UUID

from multidict import CIMultiDictProxy

from adapters.inbound.http.byte_range import ByteRange
from adapters.inbound.http.context import EdgeContext
from application.sessions import Caller
from application.use_cases import UseCases
from domain.kernel import AccountId, SessionId

Headers: TypeAlias = CIMultiDictProxy[str]
Given = TypeVar("Given")

REPLAYED = "Idempotency-Replayed"
NIL = UUID(int=0)


async def nothing() -> AsyncGenerator[bytes, None]:
    """Yield no bytes: the file of a route that takes none."""
    for chunk in tuple[bytes, ...]():
        yield chunk


NOBODY = Caller(AccountId(NIL), SessionId(NIL))
"""The caller of an open route: an account that has no row anywhere."""


@dataclass(slots=True)
class Request(Generic[Given]):
    """One request: what its guards found out about it, and its checked input.

    What no guard of the route looked for is there all the same, and empty: NOBODY, no key, no file.
    `response_headers` go with the answer if the request succeeds.
    """

    context: EdgeContext
    method: str
    headers: Headers
    input: Given
    caller: Caller = NOBODY
    key: str = ""
    versions: frozenset[int] | None = None
    resumes_behind: str = ""
    upload: AsyncIterable[bytes] = field(default_factory=nothing)
    response_headers: dict[str, str] = field(default_factory=dict)

    @property
    def use_cases(self) -> UseCases:
        """The use cases."""
        return self.context.use_cases

    @property
    def account_id(self) -> AccountId:
        """Whose request it is."""
        return self.caller.account_id

    def show_version(self, version: int) -> None:
        """Have the answer name the version that it shows (RFC 9110, 8.8.3)."""
        self.response_headers["ETag"] = f'"{version}"'

    def replayed(self, *, yes: bool) -> None:
        """Have the answer tell whether an earlier request with the same Idempotency-Key had done this."""
        self.response_headers[REPLAYED] = "true" if yes else "false"

    def byte_range(self, size: int) -> ByteRange:
        """Return which bytes of a resource of `size` bytes to send; all, unless the client asks for one range.

        A route whose handler asks this defines ranges for its method; HEAD has none (RFC 9110, 14.2). Raises
        RangeNotSatisfiable.
        """
        # Nothing of ours has a validator, so no If-Range can match: the whole is sent (RFC 9110, 13.1.5).
        ignored = self.method == "HEAD" or "If-Range" in self.headers
        asked = () if ignored else self.headers.getall("Range", ())
        return ByteRange.wanted(asked[0] if len(asked) == 1 else "", size)
