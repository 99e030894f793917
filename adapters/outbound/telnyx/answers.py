"""How Telnyx's answers are read: one that makes no sense tells nothing certain, like one that never came."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Coroutine, Mapping
from datetime import UTC, datetime
from functools import wraps
from typing import Any, NoReturn, ParamSpec, TypeVar

from adapters.error_report import report
from adapters.outbound.telnyx.vocabulary import Gone
from application.ports.carrier_errors import CarrierRefused, CarrierUnavailable, CarrierUnsupported
from domain.kernel import CarrierRef

P = ParamSpec("P")
R = TypeVar("R")

Resource = Mapping[str, Any]
"""One of Telnyx's objects, as it came."""

PREFIX = "telnyx:"
"""What our references of Telnyx's things begin with, so that they tell by themselves whose they are."""
_ID = re.compile(r"[A-Za-z0-9_-]{1,48}\Z")


def certain(ask: Callable[P, Coroutine[Any, Any, R]]) -> Callable[P, Coroutine[Any, Any, R]]:
    """Have a method of an adapter raise CarrierUnavailable for whatever an odd answer makes of its code."""

    @wraps(ask)
    async def asked(*given: P.args, **named: P.kwargs) -> R:
        try:
            return await ask(*given, **named)
        except Gone:
            pass  # not what was asked for, but the path itself
        except (CarrierRefused, CarrierUnavailable, CarrierUnsupported):
            raise
        except Exception as error:  # noqa: BLE001 - what reads an odd answer may break anyhow, and would quote it
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


def _refuse(word: str) -> NoReturn:
    raise ValueError(word)


def code_of(errors: object) -> int | None:
    """Return the first of Telnyx's error codes, which come as text; None where there is none, or nonsense."""
    first = errors[0] if isinstance(errors, list) and errors else None
    code = first.get("code") if isinstance(first, dict) else None
    digits = str(code) if type(code) in {int, str} else ""
    return int(digits) if re.fullmatch("[1-9][0-9]{4}", digits) else None


def opaque(value: object) -> str:
    """Return one of Telnyx's ids. Raises CarrierUnavailable when it is none."""
    if not _ID.match(words_of(value)):
        raise CarrierUnavailable
    return words_of(value)


def ref_of(value: object) -> CarrierRef:
    """Return our reference of the thing with this id. Raises CarrierUnavailable when it is none."""
    return CarrierRef(f"{PREFIX}{opaque(value)}")


def id_of(ref: CarrierRef) -> str | None:
    """Return Telnyx's id; None for a reference that is not one of Telnyx's."""
    bare = ref.removeprefix(PREFIX)
    return bare if ref.startswith(PREFIX) and _ID.match(bare) else None


def resource_of(value: object) -> Resource:
    """Return an object that must be there. Raises CarrierUnavailable."""
    if not isinstance(value, dict):
        raise CarrierUnavailable
    return value


def list_of(value: object) -> list[Resource]:
    """Return a list of objects that must be there. Raises CarrierUnavailable."""
    if not isinstance(value, list):
        raise CarrierUnavailable
    return [resource_of(item) for item in value]


def words_of(value: object) -> str:
    """Return a text that must be there. Raises CarrierUnavailable."""
    if not isinstance(value, str) or not value:
        raise CarrierUnavailable
    return value


def readable(value: object) -> str:
    """Return a text; halves of characters in it are replaced, because nothing could keep them. No text is "".

    Raises CarrierUnavailable for what is none.
    """
    if value is None or value == "":  # a picture without words
        return ""
    return words_of(value).encode("utf-8", "replace").decode()


def instant_of(value: object) -> datetime:
    """Return an instant that must be there (RFC 3339; without an offset it is in UTC). Raises CarrierUnavailable."""
    try:
        at = datetime.fromisoformat(words_of(value))
    except ValueError:
        at = None
    if at is None:
        raise CarrierUnavailable
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
