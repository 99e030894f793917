"""A new version of the policy is put before whoever accepted an earlier one."""

from __future__ import annotations

import json
from dataclasses import replace

from adapters.inbound.http.app import build
from bootstrap.worlds import InMemory
from domain.documents import Documents
from tests.contract.architecture.test_policy import POLICY
from tests.support.canary_account import lived
from tests.support.http_client import Edge, Handler, always, calling
from tests.support.proofs import proves


def asks_nobody_again(_edge: Edge) -> Edge:
    def stale(world: InMemory) -> Handler:
        return build(replace(world.use_cases, documents=Documents()), ready=always, webhooks=[])

    return stale


@proves("A2", text="deda7b5c5bd1", saboteur=asks_nobody_again, says="a new version is not asked about")
async def test_a_new_version_of_the_policy_is_asked_about_again(edge: Edge) -> None:
    assert f"version {Documents().privacy} of the policy" in " ".join(POLICY.split())
    world = InMemory()
    ada = await lived(world)
    newer = Documents(privacy=Documents().privacy + 1)
    world.documents = newer
    world.wire()
    async with calling(edge(world), Authorization=f"Bearer {ada.signed_in.token}") as client:
        account = json.loads((await client.call("GET", "/v1/account"))[1])
        asked = account["terms_to_accept"], account["privacy_to_accept"]
        assert asked == (None, newer.privacy), "a new version is not asked about"
        accepted = {"privacy_version": newer.privacy}
        status, body = await client.call("POST", "/v1/account/acceptances", accepted)
        assert (status, json.loads(body)["privacy_to_accept"]) == (200, None)
        assert (
            await client.call("POST", "/v1/account/acceptances", {"privacy_version": Documents().privacy})
        )[0] == 422
