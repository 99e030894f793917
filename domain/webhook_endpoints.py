"""Webhook endpoints: addresses of an account's own that are called when something happened to it, by ids only.

Calls are signed as Standard Webhooks has it: HMAC-SHA-256 over id, time and body, under a secret that is shown once.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import b64decode, b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, ClassVar, Self
from uuid import UUID

from domain.classification import held
from domain.kernel import AccountId, Aggregate, ErrorKind, Event, PicoError, WebhookEndpointId
from domain.live_kinds import LiveKind
from domain.values import PersonalText

MOST_ENDPOINTS = 5
"""In one account."""
BOTH_SECRETS = timedelta(hours=24)
"""How long the secret before signs beside the new one."""
PATIENCE = timedelta(days=3)
"""An endpoint that answered nothing well for so long is called no more."""
SECRET_PREFIX = "whsec_"  # noqa: S105 - what a secret begins with

SHAPE = re.compile(
    r"(?P<scheme>https?)://(?P<host>[A-Za-z0-9.-]{1,253}|\[::1\])(?::(?P<port>[0-9]{1,5}))?"
    r"(?:[/?](?:[!-\"$-\[\]-~])*)?\Z"
)
LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\Z")
LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
FIRST_FREE_PORT, LAST_PORT = 1024, 65535


class InvalidWebhookUrl(PicoError):
    """A webhook URL is https, a host by its name, port 443 or 1024 and up, no user and no fragment."""

    code = "invalid_webhook_url"


class TooManyEndpoints(PicoError):
    """An account has at most 5 webhook endpoints."""

    kind = ErrorKind.CONFLICT
    code = "too_many_webhook_endpoints"


class WebhookUrl(PersonalText):
    """Where an account wants to be called: by https, at a host that is named, never by its number.

    The one exception is this very machine, which only the Sandbox calls.
    """

    __slots__ = ()
    LONGEST = 2048

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the address; raises InvalidWebhookUrl.

        Numbers have many spellings (decimal, octal, hexadecimal, shortened, with a zone), each of which some resolver
        takes for an address: a host whose last label begins with a digit is none.
        """
        match = SHAPE.match(text)
        if match is None or len(text) > cls.LONGEST:
            raise InvalidWebhookUrl
        url = cls(text)
        if not url.is_loopback:
            labels = match["host"].lower().split(".")
            named = len(labels) > 1 and all(map(LABEL.match, labels)) and not labels[-1][0].isdigit()
            if not named or match["scheme"] != "https":
                raise InvalidWebhookUrl
        port = int(match["port"] or (443 if match["scheme"] == "https" else 80))
        if port != 443 and not FIRST_FREE_PORT <= port <= LAST_PORT:  # noqa: PLR2004 - https
            raise InvalidWebhookUrl
        return url

    @property
    def is_loopback(self) -> bool:
        """Whether it is this very machine."""
        match = SHAPE.match(self)
        return match is not None and match["host"].lower() in LOOPBACK


class WebhookSecret(PersonalText):
    """What signs the calls of one endpoint: 32 random bytes, as Standard Webhooks spells them."""

    __slots__ = ()

    @classmethod
    def of(cls, key: bytes) -> Self:
        """Spell a secret."""
        return cls(SECRET_PREFIX + b64encode(key).decode())

    def sign(self, call_id: UUID, at: datetime, body: bytes) -> str:
        """Return the signature of a call, with the version of the scheme before it."""
        key = b64decode(self.removeprefix(SECRET_PREFIX))
        signed = f"{call_id}.{int(at.timestamp())}.".encode() + body
        return "v1," + b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


class WebhookState(StrEnum):
    """Whether an endpoint is called, and if not, why."""

    ENABLED = "enabled"
    DISABLED = "disabled"
    """By its account."""
    GONE = "gone"
    """It answered 410."""
    FAILING = "failing"
    """Nothing that was tried for days went through."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookEndpointAdded(Event):
    """An address is to be called from now on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookEndpointChanged(Event):
    """Another address is called, or for something else, or none any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookEndpointDeleted(Event):
    """An address is not called any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookSecretRotated(Event):
    """Calls are signed with another secret."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookEndpointDisabled(Event):
    """An address is not called any more, because it does not answer."""


@dataclass(slots=True, kw_only=True)
class WebhookEndpoint(Aggregate):
    """An address to call, for some kinds of events, or for all where `kinds` is empty."""

    stored_as: ClassVar[str] = "webhook_endpoints"
    clause: ClassVar[str] = "C24"

    account_id: AccountId
    id: WebhookEndpointId
    url: WebhookUrl
    secret: Annotated[WebhookSecret, held(exported=False)]
    former_secret: Annotated[WebhookSecret | None, held(exported=False)] = None
    former_until: Annotated[datetime | None, held(bound=True)] = None
    kinds: frozenset[LiveKind] = frozenset()
    state: Annotated[WebhookState, held(bound=True)] = WebhookState.ENABLED
    failing_since: Annotated[datetime | None, held(bound=True)] = None
    """Since when nothing went through; None: the latest try did."""
    created_at: Annotated[datetime, held(bound=True)]

    def added(self) -> None:
        """Note that it is new."""
        self.record(WebhookEndpointAdded(account_id=self.account_id, subject=self.id, at=self.created_at))

    def deleted(self, at: datetime) -> None:
        """Note that it goes."""
        self.record(WebhookEndpointDeleted(account_id=self.account_id, subject=self.id, at=at))

    def hears(self, kind: LiveKind) -> bool:
        """Tell whether it is called for this. The store asks the same in its own words."""
        return self.state is WebhookState.ENABLED and (not self.kinds or kind in self.kinds)

    @property
    def may_be_called(self) -> bool:
        """Whether it is to be called, at an address that is the one that was given."""
        whole = not self.altered and not self.unreadable & {"url", "secret"}
        return whole and self.state is WebhookState.ENABLED

    def change(
        self,
        url: WebhookUrl | None,
        kinds: frozenset[LiveKind] | None,
        enabled: bool | None,  # noqa: FBT001 - None leaves it as it is
        at: datetime,
    ) -> None:
        """Take what is given in the place of what was. Raises SealBroken. Repeating is harmless."""
        self.must_be_whole()
        self.url = url or self.url
        self.kinds = self.kinds if kinds is None else kinds
        if enabled is not None:
            self.state = WebhookState.ENABLED if enabled else WebhookState.DISABLED
            self.failing_since = None
        self.record(WebhookEndpointChanged(account_id=self.account_id, subject=self.id, at=at))

    def rotate(self, key: bytes, at: datetime) -> WebhookSecret:
        """Sign with another secret from now on, and for a day with the one before as well. Raises SealBroken."""
        self.must_be_whole()
        self.former_secret, self.former_until = self.secret, at + BOTH_SECRETS
        self.secret = WebhookSecret.of(key)
        self.record(WebhookSecretRotated(account_id=self.account_id, subject=self.id, at=at))
        return self.secret

    def signatures(self, call_id: UUID, at: datetime, body: bytes) -> str:
        """Return what a call is signed with: one signature, or two for a day after the secret was changed."""
        secrets = [self.secret]
        if self.former_secret is not None and self.former_until is not None and at < self.former_until:
            secrets.append(self.former_secret)
        return " ".join(secret.sign(call_id, at, body) for secret in secrets)

    def answered(self, *, well: bool, at: datetime) -> bool:
        """Note how it answered; tell whether that changed anything."""
        before = self.failing_since
        self.failing_since = None if well else before or at
        return self.failing_since != before

    def give_up(self, at: datetime, *, gone: bool) -> None:
        """Call it no more: it said that it is gone, or has failed for days. One that is not called stays as it is."""
        failed = self.failing_since is not None and at - self.failing_since >= PATIENCE
        if self.state is WebhookState.ENABLED and (gone or failed):
            self.state = WebhookState.GONE if gone else WebhookState.FAILING
            self.record(WebhookEndpointDisabled(account_id=self.account_id, subject=self.id, at=at))
