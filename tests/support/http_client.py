"""The HTTP edge of any world, served on loopback, and a client that has much to hide."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import TypeAlias
from urllib.parse import urlencode

from adapters.inbound.http.app import build
from adapters.inbound.webhooks.twilio import TwilioSignature, TwilioWebhooks
from adapters.outbound.twilio.recordings import caller_of, transcription_of
from adapters.outbound.twilio.signature import sign
from adapters.outbound.twilio.twiml import twiml
from adapters.outbound.twilio.vocabulary import outcome_of
from bootstrap.worlds import InMemory, edge
from bootstrap.worlds.edge import Handler, HttpClient, always

PUBLIC_URL = "https://api.pico.example"
AUTH_TOKEN = "pico-test-auth-token-not-a-secret"

__all__ = ["Client", "Edge", "Handler", "always", "calling", "the_edge"]

Edge: TypeAlias = Callable[[InMemory], Handler]
"""Answers requests to a world. A saboteur hands over one that keeps or tells too much."""


def the_edge(world: InMemory, twilio: type[TwilioWebhooks] = TwilioWebhooks) -> Handler:
    """Build the honest edge, or one whose Twilio webhooks are not."""
    webhooks = twilio(
        world.use_cases,
        TwilioSignature([AUTH_TOKEN]),
        outcome_of,
        twiml,
        caller_of,
        transcription_of,
        PUBLIC_URL,
    )
    return build(world.use_cases, ready=always, webhooks=[webhooks])


class Client(HttpClient):
    """Somebody with a browser, or Twilio."""

    async def call(self, method: str, path: str, body: object = None, **headers: str) -> tuple[int, bytes]:
        """Ask, and return status and body."""
        answer = await self.ask(method, path, body, **headers)
        return answer.status, answer.body

    async def webhook(self, path: str, form: Mapping[str, str]) -> tuple[int, bytes]:
        """Post a form as Twilio does."""
        headers = {
            **self.headers,
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Twilio-Signature": sign(AUTH_TOKEN, PUBLIC_URL + path, form.items()),
        }
        async with self.session.post(self.url + path, data=urlencode(form), headers=headers) as answer:
            return answer.status, await answer.read()


@asynccontextmanager
async def calling(handler: Handler, **headers: str) -> AsyncIterator[Client]:
    """Serve, and yield a client."""
    async with edge.calling(handler, **headers) as client:
        yield Client(client.session, client.url, client.headers)
