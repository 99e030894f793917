"""What we keep: how each of it lies there, byte by byte."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import asyncpg
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
from application.credentials import WrongCredentials
from application.inventory import BY_TYPE
from application.ports.keyring import AccountKey
from application.ports.mail import MailKind
from application.ports.store import Tx
from domain.accounts import InboundChoice, UnusedStep
from domain.audit import AuditEntry, AuditKind
from domain.billing import PlanName
from domain.classification import StorageKind
from domain.data_requests import DataRequestKind, DataRequestOutcome
from domain.documents import Documents
from domain.kernel import AccountId
from domain.lines import LineState
from domain.messages import Direction, Status
from domain.sessions import ends
from domain.values import Email, Label, Password
from domain.webhook_deliveries import WebhookAnswer
from domain.webhook_endpoints import WebhookUrl
from pico_testkit import InMemory
from pico_testkit.contracts.porting import DETAILS, NUMBER
from tests.support.audit_log import keeper
from tests.support.canary_account import lived
from tests.support.harness import ENVIRONMENT, Databases, OnPostgres, beside, in_clear, skipping
from tests.support.proofs import proves, refused
from tests.support.sabotage import keeping

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


def lets_the_log_be_changed(stored: Databases) -> Databases:
    return partial(stored, sql="DROP TRIGGER audit_log_only_grows ON audit_log")


def lets_what_is_recent_be_changed(stored: Databases) -> Databases:
    return partial(stored, sql="DROP TRIGGER audit_recent_is_chained_once ON audit_recent")


def logs_no_sign_in(stored: Databases) -> Databases:
    return partial(stored, sql=skipping("INSERT", "audit_recent", "new.kind = 'session_opened'"))


async def switched_off_webhook(world: InMemory, account_id: AccountId) -> UUID:
    """Do all there is to do with a webhook endpoint, until it is gone; return its id."""
    do, url = world.use_cases, WebhookUrl("https://hooks.example.org/pico")
    endpoint = (await do.add_webhook_endpoint(account_id, url, frozenset(), "add")).endpoint
    await do.rotate_webhook_secret(account_id, endpoint.id)
    await do.change_webhook_endpoint(account_id, endpoint.id, None, None, enabled=True)
    world.webhook_receivers.answers[url] = WebhookAnswer.GONE
    await do.change_profile(account_id, Label("Another name still"), None)
    await world.settle()
    await do.delete_webhook_endpoint(account_id, endpoint.id)
    return endpoint.id


async def warned(world: OnPostgres, account_id: AccountId) -> None:
    """Warn somebody as if nobody used the account."""

    async def change(tx: Tx) -> None:
        account = await tx.accounts.get()
        account.warn(UnusedStep.WARN, world.clock.now())
        tx.save(account)

    await world.store.update(account_id, change)


@proves("C14", text="a47b6103cfe1", saboteur=lets_the_log_be_changed, says="the log can be changed")
@proves("C14", text="a47b6103cfe1", saboteur=lets_what_is_recent_be_changed, says="the log can be changed")
@proves("C14", text="a47b6103cfe1", saboteur=logs_no_sign_in, says="the log does not say all that was done")
async def test_the_audit_log_says_what_was_done_and_only_grows(stored: Databases) -> None:  # noqa: PLR0915 - a log is long
    async with stored(retention=keeping(released_number=timedelta())) as world:
        ada = await lived(world)
        do = world.use_cases
        await do.change_profile(ada.id, Label("Another name"), None)
        export = await do.start_export(ada.id)
        await world.settle()
        assert [part async for part in await do.download_export(ada.id, export.id, ada.password)]
        await do.release_line(ada.id, ada.line_id)
        await do.cancel_release(ada.id, ada.line_id)
        await do.release_line(ada.id, ada.line_id)
        await world.settle()
        await do.delete_account(ada.id, ada.password)
        await do.recover_account(ada.email, ada.password)
        await do.change_password(ada.id, ada.password, Password("four boring purple umbrellas"))
        await do.ask_password_reset(ada.email)
        await world.settle()
        links = [mail.link_token for mail in world.mail.sent if mail.kind is MailKind.PASSWORD_RESET]
        await do.reset_password(str(links[-1]), ada.password)
        await do.ask_email_change(ada.id, Email(f"new.{ada.email}"), ada.password)
        await world.settle()
        links = [mail.link_token for mail in world.mail.sent if mail.kind is MailKind.EMAIL_CHANGE]
        await do.verify_email_change(ada.id, str(links[-1]))
        with refused(WrongCredentials, "a wrong password was taken"):
            await do.sign_in(Email(f"new.{ada.email}"), Password("four boring purple umbrellas"))
        await world.settle()
        await do.rotate_account_key.begin(ada.id)
        await do.note_operator_access(AuditKind.OPERATOR_ACCESS, ada.id)
        await do.restrict_account(ada.id, InboundChoice.ACCEPTED)
        await do.lift_restriction(ada.id)
        await warned(world, ada.id)
        hook = await switched_off_webhook(world, ada.id)
        port = (await do.request_port(ada.id, NUMBER, DETAILS.subscriber, "port")).port
        await do.open_checkout(ada.id, PlanName.BASIC, "buy")
        (payer,) = world.payments.payers
        world.payments.buy(payer)
        for hint in list(world.payments.events):
            await do.receive_payment_hint(hint)
        await world.settle()
        letter = await do.open_data_request(DataRequestKind.ACCESS, ada.id, None)
        await do.close_data_request(letter.id, ada.id, DataRequestOutcome.FULFILLED)
        newer = replace(do.accept_documents, documents=Documents(terms=8, privacy=9))
        await newer(ada.id, 8, 9)
        async with world.store.begin(ada.id) as tx:
            mine = await tx.records.page(BY_TYPE[AuditEntry], None, 1000)
        done = {AuditKind(row["kind"]) for row in mine}
        unlike = {AuditKind.LINE_LOST, AuditKind.ACCOUNT_ERASURE_BEGUN, AuditKind.RECORDING_REFUSED}
        unlike |= {kind for kind in AuditKind if kind.startswith("operator_")} - {AuditKind.OPERATOR_ACCESS}
        assert done == set(AuditKind) - unlike, "the log does not say all that was done"
        sessions = {row["id"] for row in await world.rows("sessions", account_id=ada.id)}
        assert {row["subject"] for row in mine} == {
            ada.id, ada.line_id, export.id, letter.id, hook, port.id, *sessions,
        }  # fmt: skip
        assert {row["at"].replace(microsecond=0) for row in mine} == {
            world.clock.now()
        }  # ids count milliseconds
        recent = await world.rows("audit_recent")
        kinds = {AuditEntry(**row | {"account_id": ada.id}).commitment: row["kind"] for row in mine}
        assert {row["commitment"]: row["kind"] for row in recent} == kinds, (
            "the log does not say all that was done"
        )
        assert not any(secret in str((mine, recent)) for secret in ada.secrets)
        keep = keeper(world, crowd=1)
        for table in ("audit_recent", "audit_log"):
            await keep(world.clock.now() + timedelta(days=table == "audit_log"), 1)
            for change in (f"UPDATE {table} SET day = day + 1", f"DELETE FROM {table}", f"TRUNCATE {table}"):  # noqa: S608
                with refused(asyncpg.RestrictViolationError, "the log can be changed"):
                    await world.pool.execute(change)
