"""The first page: what this is, and where to go on."""

from __future__ import annotations

from aiohttp import web

from adapters.inbound.http.request import Request
from adapters.inbound.http.resources.docs import static
from adapters.inbound.http.route import OPEN, Route
from domain.kernel import NotFound

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Pico</title>
<link rel="stylesheet" href="/style.css">
<main>
<h1>Pico</h1>
<p>The backend of a second phone line that keeps what its privacy policy says. It serves.</p>
<ul>
<li><a href="/docs">API</a>: every operation, described, to be tried out from the page</li>
<li><a href="/openapi.json">OpenAPI document</a>: the same for programs</li>
<li><a href="/legal/privacy">Privacy policy</a>: each sentence is proved by a test, or says why it is not;
<a href="/privacy">as it is written</a>, and <a href="/legal/privacy.json">for programs</a></li>
<li><a href="/readyz">Readiness</a>: whether everything it needs answers</li>
</ul>
{sandbox}</main>
</html>
"""
SANDBOX = """<h2>Sandbox</h2>
<p>The providers are simulated, and nothing leaves this machine. Look at</p>
<ul>
<li><a href="/sandbox/mails">the mails</a> that would have been sent</li>
<li><a href="/sandbox/clock">the clock</a>, which can be moved forward</li>
<li><a href="/sandbox/providers">what the providers hold</a></li>
</ul>
<p><a href="/docs#/sandbox">The API</a> moves the clock, sends messages as somebody outside and has providers fail.</p>
"""
STYLE = b"""\
:root { color-scheme: light dark; font: 1.1rem/1.5 system-ui, sans-serif; }
main { max-width: 42rem; margin: 3rem auto; padding: 0 1rem; }
.policy ul { list-style: none; padding: 0; }
.policy li { margin-block: .6rem; }
.policy small { border: thin solid; border-radius: .3rem; padding: 0 .3rem; white-space: nowrap; opacity: .75; }
.wide { overflow-x: auto; font-size: .8rem; }
th, td { text-align: start; padding-inline-end: 1rem; }
"""


async def welcome(request: Request[None]) -> web.Response:
    """Show what this is, and where to go on."""
    page = PAGE.format(sandbox=SANDBOX if request.context.sandbox is not None else "")
    return static(page.encode(), "text/html; charset=utf-8")


async def style(_request: Request[None]) -> web.Response:
    """Give the style sheet."""
    return static(STYLE, "text/css; charset=utf-8")


async def privacy(request: Request[None]) -> web.Response:
    """Give the policy in force, as it is written. Raises NotFound where the process was started without one."""
    if not request.context.policy:
        raise NotFound
    return static(request.context.policy, "text/plain; charset=utf-8")


ROUTES = (
    Route("GET", "/", welcome, 200, guards=OPEN, hidden=True),
    Route("GET", "/style.css", style, 200, guards=OPEN, hidden=True),
    Route("GET", "/privacy", privacy, 200, guards=OPEN, hidden=True),
)
