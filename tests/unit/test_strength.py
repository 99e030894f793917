"""A decoy to hash against, tokens that are signed under a key of their own, and what an interim receipt says."""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from adapters.outbound.memory.keyring import MemoryKeyring
from adapters.outbound.memory.repositories.exports import MemoryRecords
from adapters.outbound.system.passwords import Argon2Hasher, PasswordCost
from adapters.outbound.system.tokens import VERIFICATION_PREFIX, SignedTokens, unpadded
from application import export_building
from application.inventory import Stored
from bootstrap.worlds import InMemory
from domain.exports import Export, ExportDownloaded
from domain.kernel import AccountId, ExportId
from domain.values import Password
from tests.support.actors import PASSWORD, STRANGER, with_line
from tests.support.archives import export_in

ACCOUNT, EXPORT, NOW = AccountId(UUID(int=1)), ExportId(UUID(int=2)), datetime(2026, 1, 1, tzinfo=UTC)
CHEAP = PasswordCost(memory_mib=1, passes=1, lanes=1)


async def test_nobody_has_a_hash_that_takes_as_long_as_any() -> None:
    hasher = Argon2Hasher(CHEAP)
    assert not await hasher.verify(Password("a password of somebody's"), None)
    assert hasher._decoy.split("$")[1:4] == (await hasher.hash(PASSWORD)).split("$")[1:4]
    hasher.close()


async def test_a_link_is_signed_under_a_key_of_its_own_and_survives_a_double_click() -> None:
    keyring = MemoryKeyring()
    token = await SignedTokens(keyring).verification(ACCOUNT, NOW)
    assert not token.endswith("=")
    written = token.removeprefix(VERIFICATION_PREFIX)
    raw = urlsafe_b64decode(written + "=" * (-len(written) % 4))
    key = await keyring.system("verification")
    assert raw == raw[:24] + hmac.digest(key, raw[:24], hashlib.sha256)


@given(st.binary(max_size=40))
@example(b"\x00\x00\x17")
def test_a_link_is_base64url_without_what_a_double_click_leaves_behind(raw: bytes) -> None:
    written = unpadded(raw)
    assert written == urlsafe_b64encode(raw).decode().replace("=", "")


def test_an_export_that_is_handed_over_says_whose_it_was() -> None:
    export = Export.request(ACCOUNT, EXPORT, 1, NOW, NOW + timedelta(days=1))
    export.ready(NOW, NOW + timedelta(days=1))
    export.collect()
    export.download(NOW)
    assert export.collect() == [ExportDownloaded(account_id=ACCOUNT, subject=EXPORT, at=NOW)]


async def test_an_export_of_many_parts_comes_whole_and_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_building, "PART", 1)
    monkeypatch.setattr(export_building, "ROWS", 1)
    read: list[int] = []

    page = MemoryRecords.page

    async def watched(
        records: MemoryRecords, of: Stored, after: UUID | None, limit: int
    ) -> list[dict[str, Any]]:
        rows = await page(records, of, after, limit)
        read.append(len(rows))
        return rows

    monkeypatch.setattr(MemoryRecords, "page", watched)
    made = InMemory()
    ada = await with_line(made)
    await ada.receives("hello")
    export = await made.use_cases.start_export(ada.id)
    await made.settle()
    parts = [part async for part in await made.use_cases.download_export(ada.id, export.id, PASSWORD)]
    records = export_in(b"".join(parts))["records"]
    assert len(parts) > 5, "it came whole, however much there is"  # how many is for the compression to say
    assert max(read) == 1, "more was read at a time than one record"
    assert sum(read) >= 2 * sum(map(len, records.values())), "for the JSON, and for the tables"
    assert [row["body"] for row in records["messages"]] == ["hello"]


async def test_a_sweep_says_how_many_exports_expired() -> None:
    made = InMemory()
    ada = await with_line(made)
    await made.use_cases.start_export(ada.id)
    await made.settle()
    swept = await made.advance(timedelta(days=1))
    assert swept.counts["exports"] == 1


async def test_an_interim_receipt_says_what_is_gone_and_what_is_open() -> None:
    made = InMemory()
    ada = await with_line(made)
    await ada.receives("young", ref=await made.carrier.receive(STRANGER, ada.number, "young"))
    made.carrier.too_early = 1_000_000
    await made.use_cases.delete_account(ada.id, PASSWORD)
    for _ in range(40):
        await made.advance(timedelta(days=1))
    interim = await made.ledger.interim(await made.fingerprint(ada.id))
    assert interim is not None
    facts = dict(interim.facts)
    gone_by = datetime.fromisoformat(str(facts.pop("own_data_gone_by")))
    assert timedelta() < made.clock.now() - gone_by < timedelta(days=10)
    assert (facts.pop("messages_open"), facts.pop("numbers_open"), facts.pop("keys_destroyed")) == (1, 0, 1)
    assert len(bytes.fromhex(str(facts.pop("public_signature")))) == 64
    assert {type(count) for count in facts.values()} == {int}


async def test_a_receipt_says_when_it_was_over_and_what_went() -> None:
    made = InMemory()
    ada = await with_line(made)
    await made.use_cases.delete_account(ada.id, PASSWORD)
    for _ in range(32):
        await made.advance(timedelta(days=1))
    (intent,) = await made.ledger.since(0)
    assert intent.keys == 1
    receipt = await made.ledger.receipt(await made.fingerprint(ada.id))
    assert receipt is not None
    facts = dict(receipt.facts)
    assert datetime.fromisoformat(str(facts.pop("unreadable_by"))) > made.clock.now()
    assert datetime.fromisoformat(str(facts.pop("finished_at"))) <= made.clock.now()
    assert (facts["keys_destroyed"], facts["keys_left"], facts["rows_left"]) == (1, 0, 0)
    assert int(str(facts["rows_deleted"])) > 5


async def test_an_export_says_whose_it_is_of_when_and_that_it_is_whole() -> None:
    made = InMemory()
    ada = await with_line(made)
    export = await made.use_cases.start_export(ada.id)
    await made.settle()
    parts = [part async for part in await made.use_cases.download_export(ada.id, export.id, PASSWORD)]
    told = export_in(b"".join(parts))
    told.pop("records")
    assert told == {
        "format": "pico-export-1", "account_id": str(ada.id), "partial": False, "unreadable": [],
        "exported_at": made.clock.now().isoformat().replace("+00:00", "Z"),
    }  # fmt: skip
