"""How Stripe is reached: its own library over one shared session, with real time limits and bounded answers."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Mapping
from typing import TypeVar

import stripe
from aiohttp import ClientError, ClientSession, ClientTimeout
from typing_extensions import override

from adapters.answers import whole
from adapters.error_report import report_key
from application.ports.payments import PaymentRefused, PaymentsUnavailable

STRIPE = "https://api.stripe.com"
VERSION = "2026-06-24.dahlia"
"""Of Stripe's API: in no other do its objects have the shape that is read here."""
LIMITS = ClientTimeout(total=25, connect=5)
LARGEST_ANSWER = 4 << 20
"""Bytes of an answer that are read: a page of a hundred subscriptions has some 500 KB."""
MISSING = "resource_missing"
R = TypeVar("R")

logging.getLogger("stripe").setLevel(logging.CRITICAL)  # it writes addresses, which hold ids, and messages


class Missing(Exception):
    """Stripe has no such object, or not any more."""


class OtherWords(PaymentRefused):
    """This idempotency key was sent before, with other parameters: a setting has changed since."""


class StripeHttp(stripe.HTTPClient):
    """What carries the library's requests.

    Its own client for aiohttp reads answers of any length, follows redirects with the key in hand, and lets errors of
    reading through that quote the address.
    """

    name = "pico"

    def __init__(self, session: ClientSession) -> None:
        """Send with a session that somebody else closes."""
        super().__init__()
        self._http = session

    @override
    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: str | None = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        try:
            async with self._http.request(
                method,
                url,
                data=post_data,
                headers={**headers, "Accept-Encoding": "identity"},
                timeout=LIMITS,
                allow_redirects=False,
            ) as answer:
                return await whole(answer, LARGEST_ANSWER), answer.status, answer.headers
        except (ClientError, TimeoutError, OSError):
            pass
        raise stripe.APIConnectionError("no answer", should_retry=False)  # type: ignore[no-untyped-call]

    @override
    async def close_async(self) -> None:
        """Leave the session to whoever opened it."""

    @override
    def close(self) -> None:
        """Leave the session to whoever opened it."""


def client(session: ClientSession, api_key: str, url: str = STRIPE) -> stripe.StripeClient:
    """Return Stripe's client. It repeats nothing: jobs do, with the same key, and it tells nothing of this machine."""
    stripe.enable_telemetry = False
    return stripe.StripeClient(
        api_key,
        stripe_version=VERSION,
        base_addresses={"api": url},
        max_network_retries=0,
        http_client=StripeHttp(session),
    )


async def answered(asked: Awaitable[R]) -> R:
    """Return what Stripe answers. Raises Missing, PaymentRefused, PaymentsUnavailable: its own errors end here.

    They quote what was sent and what came back. A key that is not taken is somebody's to mend: it counts as an outage.
    """
    try:
        return await asked
    except stripe.InvalidRequestError as error:
        refusal: type[Exception] = Missing if error.code == MISSING else PaymentRefused
        if error.http_status in {409, 424, 429}:
            refusal = PaymentsUnavailable
    except stripe.IdempotencyError as error:
        refusal = PaymentsUnavailable if error.http_status == 409 else OtherWords  # noqa: PLR2004 - HTTP
    except stripe.CardError:
        refusal = PaymentRefused
    except (stripe.AuthenticationError, stripe.PermissionError) as error:
        report_key(error)
        refusal = PaymentsUnavailable
    except (stripe.StripeError, ValueError):
        refusal = PaymentsUnavailable
    raise refusal
