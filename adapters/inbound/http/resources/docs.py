"""The documentation: the OpenAPI document, and Swagger UI served from the wheel, never from a CDN."""

from __future__ import annotations

import asyncio
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from aiohttp import web

from adapters.inbound.http.request import Request
from adapters.inbound.http.route import OPEN, Route
from adapters.inbound.http_io import COMMON_HEADERS

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
PAGE = b"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Pico API</title>
<link rel="stylesheet" href="/docs/swagger-ui.css">
<div id="ui"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</html>
"""
START = b'SwaggerUIBundle({url: "/openapi.json", dom_id: "#ui", deepLinking: true, validatorUrl: null});\n'


async def document(request: Request[None]) -> web.Response:
    """Give the OpenAPI document."""
    return static(await asyncio.to_thread(request.context.document), "application/json")


async def page(_request: Request[None]) -> web.Response:
    """Show the document to a person."""
    return static(PAGE, "text/html; charset=utf-8")


async def start(_request: Request[None]) -> web.Response:
    """Start Swagger UI; a file of its own, for the policy allows no script in the page."""
    return static(START, "text/javascript; charset=utf-8")


async def stylesheet(_request: Request[None]) -> web.Response:
    """Give Swagger UI's style sheet."""
    return static(await asyncio.to_thread(_asset, "swagger-ui.css"), "text/css; charset=utf-8")


async def bundle(_request: Request[None]) -> web.Response:
    """Give Swagger UI's script."""
    return static(await asyncio.to_thread(_asset, "swagger-ui-bundle.js"), "text/javascript; charset=utf-8")


def static(body: bytes, kind: str) -> web.Response:
    """Answer with a page, or a part of one, that may load nothing but what we serve."""
    return web.Response(
        body=body, headers={**COMMON_HEADERS, "Content-Type": kind, "Content-Security-Policy": POLICY}
    )


@cache
def _asset(name: str) -> bytes:
    # The package is found, not imported: its code would bring web frameworks nobody uses here.
    spec = find_spec("swagger_ui")
    if spec is None or spec.origin is None:
        raise FileNotFoundError
    return Path(spec.origin).with_name("static").joinpath(name).read_bytes()


ROUTES = (
    Route("GET", "/openapi.json", document, 200, guards=OPEN, hidden=True),
    Route("GET", "/docs", page, 200, guards=OPEN, hidden=True),
    Route("GET", "/docs/start.js", start, 200, guards=OPEN, hidden=True),
    Route("GET", "/docs/swagger-ui.css", stylesheet, 200, guards=OPEN, hidden=True),
    Route("GET", "/docs/swagger-ui-bundle.js", bundle, 200, guards=OPEN, hidden=True),
)
