"""Every route on one screen. The table feeds dispatch, validation and the OpenAPI document."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Generic

from adapters.inbound.http import accounts, docs, exports, health, lines, messages, sandbox, sessions
from adapters.inbound.http import answers as a
from adapters.inbound.http import bodies as b
from adapters.inbound.http.request import I, Reply, Request
from application.accounts import BadToken
from application.ports.carrier import CarrierUnavailable, NumberTaken
from application.ports.system import Overloaded
from application.sessions import WrongCredentials
from domain.accounts import NotPendingDeletion, PendingDeletion, Unverified
from domain.exports import ExportNotReady
from domain.idempotency import IdempotencyInFlight, IdempotencyMismatch
from domain.kernel import PicoError
from domain.lines import LineNotActive
from domain.messages import PeerOptedOut


@dataclass(frozen=True, slots=True)
class Route(Generic[I]):
    """One row: what is asked how, who answers, with which status and model, and what else may be answered.

    A row asks for a bearer token unless `open`, for an Idempotency-Key when `keyed`, for the password once more
    when `reauthenticated`. `raises` lists the rules its use case may break; the edge adds its own refusals.
    """

    method: str
    path: str
    handler: Callable[[Request[I]], Awaitable[Reply]]
    status: int
    answer: Any = None
    body: type[I] | None = None
    query: type[I] | None = None
    open: bool = False
    keyed: bool = False
    reauthenticated: bool = False
    hidden: bool = False
    raises: tuple[type[PicoError], ...] = ()


R = Route
HASHING = (Overloaded,)
PASSWORD = (WrongCredentials, Overloaded)
IDEMPOTENCY = (IdempotencyInFlight, IdempotencyMismatch)
BUY = (*IDEMPOTENCY, NumberTaken, PendingDeletion, Unverified)
SEND = (IdempotencyMismatch, LineNotActive, PeerOptedOut)
SIGNING_IN = (*PASSWORD, Unverified, PendingDeletion)
RECOVERING = (*PASSWORD, NotPendingDeletion)
DOWNLOADING = (*PASSWORD, ExportNotReady)

# ruff: noqa: E501 - a row is a line, however long
# fmt: off
ROUTES: tuple[Route[Any], ...] = (
    R("GET", "/healthz", health.healthz, 200, a.Health, open=True),
    R("GET", "/readyz", health.readyz, 200, a.Health, open=True),
    R("GET", "/openapi.json", docs.document, 200, open=True, hidden=True),
    R("GET", "/docs", docs.page, 200, open=True, hidden=True),
    R("GET", "/docs/start.js", docs.start, 200, open=True, hidden=True),
    R("GET", "/docs/swagger-ui.css", docs.stylesheet, 200, open=True, hidden=True),
    R("GET", "/docs/swagger-ui-bundle.js", docs.bundle, 200, open=True, hidden=True),
    R("POST", "/v1/accounts", accounts.sign_up, 202, body=b.SignUp, open=True, raises=HASHING),
    R("POST", "/v1/accounts/verify", accounts.verify_account, 201, a.SignedIn, b.Verification, open=True, raises=(BadToken,)),
    R("POST", "/v1/account-recoveries", accounts.recover_account, 201, a.SignedIn, b.Credentials, open=True, raises=RECOVERING),
    R("GET", "/v1/account", accounts.read_account, 200, a.Account),
    R("PATCH", "/v1/account", accounts.change_profile, 200, a.Account, b.ProfileChange),
    R("DELETE", "/v1/account", accounts.delete_account, 202, a.DeletionPreview, b.DeletionConfirmation, raises=PASSWORD),
    R("GET", "/v1/account/deletion-preview", accounts.preview_deletion, 200, a.DeletionPreview),
    R("POST", "/v1/account/exports", exports.start_export, 202, a.Export),
    R("GET", "/v1/account/exports/{id}", exports.read_export, 200, a.Export),
    R("GET", "/v1/account/exports/{id}/download", exports.download_export, 200, a.Document, reauthenticated=True, raises=DOWNLOADING),
    R("POST", "/v1/sessions", sessions.sign_in, 201, a.SignedIn, b.Credentials, open=True, raises=SIGNING_IN),
    R("GET", "/v1/sessions", sessions.list_sessions, 200, a.Sessions),
    R("DELETE", "/v1/sessions", sessions.sign_out_others, 204),
    R("DELETE", "/v1/sessions/current", sessions.sign_out, 204),
    R("DELETE", "/v1/sessions/{id}", sessions.revoke_session, 204),
    R("GET", "/v1/available-numbers", lines.search_numbers, 200, a.AvailableNumbers, query=b.NumberSearch, raises=(CarrierUnavailable,)),
    R("POST", "/v1/lines", lines.buy_line, 201, a.Line, b.Purchase, keyed=True, raises=BUY),
    R("GET", "/v1/lines", lines.list_lines, 200, a.Lines),
    R("GET", "/v1/lines/{id}", lines.read_line, 200, a.Line),
    R("PATCH", "/v1/lines/{id}", lines.relabel_line, 200, a.Line, b.Relabelling),
    R("DELETE", "/v1/lines/{id}", lines.release_line, 202, a.Line, raises=(LineNotActive,)),
    R("POST", "/v1/lines/{id}/messages", messages.send_message, 202, a.Message, b.OutgoingText, keyed=True, raises=SEND),
    R("GET", "/v1/messages/{id}", messages.read_message, 200, a.Message),
    R("DELETE", "/v1/messages/{id}", messages.delete_message, 204),
    R("GET", "/v1/conversations", messages.list_conversations, 200, a.Conversations, query=b.ConversationPage),
    R("GET", "/v1/conversations/{id}", messages.read_conversation, 200, a.Conversation),
    R("DELETE", "/v1/conversations/{id}", messages.delete_conversation, 204),
    R("GET", "/v1/conversations/{id}/messages", messages.list_messages, 200, a.Messages, query=b.MessagePage),
    R("POST", "/v1/conversations/{id}/read", messages.mark_read, 204),
)

SANDBOX_ROUTES: tuple[Route[Any], ...] = (
    R("GET", "/sandbox/clock", sandbox.read_clock, 200, a.Clock, open=True),
    R("POST", "/sandbox/clock", sandbox.advance_clock, 200, a.Clock, b.ClockAdvance, open=True),
    R("GET", "/sandbox/mails", sandbox.list_mails, 200, a.Mails, open=True),
    R("POST", "/sandbox/sms", sandbox.receive_text, 202, a.TextAccepted, b.IncomingText, open=True),
    R("POST", "/sandbox/faults", sandbox.set_faults, 200, a.Document, b.Faults, open=True),
    R("GET", "/sandbox/providers", sandbox.read_providers, 200, a.Document, open=True),
)
# fmt: on
