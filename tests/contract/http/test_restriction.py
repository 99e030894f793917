"""The freeze over HTTP: asked for, seen, ended. Every answer is held against the OpenAPI document."""

from __future__ import annotations

import pytest

from tests.support.http_world import STRANGER, HttpWorld


@pytest.mark.parametrize(("inbound", "state"), [("accepted", "restricted"), ("refused", "suspended")])
async def test_an_account_is_frozen_and_freed(inbound: str, state: str) -> None:
    async with HttpWorld.running() as http:
        token = await http.person()
        line = await http.line(token)
        path, to = "/v1/account/restriction", {"to": STRANGER, "body": "noon?"}
        assert (await http.call("GET", "/v1/account", token=token)).json["restriction"] is None
        frozen = (await http.call("POST", path, {"inbound": inbound}, token=token)).json
        assert frozen["restriction"]["inbound"] == inbound
        read = await http.call("GET", "/v1/account", token=token)
        assert read.json["restriction"] == frozen["restriction"]
        assert (await http.call("GET", f"/v1/lines/{line}", token=token)).json["state"] == state
        sending = await http.call("POST", f"/v1/lines/{line}/messages", to, token=token, headers=http.key())
        assert (sending.status, sending.code) == (409, "line_not_active")
        buying = await http.call(
            "POST", "/v1/lines", {"number": "+12025550148"}, token=token, headers=http.key()
        )
        assert (buying.status, buying.code) == (409, "account_restricted")
        assert (await http.call("POST", "/v1/account/exports", token=token)).status == 202
        freed = await http.call("DELETE", path, token=token)
        assert (freed.status, freed.json["restriction"]) == (200, None)
        sent = await http.call("POST", f"/v1/lines/{line}/messages", to, token=token, headers=http.key())
        assert sent.status == 202


async def test_what_becomes_of_what_comes_in_has_to_be_said() -> None:
    async with HttpWorld.running() as http:
        token = await http.person()
        for body in ({}, {"inbound": "perhaps"}, {"inbound": None}):
            answer = await http.call("POST", "/v1/account/restriction", body, token=token)
            assert answer.status == 422
