"""Answers that make no sense, for whoever must not take them for an answer."""

import gzip
import json
from collections.abc import Callable, Mapping
from types import MappingProxyType

from aiohttp import web

JSON = "application/json"
Fields = dict[str, object]


def _inside(value: object) -> Callable[[Fields], bytes]:
    """Replace the value of every field of every object that an answer's `data` holds."""

    def each(held: object) -> object:
        if isinstance(held, list):
            return [each(item) for item in held] or [{"id": value}]
        return dict.fromkeys(held, value) if isinstance(held, dict) and held else {"id": value}

    return lambda fields: json.dumps({**fields, "data": each(fields.get("data"))}).encode()


def _data(value: object) -> Callable[[Fields], bytes]:
    """Replace `data` as a whole."""
    return lambda fields: json.dumps({**fields, "data": value}).encode()


ODDITIES: Mapping[str, Callable[[Fields], bytes]] = MappingProxyType({
    "array": lambda _: b"[]",
    "null": lambda _: b"null",
    "empty": lambda _: b"{}",
    "no_data": _data(None),
    "text_for_data": _data("data"),
    "number_for_data": _data(7),
    "nulls": _inside(None),
    "arrays": _inside([]),
    "objects": _inside({}),
    "flags": _inside(True),
    "huge_numbers": _inside(10**40),
    "surrogates": _inside("\ud800"),
    "not_utf8": lambda fields: json.dumps(fields).encode().replace(b'": "', b'": "\xff') + b"\xff",
    "not_a_number": lambda _: b'{"data": NaN}',
    "endless_number": lambda _: b'{"data": %s}' % (b"9" * 6000),
    "deep": lambda _: b'{"data": ' + b"[" * 200_000,
    "cut": lambda fields: json.dumps(fields).encode()[:-2],
    "zipped": lambda fields: gzip.compress(json.dumps(fields).encode()),
    "vast": lambda fields: json.dumps(fields | {"x": "x" * (4 << 20)}).encode(),
})  # fmt: skip
"""By name: what becomes of an answer with these fields."""


def odd(answer: web.StreamResponse, oddity: str) -> web.StreamResponse:
    """Make nonsense of a good answer that has a body. An oddity that there is not changes nothing."""
    make = ODDITIES.get(oddity)
    if (
        make is None
        or not isinstance(answer, web.Response)
        or answer.content_type != JSON
        or not isinstance(answer.body, bytes)
    ):
        return answer
    headers = {"Content-Encoding": "gzip"} if oddity == "zipped" else {}
    body = make(json.loads(answer.body))
    return web.Response(status=answer.status, body=body, content_type=JSON, headers=headers)
