"""The providers that are configured, put together: what asks them, and what hears them."""

from __future__ import annotations

from aiohttp import ClientSession

from adapters.inbound.http_io import Webhooks
from adapters.inbound.webhooks.sendgrid import SendGridSignature, SendGridWebhooks
from adapters.inbound.webhooks.stripe import StripeSignature, StripeWebhooks
from adapters.inbound.webhooks.telnyx import TelnyxSignature, TelnyxWebhooks
from adapters.inbound.webhooks.twilio import TwilioSignature, TwilioWebhooks
from adapters.outbound.stripe.http import client as stripe_client
from adapters.outbound.stripe.payments import StripePayments
from adapters.outbound.stripe.reading import hint_of
from adapters.outbound.system.payments import NoPayments
from adapters.outbound.telnyx import vocabulary as telnyx_words
from adapters.outbound.telnyx.answers import ref_of
from adapters.outbound.telnyx.api import TelnyxApi
from adapters.outbound.telnyx.apps import TelnyxApps
from adapters.outbound.telnyx.call_control import TelnyxCallControl
from adapters.outbound.telnyx.client_state import SealedStates
from adapters.outbound.telnyx.messages import TelnyxMessages
from adapters.outbound.telnyx.numbers import TelnyxNumbers
from adapters.outbound.telnyx.recordings import TelnyxRecordings
from adapters.outbound.telnyx.voice import TelnyxVoiceCarrier
from adapters.outbound.twilio.api import TwilioApi
from adapters.outbound.twilio.messages import TwilioMessages
from adapters.outbound.twilio.numbers import TwilioNumbers
from adapters.outbound.twilio.recordings import TwilioRecordings, caller_of, transcription_of
from adapters.outbound.twilio.twiml import twiml
from adapters.outbound.twilio.vocabulary import outcome_of
from adapters.outbound.twilio.voice import TwilioVoiceCarrier
from application.ports.keyring import Keyring
from application.ports.payments import Payments
from application.use_cases import UseCases
from bootstrap.carriers import Carriers
from bootstrap.parts import Parts, StripeAccess, TelnyxAccess
from bootstrap.telnyx_calls import calls_at_telnyx


def payments_of(access: StripeAccess | None, session: ClientSession) -> Payments:
    """Return Stripe, or nobody where it is not configured."""
    if access is None:
        return NoPayments()
    return StripePayments(
        stripe_client(session, access.api_key, access.api_url),
        access.prices,
        access.link,
        access.former_prices,
    )


def telnyx_of(parts: Parts, session: ClientSession) -> TelnyxApi | None:
    """Return what Telnyx is reached by, where it is configured."""
    if parts.telnyx is None:
        return None
    return TelnyxApi.over(
        session,
        api_key=parts.telnyx.api_key,
        public_url=parts.public_url,
        now=parts.clock.now,
        api_url=parts.telnyx.api_url,
        media_hosts=parts.telnyx.media_hosts,
    )


def telnyx_control(access: TelnyxAccess, telnyx: TelnyxApi, keyring: Keyring) -> TelnyxCallControl:
    """Return what commands calls at Telnyx, and rings apps where it has any."""
    apps = TelnyxApps(telnyx.http, access.apps_connection_id) if access.apps_connection_id else None
    return TelnyxCallControl(telnyx, SealedStates(keyring), access.connection_id, apps)


def carriers_of(parts: Parts, twilio: TwilioApi, telnyx: TelnyxApi | None, keyring: Keyring) -> Carriers:
    """Return Twilio, and Telnyx beside it where it is configured."""
    voice, recordings = TwilioVoiceCarrier(twilio, parts.twilio.voice), TwilioRecordings(twilio)
    first = Carriers(
        {"twilio": TwilioMessages(twilio)},
        {"twilio": TwilioNumbers(twilio, parts.prices)},
        voices={"twilio": voice},
        recordings={"twilio": recordings},
        transcribers={"twilio": recordings},
    )
    if parts.telnyx is None or telnyx is None:
        return first
    left, control = TelnyxRecordings(telnyx), telnyx_control(parts.telnyx, telnyx, keyring)
    return Carriers(
        {**first.messages, "telnyx": TelnyxMessages(telnyx)},
        {**first.numbers, "telnyx": TelnyxNumbers(telnyx, parts.prices, parts.telnyx.connection_id)},
        dict.fromkeys(parts.telnyx.countries, "telnyx"),
        voices={**first.voices, "telnyx": TelnyxVoiceCarrier(telnyx, control)},
        recordings={**first.recordings, "telnyx": left},
        transcribers={**first.transcribers, "telnyx": left},
    )


def webhooks_of(
    parts: Parts, use_cases: UseCases, session: ClientSession, telnyx: TelnyxApi | None, keyring: Keyring
) -> tuple[Webhooks, ...]:
    """Return the webhooks of each provider, which verify with its credentials. Raises ValueError."""
    signature = TwilioSignature([parts.twilio.auth_token])
    found: list[Webhooks] = [
        TwilioWebhooks(use_cases, signature, outcome_of, twiml, caller_of, transcription_of, parts.public_url)
    ]
    if parts.telnyx is not None and telnyx is not None:
        verified = TelnyxSignature(parts.telnyx.public_keys, parts.clock.now)
        calls = calls_at_telnyx(use_cases, telnyx, telnyx_control(parts.telnyx, telnyx, keyring))
        found.append(
            TelnyxWebhooks(use_cases, verified, telnyx_words.outcome_of, ref_of, parts.public_url, calls)
        )
    told = SendGridSignature(parts.sendgrid_keys, parts.clock.now)
    found.append(SendGridWebhooks(use_cases, told))
    if parts.stripe is not None:
        secrets = StripeSignature(parts.stripe.webhook_secrets, parts.clock.now)
        found.append(StripeWebhooks(use_cases, secrets, hint_of))
    found += parts.stores.webhooks(use_cases, session, parts.clock.now)
    return tuple(found)
