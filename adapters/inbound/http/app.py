"""The edge: from one HTTP request to one use case and back. Kept short, because every request pays for it."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import partial
from typing import Any, TypeAlias
from uuid import UUID

from aiohttp import web

from adapters.inbound.http import auth, bodies, openapi, problems, wire
from adapters.inbound.http.request import NIL, NOBODY, EdgeContext, Request, Sandbox
from adapters.inbound.http.routes import ROUTES, SANDBOX_ROUTES, Route
from adapters.inbound.http.transfer import read_json, read_query, respond
from adapters.inbound.webhooks.twilio import TwilioWebhooks, Verify
from application.use_cases import UseCases
from domain.kernel import PicoError
from domain.messages import Status
from domain.values import Password

Endpoint: TypeAlias = Callable[[web.BaseRequest, str, UUID], Awaitable[web.StreamResponse]]
"""Answers a request, given its raw query and the id in its path."""

ID_IN_PATH = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
NO_PASSWORD = Password("")


class App:
    """All endpoints by path and method; those with an id in their path by what stands around it."""

    def __init__(
        self, context: EdgeContext, routes: Iterable[Route[Any]], hooks: Mapping[str, Endpoint]
    ) -> None:
        """Mount `routes`, and `hooks` for POST."""
        self._context = context
        self._by_path: dict[str, dict[str, Endpoint]] = {path: {"POST": hook} for path, hook in hooks.items()}
        self._around_id: dict[tuple[str, str], dict[str, Endpoint]] = {}
        for route in routes:
            before, braced, after = route.path.partition("{id}")
            methods = (
                self._around_id.setdefault((before, after), {})
                if braced
                else self._by_path.setdefault(route.path, {})
            )
            methods[route.method] = partial(self._run, route)
            if route.method == "GET" and route.open:
                methods["HEAD"] = methods["GET"]

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request, whatever happens."""
        try:
            target = request.raw_path
            if not target.startswith("/"):
                target = request.rel_url.raw_path_qs  # RFC 9112, 3.2.2: a server accepts the absolute form.
            path, _, query = target.partition("?")
            methods, found = self._by_path.get(path), NIL
            if methods is None:
                methods, found = self._with_id(path)
            endpoint = methods.get(request.method)
            if endpoint is None:
                return problems.answer(problems.MethodNotAllowed(headers={"Allow": ", ".join(methods)}))
            return await endpoint(request, query, found)
        except (problems.Refused, PicoError) as no:
            return problems.answer(no)
        except Exception as error:  # noqa: BLE001 - the last line of defence: nothing of it may reach the client
            problems.report(error)
            return problems.answer(problems.Unexpected())

    def _with_id(self, path: str) -> tuple[dict[str, Endpoint], UUID]:
        match = ID_IN_PATH.search(path)
        if match is None:
            raise problems.NoSuchPath
        methods = self._around_id.get((path[: match.start()], path[match.end() :]))
        if methods is None:
            raise problems.NoSuchPath
        return methods, UUID(match[0])

    async def _run(
        self, route: Route[Any], request: web.BaseRequest, query: str, found: UUID
    ) -> web.StreamResponse:
        headers = request.headers
        caller = NOBODY if route.open else await auth.caller(headers, self._context.use_cases.authenticate)
        password = auth.password(headers) if route.reauthenticated else NO_PASSWORD
        key = auth.idempotency_key(headers) if route.keyed else ""
        given = None
        if route.body is not None:
            given = bodies.accept(route.body, wire.decode(await read_json(request)))
        elif route.query is not None:
            given = bodies.accept(route.query, read_query(query))
        reply = await route.handler(Request(self._context, caller, found, key, password, given))
        return await respond(request, route.status, reply)


def build(
    use_cases: UseCases,
    *,
    ready: Callable[[], Awaitable[None]],
    verify_signature: Verify,
    status_of: Callable[[str], Status | None],
    public_url: str,
    sandbox: Sandbox | None = None,
) -> App:
    """Build the edge; the Sandbox's routes exist only when there is one.

    `ready` raises a PicoError while the product cannot serve. `verify_signature` and `status_of` speak for the
    carrier whose webhooks come to `public_url`.
    """
    routes = ROUTES + (SANDBOX_ROUTES if sandbox is not None else ())
    document = wire.encode(openapi.document(routes))
    twilio = TwilioWebhooks(
        use_cases.receive_message,
        use_cases.apply_delivery_receipt,
        verify_signature,
        status_of,
        public_url.rstrip("/"),
    )
    return App(EdgeContext(use_cases, ready, document, sandbox), routes, twilio.hooks())
