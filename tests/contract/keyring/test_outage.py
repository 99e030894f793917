"""The key service is away: whose key is in memory notices nothing, everybody else waits, and nothing lies in clear."""

from __future__ import annotations

from pathlib import Path

from adapters.outbound.memory.kms import MemoryKms
from adapters.outbound.postgres.epochs import PostgresEpochs
from adapters.outbound.postgres.keyring import PostgresKeyring
from tests.contract.conftest import Postgres
from tests.support.harness import on_postgres
from tests.support.http_world import STRANGER, HttpWorld


async def test_while_the_key_service_is_away(postgres: Postgres, tmp_path: Path) -> None:
    services: list[MemoryKms] = []

    def keyring(world: object) -> PostgresKeyring:
        services.append(MemoryKms(world.clock.now))  # type: ignore[attr-defined]  # a world
        return PostgresKeyring(world.database, services[0])  # type: ignore[attr-defined]

    def epochs(world: object) -> PostgresEpochs:
        return PostgresEpochs(world.database, services[0])  # type: ignore[attr-defined]

    async with (
        on_postgres(postgres, tmp_path, keyring=keyring, epochs=epochs) as world,
        HttpWorld.running(world) as http,
    ):
        ada, ben = await http.person("ada"), await http.person("ben")
        line = await http.line(ada)
        other = (await world.use_cases.authenticate(ben)).account_id
        world.keyring._accounts.drop(other)  # type: ignore[attr-defined]  # nobody used it for a while
        services[0].outage = True

        path, said = f"/v1/lines/{line}/messages", {"to": STRANGER, "body": "planted-in-an-outage"}
        sent = await http.call("POST", path, said, token=ada, headers=http.key())
        assert sent.status == 202, "the key in memory was not used"
        await world.settle()
        assert (await http.call("GET", "/v1/conversations", token=ada)).status == 200

        for method, where, body in (
            ("GET", "/v1/account", None),
            ("PATCH", "/v1/account", {"display_name": "planted-name-of-ben"}),
        ):
            answer = await http.call(method, where, body, token=ben)
            assert (answer.status, "Retry-After" in answer.headers) == (503, True)
        new = {
            "email": "planted-cleo@example.org", "password": "planted password of cleo", "locale": "en",
            "display_name": "planted-cleo", "accepted": {"terms": True, "privacy": True},
        }  # fmt: skip
        assert (await http.call("POST", "/v1/accounts", new)).status == 503
        assert (await world.use_cases.sweep()).counts["keys_wrapped_again"] == 0
        planted = (
            "planted-in-an-outage", "planted-name-of-ben", "planted-cleo", "planted password of cleo", STRANGER
        )  # fmt: skip
        assert await world.traces(*planted) == set()

        services[0].outage = False
        assert (await http.call("GET", "/v1/account", token=ben)).json["display_name"] == "Ben"
