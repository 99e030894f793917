"""Handlers of sessions: sign in, list, sign out."""

from __future__ import annotations

from adapters.inbound.http import bodies
from adapters.inbound.http.request import Json, Request
from application.sessions import SignedIn
from domain.kernel import SessionId
from domain.sessions import Session


def session(of: Session, asking: SessionId) -> Json:
    """Show a signed-in device."""
    return {"id": str(of.id), "created_at": of.created_at, "current": of.id == asking}


def signed_in(to: SignedIn) -> Json:
    """Show a new session with its token, the only time."""
    return {"token": str(to.token), "session": session(to.session, to.session.id)}


async def sign_in(request: Request[bodies.Credentials]) -> Json:
    """Sign in."""
    return signed_in(await request.use_cases.sign_in(request.input.email, request.input.password))


async def list_sessions(request: Request[None]) -> Json:
    """List where one is signed in."""
    found = await request.use_cases.list_sessions(request.account_id)
    return {"items": [session(one, request.caller.session_id) for one in found], "next_cursor": None}


async def sign_out(request: Request[None]) -> None:
    """Sign out: exactly the session that asks."""
    await request.use_cases.sign_out(request.account_id, request.caller.session_id)


async def revoke_session(request: Request[None]) -> None:
    """Sign another device out."""
    await request.use_cases.sign_out(request.account_id, SessionId(request.id))


async def sign_out_others(request: Request[None]) -> None:
    """Sign out everywhere else."""
    await request.use_cases.sign_out_others(request.account_id, request.caller.session_id)
