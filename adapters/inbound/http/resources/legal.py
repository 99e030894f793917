"""What anybody can check for themselves: the keys that receipts of erasures are signed under."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic.json_schema import Examples
from typing_extensions import TypedDict

from adapters.inbound.http.request import Request
from adapters.inbound.http.route import OPEN, Route
from application.ports.keyring import KeysUnavailable

A_KEY = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
"""Of RFC 8032, 7.1: an example."""


class PublicKey(TypedDict):
    """A key to check signatures with."""

    algorithm: Literal["Ed25519"]
    public_key: Annotated[str, Examples([A_KEY])]


class PublicKeys(TypedDict):
    """The keys of this installation."""

    keys: list[PublicKey]


async def read_public_keys(request: Request[None]) -> PublicKeys:
    """Read the keys that receipts of erasures, and the ends of the audit log's chains, are signed under."""
    key = await request.use_cases.read_public_key()
    return {"keys": [{"algorithm": "Ed25519", "public_key": key.hex()}]}


ROUTES = (Route("GET", "/legal/keys", read_public_keys, 200, guards=OPEN, raises=(KeysUnavailable,)),)
