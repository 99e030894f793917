"""What a process shows to whoever reads its metrics, after a life that left values nobody else has."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias

import pytest
from aiohttp import web
from structlog.testing import capture_logs

from adapters.error_report import also_telling, report
from adapters.inbound.http.app import build
from adapters.inbound.http_io import Webhooks
from adapters.inbound.metrics import Exposition, Meters
from adapters.inbound.webhooks.twilio import TwilioSignature, TwilioWebhooks
from adapters.inbound.webhooks.twilio.messages import SMS
from adapters.outbound.twilio.recordings import caller_of, transcription_of
from adapters.outbound.twilio.twiml import twiml
from adapters.outbound.twilio.vocabulary import outcome_of
from application.jobs import JOB_TYPES
from application.ports.jobs import Handle, LeasedJob, Outcome
from bootstrap.plaintext_scan import search_bytes
from bootstrap.worlds import InMemory
from tests.support.canary_account import lived, some_number
from tests.support.exposition import labels_of, samples
from tests.support.http_client import AUTH_TOKEN, PUBLIC_URL, Handler, always, calling
from tests.support.proofs import proves

ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}|[0-9a-f]{16}", re.IGNORECASE)
DIGITS = re.compile(r"\d{6}")


@dataclass
class Measured:
    """What serves, works and shows what it counted."""

    serves: Handler
    works: Handle
    shows: Exposition
    meters: Meters


Measuring: TypeAlias = Callable[[InMemory], Measured]


@pytest.fixture
def measuring() -> Measuring:
    """Measures a world as a process does that has an admin port."""

    def measured(world: InMemory) -> Measured:
        meters = Meters("0.1.0", world.clock.now)
        hooks: list[Webhooks] = [
            TwilioWebhooks(
                world.use_cases, TwilioSignature([AUTH_TOKEN]), outcome_of, twiml, caller_of, transcription_of,
                PUBLIC_URL,
            )
        ]  # fmt: skip
        app = build(world.use_cases, ready=always, webhooks=hooks, watch=meters.answered)
        page = Exposition(meters.registry, world.use_cases.read_backlog)
        return Measured(app, meters.working(world.worker), page, meters)

    return measured


def by_path(measuring: Measuring) -> Measuring:
    """Count requests by the path they came with."""

    def measured(world: InMemory) -> Measured:
        honest = measuring(world)

        async def serves(request: web.BaseRequest) -> web.StreamResponse:
            answer = await honest.serves(request)
            honest.meters.answered(request.method, request.raw_path, answer, 0.0)
            return answer

        return Measured(serves, honest.works, honest.shows, honest.meters)

    return measured


def by_account(measuring: Measuring) -> Measuring:
    """Count jobs by whom they are about."""

    def measured(world: InMemory) -> Measured:
        honest = measuring(world)

        async def works(leased: LeasedJob) -> Outcome:
            honest.meters.jobs.labels(leased.job.name, str(leased.job.account_id)).inc()
            return await honest.works(leased)

        return Measured(honest.serves, works, honest.shows, honest.meters)

    return measured


def by_what_errors_say(measuring: Measuring) -> Measuring:
    """Count errors by their text."""

    def measured(world: InMemory) -> Measured:
        honest = measuring(world)
        honest.meters.rose = lambda error: honest.meters.errors.labels(str(error)).inc()  # type: ignore[method-assign]
        return honest

    return measured


@proves("H14", text="107e70950f04", saboteur=by_path, says="a metric tells of somebody")
@proves("H14", text="107e70950f04", saboteur=by_account, says="a metric tells of somebody")
@proves("H14", text="107e70950f04", saboteur=by_what_errors_say, says="a metric tells of somebody")
async def test_no_metric_tells_of_anybody_after_a_whole_life(measuring: Measuring) -> None:
    world = InMemory()
    ada = await lived(world)
    measured = measuring(world)
    token = {"Authorization": f"Bearer {ada.signed_in.token}"}
    async with calling(measured.serves) as client, calling(measured.shows) as admin:
        with capture_logs(), also_telling(measured.meters.rose):
            report(ValueError(f"cannot send '{ada.said}' to {ada.peer}"))
            for method, path, body in (
                ("GET", f"/v1/lines/{ada.line_id}", None),
                ("GET", f"/v1/conversations?line={ada.line_id}", None),
                ("PUT", f"/v1/blocked-numbers/{ada.caller}", None),
                ("POST", f"/v1/lines/{ada.line_id}/messages", {"to": ada.peer, "body": ada.said}),
                ("GET", f"/{ada.email}/{ada.number}?{ada.password}", None),
                ("DELETE", f"/v1/lines/{ada.label}/{ada.id}", None),
                ("DELETE", "/v1/account", {"password": ada.password}),
            ):
                await client.call(method, path, body, **token, **{"Idempotency-Key": secrets.token_hex(8)})
            form = {
                "MessageSid": f"SM{secrets.token_hex(16)}",
                "From": some_number(),
                "To": ada.number,
                "Body": ada.heard,
            }
            await client.webhook(SMS, form)
            await world.queue.drain(measured.works)
            world.mail.outage = True
            for days in (1, 29, 1):
                world.clock.advance(timedelta(days=days))
                measured.meters.count_sweep(await world.use_cases.sweep())
                await world.queue.drain(measured.works)
        page = (await admin.ask("GET", "/metrics")).body
    said = labels_of(page.decode())
    assert ("pico_open_erasures", frozenset({("step", "mail")})) in samples(page.decode())
    wanted = {secret: secret for secret in (*ada.secrets, str(ada.id), str(ada.line_id), *form.values())}
    of_an_id = [
        value for values in said.values() for value in values if ID.search(value) or DIGITS.search(value)
    ]
    found = [*of_an_id, *search_bytes("metrics", page, wanted)]
    assert found == [], "a metric tells of somebody"
    assert said["job"] <= JOB_TYPES.keys()
    assert said.keys() <= {
        "method", "route", "status", "job", "outcome", "purge", "error", "step", "holding", "state", "provider", "le",
        "release",
    }  # fmt: skip
