"""How SendGrid is reached: one shared session, real time limits, and nothing kept of any request."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout

from adapters.answers import whole
from adapters.error_report import report_key
from application.ports.mail import MailUnavailable

SENDGRID = "https://api.sendgrid.com"
LIMITS = ClientTimeout(total=20, connect=5)
LARGEST_ANSWER = 64 << 10
"""Bytes of an answer that are read: each is a few hundred long. A longer one is no answer."""
GONE = 404
KEY_REFUSED = frozenset({401, 403})


class SendGridKeyNotTaken(Exception):
    """SendGrid does not take our key, or our sender: until somebody mends it no mail goes out."""


@dataclass(frozen=True, slots=True)
class SendGridHttp:
    """Asks SendGrid's API. The client in `sendgrid` has no time limit: of that library we use what builds a mail."""

    session: ClientSession = field(repr=False)
    api_key: str = field(repr=False)
    url: str = SENDGRID

    async def ask(self, method: str, path: str, body: object = None, *, may_lack: bool = False) -> Any:  # noqa: ANN401 - JSON
        """Return what is answered, None for nothing, and for a 404 where what is asked for `may_lack`.

        Raises MailUnavailable for whatever went wrong, a refusal too: what is wrong with the key, somebody will mend.
        """
        # The client's own errors name URL and credentials, and those of the provider quote the address: they end here.
        try:
            async with self.session.request(
                method,
                self.url + path,
                json=body,
                headers={"Authorization": f"Bearer {self.api_key}", "Accept-Encoding": "identity"},
                timeout=LIMITS,
                allow_redirects=False,
            ) as answer:
                said = await whole(answer, LARGEST_ANSWER)
                if answer.status == GONE and may_lack:
                    return None
                if answer.status in KEY_REFUSED:
                    report_key(SendGridKeyNotTaken())
                if answer.ok:
                    return json.loads(said) if said else None
        except (ClientError, TimeoutError, OSError, ValueError):
            pass
        raise MailUnavailable
