"""Sign in, see where, sign out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from pico_client.calls import Calls, given, part
from pico_client.results import Result


@dataclass(frozen=True, slots=True, repr=False)
class Session(Result):
    """One signed-in device; `current` is the one that asks."""

    id: str
    label: str | None
    created_at: datetime
    current: bool


@dataclass(frozen=True, slots=True, repr=False)
class SignedIn(Result):
    """A new session with its bearer token, which is shown once."""

    token: str
    session: Session


class Sessions(Calls):
    """What one does with sessions."""

    def sign_in(
        self, email: str, password: str, former_token: str | None = None, label: str | None = None
    ) -> SignedIn:
        """Sign in; from now on, this client asks with the new session.

        With the token of a former session on this device, open or expired, guesses by others do not hold it up.
        """
        proof = {"email": email, "password": password} | given(former_token=former_token, label=label)
        return self._signed_in("/v1/sessions", proof)

    def list_sessions(self) -> Iterator[Session]:
        """List where one is signed in, newest first."""
        return self._list(Session, "/v1/sessions")

    def sign_out(self) -> None:
        """Sign out: exactly the session that asks. The client forgets its token."""
        self._send("DELETE", "/v1/sessions/current")
        self.token = ""

    def revoke_session(self, session_id: str) -> None:
        """Sign another device out."""
        self._send("DELETE", f"/v1/sessions/{part(session_id)}")

    def sign_out_others(self) -> None:
        """Sign out everywhere else."""
        self._send("DELETE", "/v1/sessions", query={"except": "current"})

    def _signed_in(self, path: str, proof: dict[str, object], *, method: str = "POST") -> SignedIn:
        found = self._ask(SignedIn, method, path, body=proof)
        self.token = found.token
        return found
