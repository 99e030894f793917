"""Answers that make no sense, for whoever must not take them for an answer."""

import gzip
import json
from collections.abc import Callable, Mapping
from types import MappingProxyType

from aiohttp import web

JSON = "application/json"
Fields = dict[str, object]


def _each(value: object) -> Callable[[Fields], bytes]:
    """Replace every field's value, in every item of a list too."""

    def replaced(fields: Fields) -> bytes:
        changed = {
            name: [dict.fromkeys(item, value) for item in held] if isinstance(held, list) and held else value
            for name, held in fields.items()
        }
        return json.dumps(changed).encode()

    return replaced


ODDITIES: Mapping[str, Callable[[Fields], bytes]] = MappingProxyType({
    "array": lambda _: b"[]",
    "null": lambda _: b"null",
    "empty": lambda _: b"{}",
    "nulls": _each(None),
    "arrays": _each([]),
    "objects": _each({}),
    "flags": _each(True),
    "huge_numbers": _each(10**40),
    "endless_number": lambda _: b'{"sid": %s}' % (b"9" * 6000),
    "surrogates": _each("\ud800"),
    "not_utf8": lambda fields: json.dumps(fields).encode().replace(b'": "', b'": "\xff'),
    "not_a_number": lambda _: b'{"sid": NaN}',
    "deep": lambda _: b'{"sid": ' + b"[" * 200_000,
    "cut": lambda fields: json.dumps(fields).encode()[:-2],
    "zipped": lambda fields: gzip.compress(json.dumps(fields).encode()),
    "vast": lambda fields: json.dumps(fields | {"x": "x" * (16 << 20)}).encode(),
})  # fmt: skip
"""By name: what becomes of an answer with these fields."""


def odd(answer: web.StreamResponse, oddity: str) -> web.StreamResponse:
    """Make nonsense of an answer that has a body. An oddity that there is not changes nothing."""
    make = ODDITIES.get(oddity)
    if (
        make is None
        or not isinstance(answer, web.Response)
        or answer.content_type != JSON
        or not isinstance(answer.body, bytes)
    ):
        return answer
    headers = {"Content-Encoding": "gzip"} if oddity == "zipped" else {}
    return web.Response(
        status=answer.status,
        body=make(json.loads(answer.body)),
        content_type=JSON,
        headers=headers,
    )
