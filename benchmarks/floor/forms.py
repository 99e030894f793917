"""The carrier's forms, read by hand and as strictly as Pico reads them."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, unquote
from uuid import UUID

from domain.values import Peer

PLAIN_SENDER = re.compile(r"[!-~]{1,64}\Z")
FIELDS = re.compile(r"(?:[A-Za-z][A-Za-z0-9_]{0,63}\n)*\Z")
SID = re.compile(r"(SM|MM)[0-9a-f]{32}\Z")
NAMED_SID = re.compile(r"(?:MessageSid|SmsSid)((?:SM|MM)[0-9a-f]{32})")
COUNT = re.compile(r"[0-9]{1,2}\Z")


def pairs(raw: bytes) -> list[tuple[str, str]] | None:
    """Read a form as `parse_qsl` does, without its detours; None when it is not one."""
    found = []
    try:
        parts = raw.decode().replace("+", " ").split("&")
        if len(parts) > 200:
            return None
        for part in filter(None, parts):
            name, _, value = part.partition("=")
            if "%" in part:
                name, value = unquote(name, errors="strict"), unquote(value, errors="strict")
            found.append((name, value))
    except ValueError:
        return None
    return found


def uncut(signed: list[tuple[str, str]]) -> dict[str, str] | None:
    """Return a signed form, None when somebody may have cut the signed characters elsewhere than the carrier did."""
    fields = dict(signed)
    names = "".join([f"{name}\n" for name in fields])
    if len(fields) < len(signed) or names.count("\n") > len(fields) or not FIELDS.match(names):
        return None
    others = [pair for pair in signed if pair[0] != "Body"]
    values = "\n".join([value for _, value in others])
    if "MessageSid" in values or "SmsSid" in values:
        return None
    spelled = NAMED_SID.findall("".join([name + value for name, value in sorted(others)]))
    return fields if set(spelled) <= {fields.get("MessageSid")} else None


def ref(fields: dict[str, str]) -> str | None:
    """Return the carrier's name for a message, if it is one and the same under each of its names."""
    said = fields.get("MessageSid", "")
    if fields.get("SmsSid", said) != said or fields.get("SmsMessageSid", said) != said:
        return None
    return said if SID.match(said) else None


def lease(query: str) -> UUID | None:
    """Read which line a message is meant for. Raises ValueError."""
    said = dict(parse_qsl(query)).get("line") if query else None
    return UUID(said) if said else None


def sender(said: str) -> str:
    """Return whom a message is from. Rare names are made fit to be kept by Pico's own rule."""
    return said if PLAIN_SENDER.match(said) else str(Peer.of_sender(said))
