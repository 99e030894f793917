"""The edge: from one HTTP request to one use case and back. Kept short, because every request pays for it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from functools import cache, partial
from time import perf_counter
from typing import Any, Concatenate, TypeAlias

from aiohttp import web

from adapters.error_report import report
from adapters.inbound.http import openapi, problems
from adapters.inbound.http.admitting import admitting, working
from adapters.inbound.http.context import EdgeContext, Sandbox
from adapters.inbound.http.input import accept, nothing_came, read_json, read_query, say_what_is_missing
from adapters.inbound.http.json_format import decode, encode
from adapters.inbound.http.paths import PathTable, PathTemplate, plain
from adapters.inbound.http.policy_text import ShownPolicy
from adapters.inbound.http.reply import Answer, respond
from adapters.inbound.http.request import Request
from adapters.inbound.http.request_id import ROUTE
from adapters.inbound.http.room import Room
from adapters.inbound.http.route import HEALTH, Route
from adapters.inbound.http.routes import ROUTES, SANDBOX_ROUTES
from adapters.inbound.http.well_formed import must_be_well_formed
from adapters.inbound.http_io import BadRequest, Refused, WebhookEndpoint, Webhooks, read_ahead
from application.request_limits import LimitRequests
from application.use_cases import UseCases
from domain.kernel import PicoError, SealBroken

Watch: TypeAlias = Callable[[str, str, web.StreamResponse, float], None]
"""Is told of each answer: method and template of its route, both empty where there is none; and seconds it took."""
Endpoint: TypeAlias = Callable[Concatenate[web.BaseRequest, str, ...], Awaitable[web.StreamResponse]]
"""Answers a request, given its raw query and, one by one, the values in its path."""
Methods: TypeAlias = dict[str, tuple[str, Endpoint]]
"""By method: the route's template and its endpoint."""


Admitted = Callable[[], Awaitable[None]]


class App:
    """All endpoints by path and method."""

    def __init__(
        self, context: EdgeContext, routes: Iterable[Route[Any]], webhooks: Iterable[Webhooks] = (),
        admitted: Admitted | None = None, watch: Watch | None = None,
    ) -> None:  # fmt: skip
        """Mount the routes, and each provider's webhooks for POST. Raises ValueError when two claim one place.

        `admitted` is asked before each request but those about health, and raises a PicoError to refuse it; `watch` is
        told of each answer.
        """
        self._admitted, self._watch = admitted, watch
        self._table: PathTable[Methods] = PathTable(dict)
        for provider in webhooks:
            for path, hook in provider.endpoints().items():
                self._mount("POST", PathTemplate.parse(path), within(context.webhook_room, hook))
        for route in routes:
            endpoint = endpoint_of(route, context)
            self._mount(route.method, route.template, endpoint)
            if route.method == "GET":  # RFC 9110, 9.1: a server supports both.
                self._mount("HEAD", route.template, endpoint)

    def _mount(self, method: str, template: PathTemplate, endpoint: Endpoint) -> None:
        methods = self._table.at(template)
        if method in methods:
            raise ValueError(f"{method} {template}")
        methods[method] = str(template), endpoint

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request, whatever happens."""
        if self._watch is None:
            return await self._answer(request)
        began = perf_counter()
        answer = await self._answer(request)
        route = ROUTE.get()
        self._watch(request.method if route else "", route, answer, perf_counter() - began)
        return answer

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        try:
            must_be_well_formed(request)
            target = request.raw_path
            if not target.startswith("/"):
                target = request.rel_url.raw_path_qs  # RFC 9112, 3.2.2: a server accepts the absolute form.
            path, _, query = target.partition("?")
            if self._admitted is not None and path not in HEALTH:
                await self._admitted()
            methods, values = self._table.find(path)
            if methods is None and "%" in path:
                methods, values = self._table.find(plain(path))
            if methods is None:
                return problems.answer(problems.NoSuchPath())
            found = methods.get(request.method)
            if found is None:
                return problems.answer(problems.MethodNotAllowed(list(methods)))
            route, endpoint = found
            ROUTE.set(route)
            return await endpoint(request, query, *values)
        except BadRequest as no:
            answer = problems.answer(no)
            answer.force_close()  # Where the next request begins is no longer certain.
            return answer
        except (Refused, PicoError) as no:
            if isinstance(no, SealBroken):
                report(no, "seal broken")
            return problems.answer(no)
        except Exception as error:  # noqa: BLE001 - the last line of defence: nothing of it may reach the client
            report(error)
            return problems.answer(problems.Unexpected())


def within(room: Room, hook: WebhookEndpoint) -> Endpoint:
    """Answer a provider's calls while there is room. Whoever still sends the body takes up none: it may be anybody."""

    async def endpoint(http: web.BaseRequest, query: str) -> web.StreamResponse:
        await read_ahead(http)
        with room:
            return await hook(http, query)

    return endpoint


def endpoint_of(route: Route[Any], context: EdgeContext) -> Endpoint:
    """Put a route's guards, input, handler and answer in a row, looked up once and not with every request."""
    admit, work = admitting(route, context), working(route, context)
    body, query_model, status = route.body, route.query, route.status
    location, upload = route.location, route.upload
    announced = route.deprecation.headers if route.deprecation is not None else {}
    must_be_empty = body is None and upload is None and not route.reads

    async def endpoint(http: web.BaseRequest, query: str, *values: object) -> web.StreamResponse:
        request: Request[Any] = Request(context, http.method, http.headers, None)
        await admit(request)
        if body is not None:
            if nothing_came(http):
                say_what_is_missing(body)
            request.input = accept(body, decode(await read_json(http)))
        elif must_be_empty and http.can_read_body:
            raise problems.NeedlessBody
        if query_model is not None:
            request.input = accept(query_model, read_query(query))
        if upload is not None:
            request.upload = upload.chunks(http)
        reply = await work(request, *values)
        if location:
            shown = reply.body if isinstance(reply, Answer) else reply
            found_at = location.format(**shown) if isinstance(shown, dict) else location
            request.response_headers["Location"] = found_at
        request.response_headers.update(announced)
        return await respond(http, status, reply, request.response_headers)

    return endpoint


def routes_of(*, sandbox: bool) -> tuple[Route[Any], ...]:
    """Return the routes there are, those of the Sandbox only where it is one."""
    return ROUTES + (SANDBOX_ROUTES if sandbox else ())


@cache  # it takes a fifth of a second: the first who asks waits for it, and no process that starts
def described(*, sandbox: bool) -> bytes:
    """Return the OpenAPI document of the routes there are."""
    return encode(openapi.document(routes_of(sandbox=sandbox)))


def build(
    use_cases: UseCases,
    *,
    ready: Callable[[], Awaitable[None]],
    admitted: Admitted | None = None,
    webhooks: Iterable[Webhooks] = (),
    sandbox: Sandbox | None = None,
    policy: bytes = b"",
    published: Callable[[], ShownPolicy] | None = None,
    watch: Watch | None = None,
    limits: LimitRequests | None = None,
) -> App:
    """Build the edge with the webhooks of every provider; the Sandbox's routes exist only when there is one.

    `ready` raises a PicoError while the product cannot serve, `admitted` while nothing may be answered; `policy` is
    the text at `/privacy`, `published` what stands at `/legal/privacy`; `watch` is told of each answer; `limits` count
    requests.
    """
    routes = routes_of(sandbox=sandbox is not None)
    document = partial(described, sandbox=sandbox is not None)
    context = EdgeContext(use_cases, ready, document, sandbox, policy, published, limits)
    return App(context, routes, webhooks, admitted, watch)
