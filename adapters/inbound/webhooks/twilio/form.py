"""A verified form of Twilio's, and the answer that only Twilio wants."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeAlias
from urllib.parse import unquote

from aiohttp import web
from multidict import CIMultiDict

from adapters.inbound.http_io import COMMON_HEADERS

Form: TypeAlias = Mapping[str, str]
FormHandler: TypeAlias = Callable[[Form, str], Awaitable[web.Response]]
"""Answers a verified form, given the raw query it came with."""

MOST_FIELDS = 200
NAMES = re.compile(r"(?:[A-Za-z][A-Za-z0-9_]{0,63}\n)*\Z")
MESSAGE_SID = re.compile(r"(SM|MM)[0-9a-f]{32}\Z")
NAMED_SID = re.compile(r"(?:MessageSid|SmsSid)((?:SM|MM)[0-9a-f]{32})")
NAMED_CALL = re.compile(r"CallSid(CA[0-9a-f]{32})")
AN_APP = "Fromclient:"
"""How an app is named that calls; its own parameters may say anything, and not this."""
SID_NAMES = ("MessageSid", "SmsSid", "SmsMessageSid")

XML = CIMultiDict({**COMMON_HEADERS, "Content-Type": "text/xml; charset=utf-8"})


def pairs_of(raw: bytes) -> list[tuple[str, str]]:
    """Read a form's pairs in order, as `parse_qsl` would, which takes twice as long over it (6 % of a message).

    Raises ValueError for more than `MOST_FIELDS`, and for bytes that are not UTF-8 in clear or behind percent signs.
    """
    parts = raw.decode().replace("+", " ").split("&")
    if len(parts) > MOST_FIELDS:
        raise ValueError
    pairs = []
    for part in filter(None, parts):
        name, _, value = part.partition("=")
        if "%" in part:
            name, value = unquote(name, errors="strict"), unquote(value, errors="strict")
        pairs.append((name, value))
    return pairs


def well_formed(pairs: Sequence[tuple[str, str]]) -> Form | None:
    """Return a signed form, or None for one that Twilio cannot have sent.

    Twilio's signature runs names and values together, so a form that was cut elsewhere has the same signature: a name
    twice, a name with a blank, or the name of a message's or a call's id, or an app's, within the value of another
    field or across a cut (the body apart, in which a sender may write anything) is a form that somebody else cut.
    """
    form = dict(pairs)
    # Joined and looked at once: field by field this took longer than the signature (70 of 490 µs a message).
    names = "".join([f"{name}\n" for name in form])
    if len(form) < len(pairs) or names.count("\n") > len(form) or not NAMES.match(names):
        return None
    others = [(name, value) for name, value in pairs if name != "Body"]
    values = "\n".join([value for _, value in others])
    if "MessageSid" in values or "SmsSid" in values or "CallSid" in values:
        return None
    # The signed characters as they run together, the body apart: a name cut in two is still spelled by them.
    signed = "".join([name + value for name, value in sorted(others)])
    if not set(NAMED_SID.findall(signed)) <= {form.get("MessageSid")}:
        return None
    if signed.count(AN_APP) > form.get("From", "").startswith("client:"):
        return None
    calls = NAMED_CALL.findall(signed)  # of a message there is none
    return form if not calls or sorted(calls) == _calls_of(form) else None


def _calls_of(form: Form) -> list[str]:
    """Return the ids of calls that a form names: its own, the one it is a leg of, or the one that was rung."""
    return sorted(value for name, value in form.items() if name.endswith("CallSid"))


def message_sid(form: Form) -> str | None:
    """Return the message's id, or None unless it is one, and the same under each of its names (Twilio: 34 signs)."""
    sid = form.get("MessageSid", "")
    given = {form[name] for name in SID_NAMES if name in form}
    return sid if given == {sid} and MESSAGE_SID.match(sid) else None


def empty_twiml() -> web.Response:
    """Answer with TwiML that asks Twilio to do nothing."""
    return web.Response(headers=XML, body=b"<Response/>")
