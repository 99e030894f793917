"""Apps at the simulated Telnyx: their credentials, and tokens."""

import base64
import json
import secrets
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from adapters.outbound.telnyx.simulator.account import Account
from adapters.outbound.telnyx.simulator.resources import Refused, Resource

APPS_CONNECTION_ID = "1567510696929005999"
DOMAIN = "sip.telnyx.com"


@dataclass(frozen=True, slots=True)
class Credentials:
    """The credentials of one account, by id, beside the rest of its state."""

    account: Account

    def make(self, wish: Resource) -> Resource:
        """Make one, which ends when it is told to."""
        if wish.get("connection_id") != APPS_CONNECTION_ID:
            raise Refused(10015, "connection_id is no credential connection")
        now, made = self.account.now(), str(uuid.uuid4())
        credential: Resource = {
            "id": made,
            "record_type": "credential",
            "name": wish.get("name", ""),
            "resource_id": f"connection:{APPS_CONNECTION_ID}",
            "sip_username": f"gencred{secrets.token_hex(10)}",
            "sip_password": secrets.token_hex(16),
            "expires_at": datetime.fromisoformat(wish["expires_at"]).astimezone(UTC).isoformat(),
            "created_at": now.isoformat(),
            "updated_at": now.isoformat(),
        }
        self.account.state.credentials[made] = credential
        self.account.state.save()
        return self.shown(credential)

    def shown(self, credential: Resource) -> Resource:
        """Shape one."""
        return {
            **credential,
            "expired": datetime.fromisoformat(credential["expires_at"]) <= self.account.now(),
        }

    def one(self, credential_id: str) -> Resource:
        """Find one."""
        if credential_id not in self.account.state.credentials:
            raise Refused(10005, "The credential was not found")
        return self.shown(self.account.state.credentials[credential_id])

    def token(self, credential_id: str) -> str:
        """Make a token: good for a day, or for as long as the credential is."""
        credential = self.one(credential_id)
        if credential["expired"]:
            raise Refused(10015, "The credential has expired")
        said = {"sub": credential["sip_username"], "jti": str(uuid.uuid4()), "typ": "access"}
        parts = ({"alg": "HS512", "typ": "JWT"}, said)
        words = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts]
        return ".".join((*words, secrets.token_urlsafe(64)))

    def found(self, query: Resource) -> list[Resource]:
        """List those that fit."""
        wanted = {
            field: query[f"filter[{field}]"]
            for field in ("name", "resource_id", "sip_username")
            if f"filter[{field}]" in query
        }
        held = [self.shown(each) for each in self.account.state.credentials.values()]
        status = query.get("filter[status]")
        return [
            each
            for each in held
            if wanted.items() <= each.items() and status in {None, "expired" if each["expired"] else "active"}
        ]

    def delete(self, credential_id: str) -> Resource:
        """Delete one."""
        gone = self.one(credential_id)
        del self.account.state.credentials[credential_id]
        self.account.state.save()
        return gone

    def of_address(self, address: str) -> Resource | None:
        """Find the one that is called at this address, if it has not ended."""
        held = (self.shown(each) for each in self.account.state.credentials.values())
        return next(
            (e for e in held if address == f"sip:{e['sip_username']}@{DOMAIN}" and not e["expired"]), None
        )


class CredentialsApi:
    """The operations of the API v2."""

    def __init__(self, credentials: Credentials, one: Any, page: Any) -> None:  # noqa: ANN401 - shapes of answers
        """Answer with `one` resource or a `page` of them."""
        self.credentials, self.one, self.page = credentials, one, page

    def routes(self) -> list[web.RouteDef]:
        """Return them."""
        return [
            web.get("/v2/credential_connections/{id}", self.connection),
            web.post("/v2/telephony_credentials", self.make),
            web.get("/v2/telephony_credentials", self.list),
            web.post("/v2/telephony_credentials/{id}/token", self.token),
            web.delete("/v2/telephony_credentials/{id}", self.delete),
        ]

    async def connection(self, request: web.Request) -> web.Response:
        """RetrieveCredentialConnection."""
        if request.match_info["id"] != APPS_CONNECTION_ID:
            raise Refused(10005, "The connection was not found")
        profile = "1293384261075731499" if self.credentials.account.faults.apps_call_out else None
        shown = {"record_type": "credential_connection", "id": APPS_CONNECTION_ID, "active": True}
        answer: web.Response = self.one({**shown, "outbound": {"outbound_voice_profile_id": profile}})
        return answer

    async def make(self, request: web.Request) -> web.Response:
        """CreateTelephonyCredential."""
        answer: web.Response = self.one(self.credentials.make(await request.json()))
        return answer

    async def list(self, request: web.Request) -> web.Response:
        """FindTelephonyCredentials."""
        answer: web.Response = self.page(request, self.credentials.found(dict(request.query)))
        return answer

    async def token(self, request: web.Request) -> web.Response:
        """CreateTelephonyCredentialToken, the one operation that answers with a word and no JSON."""
        return web.Response(text=self.credentials.token(request.match_info["id"]), status=201)

    async def delete(self, request: web.Request) -> web.Response:
        """DeleteTelephonyCredential."""
        answer: web.Response = self.one(self.credentials.delete(request.match_info["id"]))
        return answer
