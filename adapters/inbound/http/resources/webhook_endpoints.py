"""Webhook endpoints: addresses that are called when something happens in the account, by ids only."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field
from pydantic.json_schema import Examples
from typing_extensions import TypedDict

from adapters.inbound.http.guards import Bearer, Idempotent
from adapters.inbound.http.input import Change, Input, Paged, page_of
from adapters.inbound.http.json_format import time_cursor
from adapters.inbound.http.params import A_PLACE_IN_TIME, MaybeId, MaybeTrue, Text
from adapters.inbound.http.reply import Id, SpelledOut
from adapters.inbound.http.request import Request
from adapters.inbound.http.route import Route
from application.ports.limits import LimitsUnavailable
from application.ports.webhook_receivers import WebhookUrlRefused
from application.webhook_endpoints import TooManyTests
from domain.idempotency import IdempotencyMismatch
from domain.kernel import WebhookEndpointId
from domain.live_kinds import LiveKind
from domain.requests import Pace
from domain.webhook_deliveries import (
    WebhookAnswer,
    WebhookDeliveryId,
    WebhookDeliveryState,
)
from domain.webhook_deliveries import WebhookDelivery as Delivered
from domain.webhook_endpoints import TooManyEndpoints, WebhookState, WebhookUrl
from domain.webhook_endpoints import WebhookEndpoint as Registered

URL_SAYS = {"minLength": 8, "maxLength": WebhookUrl.LONGEST, "pattern": "^https?://[!-~]+$"}
A_URL = Text(WebhookUrl.parse, URL_SAYS)
A_KIND = Text(LiveKind, {"enum": list(LiveKind)})
EXAMPLE_URL = "https://hooks.example.org/pico"
EXAMPLE_SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="  # noqa: S105 - an example

SomeKinds = Annotated[list[Annotated[LiveKind, A_KIND]], Field(min_length=1, max_length=len(LiveKind))] | None
AUrl = Annotated[WebhookUrl, A_URL, Field(examples=[EXAMPLE_URL])]
MaybeUrl = Annotated[WebhookUrl | None, A_URL, Field(examples=[EXAMPLE_URL])]
MaybeDelivery = Annotated[tuple[datetime, WebhookDeliveryId] | None, A_PLACE_IN_TIME]


class EndpointPage(Paged):
    """A page of webhook endpoints."""

    cursor: MaybeId = None


class DeliveryPage(Paged):
    """A page of deliveries."""

    cursor: MaybeDelivery = None


class NewWebhookEndpoint(Input):
    """Where to call, and for what; without `kinds`, for everything."""

    url: AUrl
    kinds: SomeKinds = None


class WebhookEndpointChange(Change):
    """What to change: something, at least. `kinds` null: everything; a field left out stays as it is."""

    url: MaybeUrl = None
    kinds: SomeKinds = None
    enabled: MaybeTrue = None


class WebhookEndpoint(TypedDict):
    """An address that is called. `url` is null where it was damaged: delete it, and add it anew."""

    id: Id
    url: Annotated[str | None, Examples([EXAMPLE_URL])]
    kinds: list[Annotated[str, SpelledOut(LiveKind)]] | None
    state: Annotated[str, SpelledOut(WebhookState)]
    failing_since: datetime | None
    created_at: datetime


class SignedWebhookEndpoint(WebhookEndpoint):
    """An address that is called, and the secret that signs the calls: it is shown this once."""

    secret: Annotated[str, Examples([EXAMPLE_SECRET])]
    former_secret_until: datetime | None


class WebhookEndpoints(TypedDict):
    """A page of webhook endpoints; `next_cursor` leads to the rest, null at the end."""

    items: list[WebhookEndpoint]
    next_cursor: str | None


class WebhookDelivery(TypedDict):
    """Something that was told, or is to be. Its `id` is that of the call (`webhook-id`), on every try."""

    id: Id
    event: Annotated[str, SpelledOut(LiveKind), Examples(["message.received"])]
    subject_id: Id
    occurred_at: datetime
    state: Annotated[str, SpelledOut(WebhookDeliveryState), Examples(["delivered"])]
    attempts: Annotated[int, Examples([1])]
    answer: Annotated[str, SpelledOut(WebhookAnswer)] | None
    tried_at: datetime | None


class WebhookDeliveries(TypedDict):
    """A page of deliveries; `next_cursor` leads to the rest, null at the end."""

    items: list[WebhookDelivery]
    next_cursor: str | None


def webhook_endpoint(of: Registered) -> WebhookEndpoint:
    """Show an endpoint, without its secret."""
    return {
        "id": str(of.id),
        "url": of.url,
        "kinds": sorted(of.kinds) or None,
        "state": of.state.value,
        "failing_since": of.failing_since,
        "created_at": of.created_at,
    }


def signed_endpoint(of: Registered) -> SignedWebhookEndpoint:
    """Show an endpoint with its secret."""
    return {**webhook_endpoint(of), "secret": of.secret, "former_secret_until": of.former_until}


def webhook_delivery(of: Delivered) -> WebhookDelivery:
    """Show a delivery."""
    return {
        "id": str(of.id),
        "event": of.kind.value,
        "subject_id": str(of.subject),
        "occurred_at": of.at,
        "state": of.state.value,
        "attempts": of.attempts,
        "answer": of.answer and of.answer.value,
        "tried_at": of.tried_at,
    }


async def add_webhook_endpoint(request: Request[NewWebhookEndpoint]) -> SignedWebhookEndpoint:
    """Have an address called when something happens in the account, at most 5 of them.

    Calls are POST with a JSON body of ids only, signed as Standard Webhooks has it, and come at least once. Where 2xx
    is not the answer within ten seconds they are repeated for a day, under the same `webhook-id`.
    """
    wanted = request.input
    added = await request.use_cases.add_webhook_endpoint(
        request.account_id, wanted.url, frozenset(wanted.kinds or ()), request.key
    )
    request.replayed(yes=added.repeated)
    return signed_endpoint(added.endpoint)


async def list_webhook_endpoints(request: Request[EndpointPage]) -> WebhookEndpoints:
    """List the addresses that are called, newest first."""
    found = await request.use_cases.list_webhook_endpoints(request.account_id)
    page, more = page_of(found, request.input.cursor, request.input.limit)
    return {"items": [webhook_endpoint(one) for one in page], "next_cursor": more}


async def read_webhook_endpoint(
    request: Request[None], webhook_endpoint_id: WebhookEndpointId
) -> WebhookEndpoint:
    """Read one of them."""
    found = await request.use_cases.read_webhook_endpoint(request.account_id, webhook_endpoint_id)
    return webhook_endpoint(found)


async def change_webhook_endpoint(
    request: Request[WebhookEndpointChange], webhook_endpoint_id: WebhookEndpointId
) -> WebhookEndpoint:
    """Call another address, or for something else; switch an endpoint off, or on again once it answers."""
    wanted = request.input
    kinds = frozenset(wanted.kinds or ()) if "kinds" in wanted.model_fields_set else None
    return webhook_endpoint(
        await request.use_cases.change_webhook_endpoint(
            request.account_id, webhook_endpoint_id, wanted.url, kinds, wanted.enabled
        )
    )


async def delete_webhook_endpoint(request: Request[None], webhook_endpoint_id: WebhookEndpointId) -> None:
    """Have an address not be called any more."""
    await request.use_cases.delete_webhook_endpoint(request.account_id, webhook_endpoint_id)


async def rotate_webhook_secret(
    request: Request[None], webhook_endpoint_id: WebhookEndpointId
) -> SignedWebhookEndpoint:
    """Sign with another secret. For a day each call carries two signatures, by the new one and by the one before."""
    return signed_endpoint(
        await request.use_cases.rotate_webhook_secret(request.account_id, webhook_endpoint_id)
    )


async def test_webhook_endpoint(
    request: Request[None], webhook_endpoint_id: WebhookEndpointId
) -> WebhookDelivery:
    """Have an endpoint called with `webhook.test`, signed and listed as any other call, whatever it is called for.

    One that is switched off is not called: the delivery says `withheld`.
    """
    return webhook_delivery(
        await request.use_cases.try_webhook_endpoint(request.account_id, webhook_endpoint_id)
    )


async def list_webhook_deliveries(
    request: Request[DeliveryPage], webhook_endpoint_id: WebhookEndpointId
) -> WebhookDeliveries:
    """List what was told to an endpoint in the last seven days, the latest event first: of answers, their class."""
    limit = request.input.limit
    found = await request.use_cases.list_webhook_deliveries(
        request.account_id, webhook_endpoint_id, request.input.cursor, limit + 1
    )
    page = found[:limit]
    more = time_cursor(page[-1].at, page[-1].id) if len(found) > limit else None
    return {"items": [webhook_delivery(one) for one in page], "next_cursor": more}


ENDPOINT = "/v1/webhook-endpoints/{webhook_endpoint_id:uuid}"
ADDING = (IdempotencyMismatch, TooManyEndpoints, WebhookUrlRefused)
ONCE = (Bearer(), Idempotent())

# fmt: off
ROUTES = (
    Route("POST", "/v1/webhook-endpoints", add_webhook_endpoint, 201, body=NewWebhookEndpoint, guards=ONCE,
          raises=ADDING, location="/v1/webhook-endpoints/{id}", pace=Pace.HEAVY),
    Route("GET", "/v1/webhook-endpoints", list_webhook_endpoints, 200, query=EndpointPage),
    Route("GET", ENDPOINT, read_webhook_endpoint, 200),
    Route("PATCH", ENDPOINT, change_webhook_endpoint, 200, body=WebhookEndpointChange, raises=(WebhookUrlRefused,),
          pace=Pace.HEAVY),
    Route("DELETE", ENDPOINT, delete_webhook_endpoint, 204),
    Route("POST", f"{ENDPOINT}/secret", rotate_webhook_secret, 200),
    Route("POST", f"{ENDPOINT}/test", test_webhook_endpoint, 200, raises=(LimitsUnavailable, TooManyTests),
          pace=Pace.HEAVY),
    Route("GET", f"{ENDPOINT}/deliveries", list_webhook_deliveries, 200, query=DeliveryPage),
)
# fmt: on
