"""What aiohttp's parser lets pass and HTTP/1.1 does not: asked of every request, so it is short."""

from __future__ import annotations

import re

from aiohttp import HttpVersion10, HttpVersion11, web

from adapters.inbound.http_io import BadRequest

HOST = re.compile(r"[A-Za-z0-9._~!$&'()*+,;=%:\[\]-]*\Z")
"""The characters of a host and port (RFC 3986, 3.2.2); empty in a request for no host."""


def must_be_well_formed(request: web.BaseRequest) -> None:
    """Raise BadRequest for another major version, a Host that is none, or a body in a coding that we do not know.

    RFC 9112 asks for the last two in 3.2 and 6.1: whoever reads such a request otherwise than a proxy before us would
    see another one.

    A higher minor version should be treated as ours (RFC 9110, 2.5). llhttp refuses it before we see it, and we would
    have to rewrite what came in to change that; nobody has defined one.
    """
    version, headers = request.version, request.headers
    if version not in {HttpVersion11, HttpVersion10}:
        raise BadRequest
    if not HOST.match(headers.get("Host", "")):
        raise BadRequest
    coding = headers.get("Transfer-Encoding")
    if coding is not None and (version == HttpVersion10 or coding.lower() != "chunked"):
        raise BadRequest
