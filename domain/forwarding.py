"""Whether a line's calls go on to another telephone, and when."""

from __future__ import annotations

from enum import StrEnum

from domain.kernel import ErrorKind, PicoError


class ForwardWhen(StrEnum):
    """When a line forwards."""

    ALWAYS = "always"
    """At once; the apps do not ring."""
    BUSY = "busy"
    """When the person declines the call in an app, or is on another."""
    NO_ANSWER = "no_answer"
    """When no app answers, or none can be reached."""


class ForwardingLoop(PicoError):
    """Calls cannot be forwarded to this number: it is a line, and would forward them in turn."""

    kind = ErrorKind.CONFLICT
    code = "forwarding_loop"
