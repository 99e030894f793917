"""How Twilio's answers are read: one that makes no sense tells nothing certain, like one that never came."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from adapters.error_report import report
from adapters.outbound.twilio.vocabulary import Gone
from application.ports.carrier_errors import CarrierRefused, CarrierUnavailable
from domain.kernel import CarrierRef

P = ParamSpec("P")
R = TypeVar("R")

_SID = re.compile(r"[A-Z]{2}[0-9a-f]{32}\Z")


def certain(ask: Callable[P, Coroutine[Any, Any, R]]) -> Callable[P, Coroutine[Any, Any, R]]:
    """Have a method of an adapter raise CarrierUnavailable for whatever Twilio's SDK makes of an odd answer."""

    @wraps(ask)
    async def asked(*given: P.args, **named: P.kwargs) -> R:
        try:
            return await ask(*given, **named)
        except Gone:
            pass  # not what was asked for, but a page of the list, or the account itself
        except (CarrierRefused, CarrierUnavailable):
            raise
        except Exception as error:  # noqa: BLE001 - the SDK promises nothing, and its errors quote the answer
            report(error, "answer not understood")
        raise CarrierUnavailable

    return asked


def parsed(body: bytes) -> dict[str, Any] | None:
    """Return the JSON object that a body holds, or None."""
    try:
        value = json.loads(body.decode() or "{}", parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _refuse(word: str) -> None:
    raise ValueError(word)


def code_of(value: object) -> int | None:
    """Return one of Twilio's error codes, which comes as a number or as text; None for anything else."""
    digits = str(value) if type(value) in {int, str} else ""
    return int(digits) if re.fullmatch("[1-9][0-9]{4,5}", digits) else None


def ref_of(resource: Any) -> CarrierRef:  # noqa: ANN401 - the SDK has no types
    """Return the SID. Raises CarrierUnavailable when there is none."""
    return ref_from(resource.sid)


def ref_from(value: object) -> CarrierRef:
    """Return a SID that must be there. Raises CarrierUnavailable."""
    if not _SID.match(words_of(value)):
        raise CarrierUnavailable
    return CarrierRef(words_of(value))


def words_of(value: object) -> str:
    """Return a text that must be there. Raises CarrierUnavailable."""
    if not isinstance(value, str):
        raise CarrierUnavailable
    return value


def readable(value: object) -> str:
    """Return a text that must be there; halves of characters in it are replaced, because nothing could keep them."""
    return words_of(value).encode("utf-8", "replace").decode()


def count_of(value: object) -> int:
    """Return a small count, which comes as text. Raises CarrierUnavailable."""
    if not re.fullmatch("[0-9]{1,2}", words_of(value)):
        raise CarrierUnavailable
    return int(words_of(value))


def instant_of(value: object) -> datetime:
    """Return an instant that must be there. Raises CarrierUnavailable."""
    if not isinstance(value, datetime):
        raise CarrierUnavailable
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
