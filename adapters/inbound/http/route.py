"""A route: what is asked how, who may ask, who answers. Dispatch and the OpenAPI document read this one value."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Concatenate, Generic

from adapters.inbound.http.guards import Bearer, Guard
from adapters.inbound.http.paths import PathTemplate
from adapters.inbound.http.reply import Reply
from adapters.inbound.http.request import Given, Request
from adapters.inbound.http.upload import Upload
from domain.kernel import PicoError
from domain.requests import Pace

HEALTH = frozenset({"/healthz", "/readyz"})
"""What is answered at any time, also while a restored database is not to be shown."""
OPEN: tuple[Guard, ...] = ()
"""The guards of a route that anybody may ask."""
SIGNED_IN: tuple[Guard, ...] = (Bearer(),)
"""The guards of a route that does not say: it asks for a session."""


@dataclass(frozen=True, slots=True)
class Deprecation:
    """Since when a route is not the best way any more, and when it ends: aware instants."""

    since: datetime
    ends: datetime

    @property
    def headers(self) -> dict[str, str]:
        """What its answers say of it: Deprecation (RFC 9745, section 2) and Sunset (RFC 8594, section 3)."""
        return {
            "Deprecation": f"@{int(self.since.timestamp())}",
            "Sunset": format_datetime(self.ends.astimezone(UTC), usegmt=True),
        }


@dataclass(frozen=True, slots=True)
class Route(Generic[Given]):
    """One endpoint. `status` is that of success.

    The handler is given the request, then each parameter of the path as a value, in order and by the same names; its
    return annotation is what the document says of the answer. An `upload` is a file in place of a JSON `body`.
    `raises` lists the rules its use case may break; guards and the edge itself add their own. `headers` are those the
    handler adds, by name and meaning. `location` says where what was made is found from now on: a format string over
    the answer's fields. `pending` is the status of success where the rest is still to come. `pace` is what it costs us,
    by which it is limited. `deprecation` says that, and until when, there is something better.
    """

    method: str
    path: str
    handler: Callable[Concatenate[Request[Given], ...], Awaitable[Reply]]
    status: int
    body: type[Given] | None = None
    query: type[Given] | None = None
    upload: Upload | None = None
    guards: tuple[Guard, ...] = SIGNED_IN
    raises: tuple[type[PicoError], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    location: str = ""
    pending: int | None = None
    pace: Pace = Pace.ORDINARY
    deprecation: Deprecation | None = None
    hidden: bool = False
    template: PathTemplate = field(init=False)

    def __post_init__(self) -> None:
        """Raise ValueError unless path and handler fit together."""
        template = PathTemplate.parse(self.path)
        _, *taken = inspect.signature(self.handler).parameters
        if taken != [parameter.name for parameter in template.parameters]:
            raise ValueError(f"{self.path}: {self.handler.__name__} takes {taken}")
        object.__setattr__(self, "template", template)

    @property
    def reads(self) -> bool:
        """Whether it changes nothing. HTTP lets such a request have a body, which says nothing."""
        return self.method == "GET"

    @property
    def limited(self) -> bool:
        """Whether it is counted how often it is asked for: all of the API is, and nothing beside it."""
        return self.path.startswith("/v1/")

    @property
    def costs(self) -> bool:
        """Whether it costs money, and is refused while nobody can count it."""
        return self.pace in {Pace.PURCHASE, Pace.SIGN_UP}

    @property
    def open(self) -> bool:
        """Whether anybody may ask: no guard wants credentials."""
        return not any(guard.security for guard in self.guards)
