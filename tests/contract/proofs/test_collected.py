"""What we keep: how each of it lies there, byte by byte."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from typing import Any
from uuid import UUID

from argon2 import PasswordHasher
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from adapters.outbound.local.kms import LocalKms
from adapters.outbound.memory.system import FakeHasher
from adapters.outbound.postgres.keyring import PostgresKeyring
from adapters.outbound.postgres.sealing import blind_index
from adapters.outbound.postgres.tables import COLUMNS
from application.ports.keyring import AccountKey
from domain.classification import StorageKind
from domain.documents import Documents
from domain.kernel import AccountId
from domain.lines import LineState
from domain.messages import Direction, Status
from domain.sessions import ends
from tests.support.canary_account import lived
from tests.support.harness import ENVIRONMENT, Databases, OnPostgres, beside, in_clear
from tests.support.proofs import proves, refused

EPOCH = """
    CREATE FUNCTION forget() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN new.{column} = ''1970-01-01Z''; RETURN new; END';
    CREATE TRIGGER forget BEFORE INSERT OR UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION forget()
"""


def guesses(purpose: str, value: str) -> set[bytes]:
    """Return the blind_indexes that whoever has no key can make."""
    return {
        hashlib.sha256(value.encode()).digest(),
        *(blind_index(key, purpose, value.encode()) for key in (b"", bytes(32))),
        *(hmac.digest(key, value.encode(), "sha256") for key in (b"", bytes(32))),
    }


class KnownKeys(PostgresKeyring):
    """Fingerprints under a key that everybody knows."""

    async def system(self, purpose: str) -> bytes:
        return bytes(32)


class OneKeyForAll(PostgresKeyring):
    """No account has a key of its own."""

    async def open(self, account_id: AccountId) -> AccountKey:
        return AccountKey(1, b"one key for all, 32 bytes of it!")


def with_keyring(of: type[PostgresKeyring], stored: Databases) -> Databases:
    return partial(
        stored, keyring=lambda world: of(world.database, LocalKms(world.folder / "kms", world.clock.now))
    )


def fingerprints_without_a_key(stored: Databases) -> Databases:
    return with_keyring(KnownKeys, stored)


def has_one_key_for_all(stored: Databases) -> Databases:
    return with_keyring(OneKeyForAll, stored)


@proves("C1", text="9d67ee70a027", saboteur=in_clear("accounts.email"), says="an address lies in clear")
@proves(
    "C1", text="9d67ee70a027", saboteur=fingerprints_without_a_key, says="an address is found without a key"
)
async def test_an_address_is_kept_encrypted_and_found_by_a_keyed_fingerprint(stored: Databases) -> None:
    async with stored() as world:
        began = world.clock.now()
        ada = await lived(world)
        row = await world.row("accounts", id=ada.id)
        assert await world.traces(ada.email, ada.email.canonical) == set(), "an address lies in clear"
        assert await world.directory.account_by_email(ada.email.canonical) == ada.id
        listed = await world.row("directory", kind="accounts.email")
        assert listed["key"] not in guesses("accounts.email", ada.email.canonical), (
            "an address is found without a key"
        )
        assert (row["created_at"], row["verified_at"]) == (began, began)


def hashes_weakly(stored: Databases) -> Databases:
    return partial(stored, hasher=lambda _: FakeHasher())


@proves("C2", text="9cabdf8e7a69", saboteur=hashes_weakly, says="a password's hash is not Argon2id")
@proves(
    "C2", text="9cabdf8e7a69", saboteur=in_clear("accounts.password"), says="a password's hash lies in clear"
)
async def test_a_password_is_kept_as_an_argon2id_hash_and_encrypted_once_more(stored: Databases) -> None:
    async with stored() as world:
        ada = await lived(world)
        phc = (await world.use_cases.read_account(ada.id)).password
        assert phc.startswith("$argon2id$"), "a password's hash is not Argon2id"
        assert PasswordHasher().verify(phc, ada.password)
        assert await world.traces(phc, "$argon2id$", phc.rpartition("$")[2]) == set(), (
            "a password's hash lies in clear"
        )


@proves(
    "C3", text="b57425d8a087", saboteur=in_clear("accounts.display_name"), says="a display name lies in clear"
)
async def test_a_display_name_is_kept_encrypted(stored: Databases) -> None:
    async with stored() as world:
        ada = await lived(world)
        assert await world.traces(ada.name) == set(), "a display name lies in clear"
        assert (await world.use_cases.read_account(ada.id)).display_name == ada.name


@proves("C4", text="585f72df4055", saboteur=in_clear("accounts.locale"), says="a locale lies in clear")
async def test_a_locale_is_kept_encrypted(stored: Databases) -> None:
    async with stored() as world:
        ada = await lived(world)
        assert await world.traces(ada.locale) == set(), "a locale lies in clear"
        assert (await world.use_cases.read_account(ada.id)).locale == ada.locale


def forgets_the_terms(stored: Databases) -> Databases:
    return partial(stored, sql=EPOCH.format(table="accounts", column="terms_accepted_at"))


def forgets_the_policy(stored: Databases) -> Databases:
    return partial(stored, sql=EPOCH.format(table="accounts", column="privacy_accepted_at"))


def forgets_the_version(stored: Databases) -> Databases:
    return partial(stored, documents=lambda _: Documents(terms=1, privacy=1))


@proves("C5", text="1c2fcb760443", saboteur=forgets_the_terms, says="the times of acceptance are lost")
@proves("C5", text="1c2fcb760443", saboteur=forgets_the_policy, says="the times of acceptance are lost")
@proves("C5", text="1c2fcb760443", saboteur=forgets_the_version, says="the accepted versions are lost")
async def test_the_times_of_acceptance_are_kept(stored: Databases) -> None:
    async with stored() as world:
        accepted = world.clock.now()
        row = await world.row("accounts", id=(await lived(world)).id)
        assert (row["terms_accepted_at"], row["privacy_accepted_at"]) == (accepted, accepted), (
            "the times of acceptance are lost"
        )
        assert (row["terms_version"], row["privacy_version"]) == (1, 3), "the accepted versions are lost"


def forgets_when_sessions_began(stored: Databases) -> Databases:
    return partial(stored, sql=EPOCH.format(table="sessions", column="created_at"))


def forgets_when_sessions_were_used(stored: Databases) -> Databases:
    return partial(stored, sql=EPOCH.format(table="sessions", column="ends_at"))


@proves(
    "C6",
    text="16346578aaef",
    saboteur=forgets_when_sessions_were_used,
    says="the day of a session's last use is lost",
)
@proves("C6", text="16346578aaef", saboteur=fingerprints_without_a_key, says="a token is found without a key")
@proves(
    "C6", text="16346578aaef", saboteur=forgets_when_sessions_began, says="the times of sessions are lost"
)
async def test_sessions_are_kept_with_their_times_and_a_keyed_hash_of_the_token(stored: Databases) -> None:
    async with stored() as world:
        now = world.clock.now()
        ada = await lived(world)
        ended, lasting = sorted(await world.rows("sessions"), key=lambda row: row["revoked_at"] is None)
        assert (ended["created_at"], ended["revoked_at"], lasting["created_at"]) == (now, now, now), (
            "the times of sessions are lost"
        )
        assert ends(now, now, world.retention) == lasting["ends_at"], (
            "the day of a session's last use is lost"
        )
        assert await world.directory.session(ada.signed_in.token) == (
            ada.id, lasting["id"], lasting["created_at"], lasting["ends_at"],
        )  # fmt: skip
        listed = await world.row("directory", kind="sessions.token")
        assert (listed["account_id"], listed["subject_id"]) == (ada.id, lasting["id"])
        assert listed["key"] not in guesses("sessions.token", ada.signed_in.token), (
            "a token is found without a key"
        )
        assert await world.traces(ada.signed_in.token) == set()


@proves(
    "C7",
    text="5590ec7c2480",
    saboteur=in_clear("phone_lines.number"),
    says="number, label or hours lie in clear",
)
@proves(
    "C7",
    text="5590ec7c2480",
    saboteur=in_clear("phone_lines.label"),
    says="number, label or hours lie in clear",
)
@proves(
    "C7", text="5590ec7c2480", saboteur=fingerprints_without_a_key, says="a number is found without a key"
)
@proves(
    "C7",
    text="5590ec7c2480",
    saboteur=in_clear("phone_lines.do_not_disturb"),
    says="number, label or hours lie in clear",
)
async def test_a_line_is_kept_with_number_label_and_hours_encrypted(stored: Databases) -> None:
    async with stored() as world:
        ada = await lived(world)
        row = await world.row("phone_lines", account_id=ada.id)
        assert await world.traces(ada.number, ada.label, ada.hours) == set(), (
            "number, label or hours lie in clear"
        )
        listed = await world.row("directory", kind="phone_lines.number")
        assert listed["key"] not in guesses("phone_lines.number", ada.number), (
            "a number is found without a key"
        )
        assert (row["country"], row["state"], row["ref"]) == (
            ada.line and ada.line.country,
            LineState.ACTIVE,
            ada.line and ada.line.ref,
        )
        assert row["capabilities"] == ["mms", "sms", "voice"]


async def aes_256_gcm(
    world: OnPostgres, key_of: AccountId, table: str, column: str, account: UUID, row: Mapping[str, Any]
) -> str:
    """Open a blob by hand, from NIST SP 800-38D and RFC 5869 alone. Raises InvalidTag."""
    key = await world.keyring.open(key_of)
    blob = row[column]
    place = (ENVIRONMENT.encode(), table.encode(), column.encode(), account.bytes, row["id"].bytes, blob[1:3])
    bound = b"".join(len(part).to_bytes(4) + part for part in place) + beside(table, column, row)
    working = HKDF(SHA256(), 32, None, b"pico sealed columns").derive(key.material)
    return AESGCM(working).decrypt(blob[3:15], blob[15:], bound).decode()


@proves(
    "C8", text="0830cef1d9d0", saboteur=in_clear("messages.body"), says="a message or its peer lies in clear"
)
@proves(
    "C8", text="0830cef1d9d0", saboteur=in_clear("messages.client_reference"),
    says="a message or its peer lies in clear",
)  # fmt: skip
@proves(
    "C8",
    text="0830cef1d9d0",
    saboteur=in_clear("conversations.peer"),
    says="a message or its peer lies in clear",
)
@proves(
    "C8", text="0830cef1d9d0", saboteur=has_one_key_for_all, says="one account's key opens another's messages"
)
async def test_messages_are_kept_as_ciphertext_under_the_accounts_own_key(stored: Databases) -> None:
    async with stored() as world:
        ada, boris = await lived(world), await lived(world)
        assert await world.traces(ada.heard, ada.said, ada.peer, ada.referred) == set(), (
            "a message or its peer lies in clear"
        )
        thread = await world.row("conversations", account_id=ada.id)
        sealed = "conversations", "peer", ada.id, thread
        with suppress(InvalidTag):
            assert await aes_256_gcm(world, ada.id, *sealed) == ada.peer
        read, kept = set(), set()
        for row in await world.rows("messages", account_id=ada.id):
            sealed = "messages", "body", ada.id, row
            with suppress(InvalidTag):
                read.add(await aes_256_gcm(world, ada.id, *sealed))
            kept.add((row["direction"], row["status"], row["created_at"]))
            with refused(InvalidTag, "one account's key opens another's messages"):
                await aes_256_gcm(world, boris.id, *sealed)
        assert read == {ada.heard, ada.said}, "a message is not bound to its place"
        nonces = [
            row[column][3:15] for table, columns in COLUMNS.items() for column, kind in columns.items()
            if kind is StorageKind.SEALED for row in await world.rows(table) if row[column]
        ]  # fmt: skip
        assert len(nonces) > 20
        assert len(set(nonces)) == len(nonces), "a nonce was used twice"
        now = world.clock.now()
        assert kept == {
            (Direction.INBOUND, Status.RECEIVED, now),
            (Direction.OUTBOUND, Status.QUEUED, now),
        }
