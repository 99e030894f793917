"""Push tokens: which devices are woken when something comes in, with nothing said."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from typing_extensions import TypedDict

from adapters.inbound.http.input import Input, Paged, page_of
from adapters.inbound.http.params import ADeviceToken, APlatform, MaybeId
from adapters.inbound.http.reply import Id, SpelledOut
from adapters.inbound.http.request import Request
from adapters.inbound.http.route import Route
from domain.kernel import SessionId
from domain.push import NotPushed, Platform, PushTokenId
from domain.push import PushToken as Registered


class PushTokenPage(Paged):
    """A page of push tokens."""

    cursor: MaybeId = None


class NewPushToken(Input):
    """How the device that asks is woken."""

    platform: APlatform
    device_token: ADeviceToken


class PushToken(TypedDict):
    """A device that is woken; `current`: it is the one that asks. Its token is not shown."""

    id: Id
    platform: Annotated[str, SpelledOut(Platform)]
    registered_at: datetime
    current: bool


class PushTokens(TypedDict):
    """A page of push tokens; `next_cursor` leads to the rest, null at the end."""

    items: list[PushToken]
    next_cursor: str | None


def push_token(of: Registered, asking: SessionId) -> PushToken:
    """Show a device that is woken."""
    return {
        "id": str(of.id),
        "platform": of.platform.value,
        "registered_at": of.registered_at,
        "current": of.session_id == asking,
    }


async def register_push_token(request: Request[NewPushToken]) -> PushToken:
    """Have the device that asks woken. It takes the place of the session's former token, and of anybody else's.

    What is sent through Apple or Google is always the same: no message, no number, no id. The token goes when the session
    does. Register it again at every start of the app: systems change it, and services forget.
    """
    given = request.input
    registered = await request.use_cases.register_push_token(
        request.caller, given.platform, given.device_token
    )
    return push_token(registered, request.caller.session_id)


async def list_push_tokens(request: Request[PushTokenPage]) -> PushTokens:
    """List the devices that are woken, newest first."""
    found = await request.use_cases.list_push_tokens(request.account_id)
    page, more = page_of(found, request.input.cursor, request.input.limit)
    return {"items": [push_token(one, request.caller.session_id) for one in page], "next_cursor": more}


async def delete_push_token(request: Request[None], push_token_id: PushTokenId) -> None:
    """Have a device not be woken any more."""
    await request.use_cases.delete_push_token(request.account_id, push_token_id)


# ruff: noqa: E501 - a route is a line, however long
# fmt: off
ROUTES = (
    Route("POST", "/v1/push-tokens", register_push_token, 201, body=NewPushToken, raises=(NotPushed,), location="/v1/push-tokens/{id}"),
    Route("GET", "/v1/push-tokens", list_push_tokens, 200, query=PushTokenPage),
    Route("DELETE", "/v1/push-tokens/{push_token_id:uuid}", delete_push_token, 204),
)
# fmt: on
