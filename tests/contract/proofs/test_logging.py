"""What we note of ourselves, while everything that can go wrong goes wrong."""

from __future__ import annotations

import asyncio
import secrets
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
import structlog
from aiohttp import web

from adapters.inbound.webhooks.twilio.messages import SMS
from adapters.inbound.worker import Worker, keep_sweeping
from adapters.outbound.memory.carrier import MemoryCarrier
from application.ports.jobs import JobLease, LeasedJob, Outcome
from bootstrap.logs import configure_logs
from bootstrap.plaintext_scan import search_bytes
from bootstrap.worlds import InMemory
from domain.kernel import AccountId, MessageId
from domain.messages import Sent
from domain.values import MessageBody, Peer, PhoneNumber
from tests.support.canary_account import lived
from tests.support.harness import Databases
from tests.support.http_client import Edge, Handler, calling
from tests.support.proofs import proves


def log() -> Any:
    """Return a logger that somebody made for themselves, which withholds nothing."""
    return structlog.wrap_logger(structlog.WriteLogger(sys.stderr), [structlog.processors.KeyValueRenderer()])


class Blurting(MemoryCarrier):
    """Fails in a way that nobody foresaw, and says all it knows."""

    async def send(
        self,
        message_id: MessageId,
        sender: PhoneNumber,
        to: Peer,
        body: MessageBody,
        media: Sequence[str] = (),
    ) -> Sent:
        raise RuntimeError(f"cannot send '{body!s}' from {sender!s} to {to!s}")


def logs_requests(edge: Edge) -> Edge:
    def chatty(world: InMemory) -> Handler:
        honest = edge(world)

        async def handler(request: web.BaseRequest) -> web.StreamResponse:
            log().info("request", path=request.raw_path, body=await request.text())
            return await honest(request)

        return handler

    return chatty


def logs_what_jobs_say(edge: Edge) -> Edge:
    def chatty(world: InMemory) -> Handler:
        handlers = world.use_cases.job_handlers
        honest = handlers["send_message"]

        async def telling(account_id: AccountId, subject: UUID, lease: JobLease) -> None:
            try:
                await honest(account_id, subject, lease)
            except Exception as error:
                log().error("job failed", error=str(error))
                raise

        chatty_cases = replace(world.use_cases, job_handlers={**handlers, "send_message": telling})
        world.worker = Worker(chatty_cases, world.clock)
        return edge(world)

    return chatty


def quotes_requests(edge: Edge) -> Edge:
    def chatty(world: InMemory) -> Handler:
        honest = edge(world)

        async def handler(request: web.BaseRequest) -> web.StreamResponse:
            answer = await honest(request)
            return (
                answer
                if answer.status < 400
                else web.Response(status=answer.status, text=await request.text())
            )

        return handler

    return chatty


@proves("H14", text="107e70950f04", saboteur=logs_requests, says="a personal value was logged or quoted")
@proves("H14", text="107e70950f04", saboteur=logs_what_jobs_say, says="a personal value was logged or quoted")
@proves("H14", text="107e70950f04", saboteur=quotes_requests, says="a personal value was logged or quoted")
async def test_nothing_of_a_life_full_of_faults_is_logged_or_quoted(
    edge: Edge, stored: Databases, logs: Callable[[], bytes], capfd: pytest.CaptureFixture[str]
) -> None:
    configure_logs()
    async with stored(carrier=lambda made: Blurting(made.clock.now)) as world, calling(edge(world)) as client:
        ada = await lived(world)
        token, key = (
            {"Authorization": f"Bearer {ada.signed_in.token}"},
            {"Idempotency-Key": secrets.token_hex(8)},
        )
        credentials = {"email": ada.email, "password": ada.password}
        text = {"to": ada.peer, "body": ada.said}
        sending = f"/v1/lines/{ada.line_id}/messages"
        form = {
            "MessageSid": f"SM{secrets.token_hex(16)}",
            "From": ada.peer,
            "To": ada.number,
            "Body": ada.heard,
        }
        said = [
            await client.call("POST", "/v1/sessions", {**credentials, "password": ada.password[::-1]}),
            await client.call("POST", "/v1/sessions", {**credentials, "note": ada.said}),
            await client.call(
                "POST", "/v1/accounts", {**credentials, "display_name": ada.name * 9, "locale": ada.label}
            ),
            await client.call("POST", "/v1/account-recoveries", credentials),
            await client.call("GET", f"/v1/account?{ada.email}={ada.name}"),
            await client.call("GET", f"/v1/{ada.email}/{ada.number}", **token),
            await client.call("GET", "/v1/account", Authorization=f"Bearer {ada.signed_in.token}x"),
            await client.call("POST", sending, {"to": ada.label * 9, "body": ada.said}, **token, **key),
            await client.call("DELETE", "/v1/account", {"password": ada.label}, **token),
            await client.call("POST", sending, text, **token),
            await client.call("POST", sending, text, **token, **key),
        ]
        assert said.pop()[0] == 202
        await jobs_run(world)
        await world.pool.execute("ALTER TABLE conversations RENAME TO lost")
        said += [
            await client.call("POST", sending, text, **token, **{"Idempotency-Key": secrets.token_hex(8)}),
            await client.webhook(SMS, form),
            await client.call("GET", "/v1/conversations", **token),
        ]
        await world.pool.execute("ALTER TABLE sessions RENAME TO gone")
        sweeping, noise = asyncio.create_task(keep_sweeping(world.use_cases.sweep)), ""
        async with asyncio.timeout(10):
            while "sweep failed" not in noise:
                await asyncio.sleep(0.01)
                noise += "".join(capfd.readouterr())
        sweeping.cancel()
        with suppress(asyncio.CancelledError):
            await sweeping
        assert {status for status, _ in said} == {400, 401, 404, 409, 422, 500, 503}
        assert "unexpected" in noise
        assert "job failed" in noise
        noted = [dict(row) for row in [row for row in await world.rows("jobs") if row["failure"]]]
        assert noted, "the queue failed at nothing"
        everything = repr(said).encode() + noise.encode() + repr(noted).encode() + logs()
        wanted = {secret: secret for secret in (*ada.secrets, ada.password[::-1])}
        assert list(search_bytes("logs", everything, wanted)) == [], "a personal value was logged or quoted"


async def jobs_run(world: InMemory) -> None:
    """Have the queue itself hand out what is due, once."""
    once = asyncio.Event()

    async def noting(delivery: LeasedJob) -> Outcome:
        try:
            return await world.worker(delivery)
        finally:
            once.set()

    running = asyncio.create_task(world.queue.run(noting))
    async with asyncio.timeout(10):
        await once.wait()
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
