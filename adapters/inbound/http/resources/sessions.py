"""Sessions: sign in, list, sign out."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field
from typing_extensions import TypedDict

import application.sessions
import domain.sessions
from adapters.inbound.http.input import Input, Paged, page_of
from adapters.inbound.http.params import ALabel, AnEmail, KnownPassword, MaybeId, MaybeToken
from adapters.inbound.http.reply import Id
from adapters.inbound.http.request import Request
from adapters.inbound.http.route import OPEN, Route
from application.credentials import WrongCredentials
from application.guesses import TooManyGuesses
from application.ports.passwords import Overloaded
from domain.accounts import PendingDeletion
from domain.kernel import SessionId
from domain.requests import Pace


class Credentials(Input):
    """Who signs in, or recovers an account."""

    email: AnEmail
    password: KnownPassword


class SigningIn(Credentials):
    """Who signs in; `former_token` shows that the device was signed in before, `label` is what to call it."""

    former_token: MaybeToken = None
    label: ALabel | None = None


class SessionPage(Paged):
    """A page of sessions."""

    cursor: MaybeId = None


class AllBut(Input):
    """Which session stays open: the one that asks."""

    kept: Literal["current"] = Field(alias="except")


class Session(TypedDict):
    """One signed-in device; `current` is the one that asks."""

    id: Id
    label: str | None
    created_at: datetime
    current: bool


class SignedIn(TypedDict):
    """A new session with its bearer token, which is shown once."""

    token: str
    session: Session


class Sessions(TypedDict):
    """A page of open sessions; `next_cursor` leads to the rest, null at the end."""

    items: list[Session]
    next_cursor: str | None


def session(of: domain.sessions.Session, asking: SessionId) -> Session:
    """Show a signed-in device."""
    return {
        "id": str(of.id),
        "label": of.label,
        "created_at": of.created_at,
        "current": of.id == asking,
    }


def signed_in(to: application.sessions.SignedIn) -> SignedIn:
    """Show a new session with its token, the only time."""
    return {"token": str(to.token), "session": session(to.session, to.session.id)}


async def sign_in(request: Request[SigningIn]) -> SignedIn:
    """Sign in. After too many guesses by others, a device that was signed in before need not wait with them."""
    given = request.input
    return signed_in(
        await request.use_cases.sign_in(given.email, given.password, given.former_token, given.label)
    )


async def list_sessions(request: Request[SessionPage]) -> Sessions:
    """List where one is signed in, newest first."""
    wanted = request.input
    found = await request.use_cases.list_sessions(request.account_id)
    page, more = page_of(found, wanted.cursor, wanted.limit)
    return {"items": [session(one, request.caller.session_id) for one in page], "next_cursor": more}


async def sign_out(request: Request[None]) -> None:
    """Sign out: exactly the session that asks."""
    await request.use_cases.sign_out(request.account_id, request.caller.session_id)


async def revoke_session(request: Request[None], session_id: SessionId) -> None:
    """Sign another device out."""
    await request.use_cases.sign_out(request.account_id, session_id)


async def sign_out_others(request: Request[AllBut]) -> None:
    """Sign out everywhere else."""
    await request.use_cases.sign_out_others(request.account_id, request.caller.session_id)


SESSION = "/v1/sessions/{session[id]}"
PASSWORD = (WrongCredentials, TooManyGuesses, Overloaded)
SIGNING_IN = (*PASSWORD, PendingDeletion)

ROUTES = (
    Route(
        "POST",
        "/v1/sessions",
        sign_in,
        201,
        body=SigningIn,
        guards=OPEN,
        raises=SIGNING_IN,
        location=SESSION,
        pace=Pace.HEAVY,
    ),
    Route("GET", "/v1/sessions", list_sessions, 200, query=SessionPage),
    Route("DELETE", "/v1/sessions", sign_out_others, 204, query=AllBut),
    Route("DELETE", "/v1/sessions/current", sign_out, 204),
    Route("DELETE", "/v1/sessions/{session_id:uuid}", revoke_session, 204),
)
