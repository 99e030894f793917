"""Signing up and in: addresses, passwords and locales as people write them."""

from __future__ import annotations

import unicodedata
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from tests.support.http_world import PASSWORD, HttpWorld


@pytest.fixture
async def http() -> AsyncIterator[HttpWorld]:
    async with HttpWorld.running(sandbox=True) as world:
        yield world


async def test_signing_up_again_is_answered_alike(http: HttpWorld) -> None:
    new = {"email": "ada@example.org", "password": PASSWORD, "display_name": "A", "locale": "en"}
    new["accepted"] = {"terms": True, "privacy": True}  # type: ignore[assignment]
    first = await http.call("POST", "/v1/accounts", new)
    again = await http.call("POST", "/v1/accounts", new)
    assert (first.status, first.body) == (again.status, again.body) == (202, b"")


async def test_every_spelling_of_a_mailbox_leads_to_its_account_and_another_mailbox_to_another(
    http: HttpWorld,
) -> None:
    tokens = [await http.person(address=address) for address in ("p@strasse.example", "p@straße.example")]
    accounts = [(await http.call("GET", "/v1/account", token=token)).json for token in tokens]
    assert [account["email"] for account in accounts] == ["p@strasse.example", "p@straße.example"]
    assert accounts[0]["id"] != accounts[1]["id"]
    for spelled in ("P@XN--STRAE-OQA.example", '"p"@straße.example.', "p@STRAßE.example"):
        signed_in = await http.call("POST", "/v1/sessions", {"email": spelled, "password": PASSWORD})
        account = await http.call("GET", "/v1/account", token=signed_in.json["token"])
        assert account.json["id"] == accounts[1]["id"]


async def test_a_password_signs_in_however_it_is_composed(http: HttpWorld) -> None:
    long = " ".join(
        f"\u1ebf\ud55c{number}" for number in range(50)
    )  # 239 characters, and 439 as others type them
    typed = unicodedata.normalize("NFD", long)
    await http.person(password=typed)
    for password in (typed, long):
        signed_in = await http.call(
            "POST", "/v1/sessions", {"email": "ada@example.org", "password": password}
        )
        assert signed_in.status == 201
        nothing = f"/v1/account/exports/{uuid4()}/download"
        again = {"password": password}
        assert (await http.call("POST", nothing, again, token=signed_in.json["token"])).status == 404


@pytest.mark.parametrize("password", ["123456789012", "password1234", " " * 12, "ada@example.org"])
async def test_a_password_that_is_guessed_first_is_refused_by_a_code_of_its_own(
    password: str, http: HttpWorld
) -> None:
    new = {"email": "ada@example.org", "password": password, "display_name": "A", "locale": "en"}
    refused = await http.call("POST", "/v1/accounts", new | {"accepted": {"terms": True, "privacy": True}})
    assert (refused.status, refused.code) == (422, "guessable_password")


async def test_a_locale_is_kept_in_its_canonical_form(http: HttpWorld) -> None:
    token = await http.person()
    for said, kept in (
        ("he-il", "he-IL"),
        ("zh-hant-tw", "zh-Hant-TW"),
        ("iw_IL", "he-IL"),
        ("en-US-u-ca-gregory", "en-US"),
    ):
        assert (await http.call("PATCH", "/v1/account", {"locale": said}, token=token)).json["locale"] == kept


async def test_a_wrong_password_is_401_and_not_now_is_403(http: HttpWorld) -> None:
    token = await http.person()
    ada = {"email": "ada@example.org", "password": PASSWORD}
    for method, path, body in (
        ("POST", "/v1/sessions", ada | {"password": "wrong"}),
        ("POST", "/v1/sessions", ada | {"email": "nobody@example.org"}),
        ("POST", "/v1/account-recoveries", ada | {"password": "wrong"}),
        ("DELETE", "/v1/account", {"password": "wrong"}),
    ):
        answer = await http.call(method, path, body, token=token)
        assert (answer.status, answer.code) == (401, "wrong_credentials")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer ")
    unclear = await http.call(
        "DELETE", "/v1/account", {"password": PASSWORD, "waive_recovery": "yes"}, token=token
    )
    assert unclear.flaws == {("/waive_recovery", "wrong_type")}
    await http.call("DELETE", "/v1/account", {"password": PASSWORD}, token=token)
    answer = await http.call("POST", "/v1/sessions", ada)
    assert (answer.status, answer.code) == (403, "account_pending_deletion")
