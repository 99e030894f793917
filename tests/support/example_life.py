"""Somebody who does what the OpenAPI document's examples say, so that every operation has something to work on."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlencode

from adapters.tones import tone
from domain.values import Peer, PhoneNumber
from tests.support.http_world import OURS, STRANGER, Answer, HttpWorld

BEGINNING = (
    ("POST", "/v1/accounts"),
    ("POST", "/v1/account-verifications"),
    ("POST", "/v1/lines"),
    ("POST", "/v1/lines/{line_id}/messages"),
    ("POST", "/sandbox/sms"),
    ("POST", "/v1/account/exports"),
)
"""What is done first of all."""
CALLING = ("POST", "/v1/lines/{line_id}/calls")
BEFORE = {
    "read_call": CALLING,
    "delete_call": CALLING,
    "unblock_number": ("PUT", "/v1/blocked-numbers/{number}"),
    "recover_account": ("DELETE", "/v1/account"),
    "download_greeting": ("PUT", "/v1/lines/{line_id}/greeting/audio"),
    "restore_voicemail": ("DELETE", "/v1/voicemails/{voicemail_id}"),
    "verify_email_change": ("POST", "/v1/account/email-changes"),
    "complete_checkout": ("POST", "/v1/billing/checkout"),
    "change_plan": ("POST", "/sandbox/checkout/{checkout_id}/complete"),
    "open_portal": ("POST", "/v1/billing/checkout"),
    "reset_password": ("POST", "/v1/password-resets"),
}
"""What else comes before an operation, by its name."""


def operations(document: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    """Return all operations by method and path."""
    return {
        (method.upper(), path): operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


class ExampleLife:
    """One person in a Sandbox of their own.

    What no example can know is taken from earlier answers: a token from the mail, an id from where a Location
    points, from a list, or from what is made for it, by the example of the POST to its collection.
    """

    def __init__(self, http: HttpWorld, document: dict[str, Any]) -> None:
        self.http = http
        self.operations = operations(document)
        self.token = ""
        self.places: list[str] = []
        """Where things were made, latest last."""

    async def begin(self) -> None:
        """Sign up, and have one of everything that most operations need."""
        self.http.offer()
        for method, path in BEGINNING:
            await self.do(method, path)
        await self.http.world.recordings.leave(Peer(STRANGER), PhoneNumber(OURS), tone(2))
        await self.http.world.settle()
        (left,) = (await self.do("GET", "/v1/voicemails")).json["items"]
        self.places.append(f"/v1/voicemails/{left['id']}")

    async def do(self, method: str, path: str, *, everything: bool = False) -> Answer:
        """Send an operation's example, and require that it is done as documented.

        With `everything`, all that a query may hold is in it.
        """
        operation = self.operations[method, path]
        if before := BEFORE.get(operation["operationId"]):
            await self.do(*before)
        parameters: dict[str, dict[str, str]] = {"path": {}, "query": {}, "header": {}}
        for parameter in operation.get("parameters", ()):
            if parameter["required"] or (everything and parameter["in"] == "query"):
                parameters[parameter["in"]][parameter["name"]] = await self._value(parameter, path)
        target = path.format(**{name: quote(said) for name, said in parameters["path"].items()})
        if parameters["query"]:
            target += "?" + urlencode(parameters["query"])
        contents = operation.get("requestBody", {}).get("content", {})
        body = contents.get("application/json", {}).get("example")
        kind = next(iter(contents), None) if body is None else None
        if body is not None and "token" in body:
            body = body | {"token": self._mailed()}
        answer = await self.http.call(
            method,
            target,
            body,
            token=self.token if operation["security"] else None,
            raw=None if kind is None else contents[kind]["example"].encode(),
            headers=parameters["header"] | ({} if kind is None else {"Content-Type": kind}),
        )
        assert answer.status < 300, f"{answer.status} {answer.body.decode()}"
        await self.http.world.settle()
        await self._remember(answer, path)
        return answer

    async def _remember(self, answer: Answer, path: str) -> None:
        if "Location" in answer.headers:
            self.places.append(answer.headers["Location"])
        if path.endswith("/billing/checkout"):
            self.places.append(f"/sandbox/checkout/{answer.json['id']}")
        if path.endswith("/complete"):
            await self.http.world.advance(timedelta(hours=1))  # somebody looks
        if (
            answer.headers.get("Content-Type") == "application/json"
            and {"token", "session"} <= answer.json.keys()
        ):
            self.token = answer.json["token"]

    def _mailed(self) -> str:
        return next(mail.link_token for mail in reversed(self.http.world.mail.sent) if mail.link_token)

    async def _value(self, parameter: dict[str, Any], path: str) -> str:
        name, schema = parameter["name"], parameter["schema"]
        if schema.get("format") == "uuid":
            inside = path.partition(f"/{{{name}}}")[0] if parameter["in"] == "path" else f"/v1/{name[:-3]}s"
            return await self._id_in(inside)
        value = parameter["example"] if parameter["required"] else schema["examples"][0]
        return ",".join(value) if isinstance(value, list) else str(value)

    async def _id_in(self, collection: str) -> str:
        """Return the id of something in a collection, which may be in a collection itself."""
        place = re.compile(re.sub(r"{\w+}", "[^/]+", collection) + "/([^/]+)")
        if known := [found[1] for found in map(place.fullmatch, self.places) if found]:
            return known[-1]
        if ("GET", collection) in self.operations:
            for item in (await self.do("GET", collection)).json["items"]:
                return str(item["id"])
        made = await self.do("POST", collection)
        return made.headers["Location"].rpartition("/")[2]
