"""The small print about hard deletion: what is destroyed first, what counts as gone, and what is left at the end."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from adapters.outbound.local.ledger import LocalLedger
from adapters.outbound.postgres.audit_log import PostgresAuditLog
from adapters.outbound.system.ids import TimeOrderedIds
from application.erasure import EraseAccount
from application.ports.keyring import KeyGone
from domain.erasure import Erasure
from domain.kernel import AccountId
from domain.lines import LineState
from domain.receipts import Receipt
from tests.support.actors import PASSWORD, with_line
from tests.support.audit_log import keeper
from tests.support.canary_account import lived
from tests.support.harness import Anywhere, Databases, skipping
from tests.support.lying_there import records
from tests.support.proofs import proves
from tests.support.sabotage import BelievesInRelease, skipped_step, with_steps_in_order

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


def keeps_keys(stored: Databases) -> Databases:
    """Delete rows, and think that this is enough."""
    return partial(stored, destroy_keys=skipped_step("keys"))


def deletes_rows_first(stored: Databases) -> Databases:
    """Delete rows while their key is there to read every copy of them."""
    return partial(stored, erase_account=with_steps_in_order("rows", "keys"))


@proves("H8", text="3d59cad4d2df", saboteur=keeps_keys, says="the key is still there")
@proves("H8", text="3d59cad4d2df", saboteur=deletes_rows_first, says="rows went before the key")
async def test_the_key_goes_first_and_what_is_left_cannot_be_read(stored: Databases) -> None:
    async with stored() as world:
        ada, boris = await lived(world), await lived(world)
        wrapped = (await world.row("account_keys", account_id=ada.id))["wrapped"].hex()
        await world.pool.execute(skipping("DELETE", "messages"))  # so that copies are left, as in a backup
        await world.use_cases.delete_account(ada.id, ada.password)
        await world.advance(30 * DAY)
        assert len(await world.rows("messages", account_id=ada.id)) == 2
        assert await world.rows("account_keys", account_id=ada.id) == [], "the key is still there"
        assert await world.traces(wrapped) == set()
        with pytest.raises(KeyGone):
            await world.opened(ada.id)
        await world.pool.execute("DROP TRIGGER skip ON messages")
        await world.pool.execute(skipping("DELETE", "account_keys"))
        await world.use_cases.delete_account(boris.id, boris.password)
        await world.advance(30 * DAY)
        assert len(await world.rows("messages", account_id=boris.id)) == 2, "rows went before the key"


def believes_in_release(anywhere: Anywhere) -> Anywhere:
    return partial(anywhere, finish_release=BelievesInRelease)


def believes_the_carrier(anywhere: Anywhere) -> Anywhere:
    return partial(
        anywhere,
        delete_carrier_copies=skipped_step("carrier_copies"),
        release_numbers=skipped_step("numbers"),
        ask_providers_again=skipped_step("asked_again"),
    )


@proves(
    "H9",
    text="940f14b21145",
    saboteur=believes_in_release,
    says="a number counts as released that the carrier holds",
)
@proves(
    "H9",
    text="940f14b21145",
    saboteur=believes_the_carrier,
    says="an account counts as erased whose number the carrier holds",
)
async def test_nothing_counts_as_gone_until_it_was_looked_for(anywhere: Anywhere) -> None:
    async with anywhere() as made:
        ada, boris = await with_line(made), await with_line(made, "boris", "+12025550144")
        made.carrier.lies = True
        await made.use_cases.release_line(ada.id, ada.line_id)
        await made.use_cases.delete_account(boris.id, PASSWORD)
        for _ in range(40):
            await made.advance(DAY)
        assert len(made.carrier.numbers) == 2
        assert (await made.use_cases.read_line(ada.id, ada.line_id)).state is LineState.RELEASING, (
            "a number counts as released that the carrier holds"
        )
        assert await made.ledger.receipt(await made.fingerprint(boris.id)) is None, (
            "an account counts as erased whose number the carrier holds"
        )
        made.carrier.lies = False
        await made.advance(DAY)
        assert not made.carrier.numbers
        assert (await made.use_cases.read_line(ada.id, ada.line_id)).state is LineState.RELEASED
        assert await made.ledger.receipt(await made.fingerprint(boris.id))


def counts_nothing(stored: Databases) -> Databases:
    """Be done when it has deleted, whatever is there."""
    return partial(stored, verify_nothing_left=skipped_step("verified"))


@proves(
    "H9", text="940f14b21145", saboteur=counts_nothing, says="an account counts as erased while a row is left"
)
async def test_an_account_counts_as_erased_only_when_no_row_is_left(stored: Databases) -> None:
    async with stored() as world:
        ada = await lived(world)
        await world.use_cases.delete_account(ada.id, ada.password)
        await world.pool.execute(skipping("DELETE", "messages"))
        for _ in range(2):
            await world.advance(30 * DAY)
            assert await world.ledger.receipt(await world.fingerprint(ada.id)) is None, (
                "an account counts as erased while a row is left"
            )
        await world.pool.execute("DROP TRIGGER skip ON messages")
        await world.pool.execute("DELETE FROM messages")
        await world.advance(MINUTE)
        assert await world.ledger.receipt(await world.fingerprint(ada.id))


class SignsNothing(LocalLedger):
    """Signs with a key that everybody has."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, bytes(32))


def signs_nothing(stored: Databases) -> Databases:
    return partial(stored, ledger=lambda world: SignsNothing(world.folder / "ledger"))


class NamesAccounts:
    """A fingerprint that is the id itself, for convenience."""

    async def __call__(self, account_id: AccountId) -> bytes:
        return account_id.bytes * 2


class SignsWithTheAddress(EraseAccount):
    """Puts into the receipt for whom it is."""

    async def _complete(self, erasure: Erasure) -> None:
        facts = {"for": str(erasure.account_id)}
        await self.ledger.complete(await self.fingerprint(erasure.account_id), facts)
        await super()._complete(erasure)


def names_accounts_in_the_ledger(stored: Databases) -> Databases:
    return partial(stored, fingerprint=lambda _: NamesAccounts())


def addresses_the_receipt(stored: Databases) -> Databases:
    return partial(stored, erase_account=SignsWithTheAddress)


@proves("H10", text="7e8e7f5ce97e", saboteur=signs_nothing, says="the receipt is not signed")
@proves(
    "H10",
    text="7e8e7f5ce97e",
    saboteur=names_accounts_in_the_ledger,
    says="the ledger names an account without a key",
)
@proves(
    "H10",
    text="7e8e7f5ce97e",
    saboteur=addresses_the_receipt,
    says="the receipt holds more than times and counts",
)
async def test_the_ledger_keeps_a_keyed_fingerprint_times_and_counts(stored: Databases) -> None:
    async with stored() as world:
        ada = await lived(world)
        await world.use_cases.delete_account(ada.id, ada.password)
        await world.advance(30 * DAY)
        file = (world.folder / "ledger" / "erasures.jsonl").read_text()
        requested, intent, completed = map(json.loads, file.splitlines())
        name = hmac.digest(await world.keyring.system("erasure"), ada.id.bytes, hashlib.sha256).hex()
        assert all(len(record.pop("chain")) == 64 for record in (requested, intent, completed))
        names = requested.pop("requested"), intent.pop("intent"), completed.pop("completed")
        assert names == (name, name, name), "the ledger names an account without a key"
        assert requested.keys() == {"due"}
        assert (intent.keys(), intent["keys"]) == ({"keys", "at"}, 1)
        assert datetime.fromisoformat(intent["at"]) == world.clock.now()
        assert completed.keys() == {"facts", "signature"}
        others = {name for name, fact in completed["facts"].items() if type(fact) is not int}
        signed = {"audit_head", "public_signature"}
        assert others == {"finished_at", "unreadable_by", *signed}, (
            "the receipt holds more than times and counts"
        )
        assert completed["facts"]["finished_at"] == world.clock.now().isoformat()
        receipt = Receipt(bytes.fromhex(name), completed["facts"], bytes.fromhex(completed["signature"]))
        assert receipt.verify(b"a key of the ledger's own, 32 byte"), "the receipt is not signed"
        for fact in completed["facts"]:
            altered = Receipt(receipt.fingerprint, {**receipt.facts, fact: 7}, receipt.signature)
            assert not altered.verify(b"a key of the ledger's own, 32 byte")
        kept = [path.name for path in (world.folder / "ledger").iterdir() if path.stat().st_size]
        assert kept == ["erasures.jsonl"], "the ledger keeps something else"
        assert await world.traces(*ada.secrets, str(ada.id), ada.id.hex) == set()


class NeverDraws(PostgresAuditLog):
    """Leaves entries where they came."""

    async def draw(self, through: date, least: int) -> int:
        return 0


class NoSalt(TimeOrderedIds):
    """Thinks that a hash is secret enough."""

    def random_bytes(self) -> bytes:
        return bytes(32)


def leaves_entries_in_order(stored: Databases) -> Databases:
    return partial(stored, audit_log=lambda world: NeverDraws(world.database, world.keyring))


def commits_without_salt(stored: Databases) -> Databases:
    return partial(stored, ids=lambda world: NoSalt(world.clock))


@proves("H11", text="d1c66aa9fefd", saboteur=leaves_entries_in_order, says="entries can be put in order")
@proves(
    "H11", text="d1c66aa9fefd", saboteur=commits_without_salt, says="an entry can be guessed without its salt"
)
async def test_what_is_left_of_the_log_links_nothing_to_nobody(stored: Databases) -> None:
    async with stored() as world:
        ada = await lived(world)
        known = (await records(world, ada.id))["audit_entries"]
        await world.use_cases.delete_account(ada.id, ada.password)
        await world.advance(30 * DAY)
        await keeper(world, crowd=1)(world.clock.now() + DAY, 1)
        assert await world.rows("audit_recent") == [], "entries can be put in order"
        left = await world.rows("audit_log")
        shown = ("chain", "position", "day", "kind", "commitment", "hash")
        assert {tuple(row.keys()) for row in left} == {shown}
        assert len(left) > len(known)
        assert len({row["day"] for row in left}) == 1, "entries can be put in order"
        written = await world.database.fetch("SELECT DISTINCT xmin::text FROM audit_log")
        assert len(written) == 1, "entries can be put in order"
        commitments = {row["commitment"] for row in left}
        assert len(commitments) == len(left)
        for entry in known:  # even for somebody who knows all that the account's half said, but for the salt
            said = f"{ada.id}|{entry['id']}|{entry['kind']}|{entry['at'].isoformat()}|{entry['subject']}".encode()
            guesses = {hmac.digest(key, said, "sha256") for key in (b"", bytes(32))} | {
                hashlib.sha256(said).digest()
            }
            assert not commitments & guesses, "an entry can be guessed without its salt"
        assert await world.rows("audit_entries") == []
        assert await world.traces(str(ada.id), ada.id.hex) == set()
