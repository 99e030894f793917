"""Your rights: each of them exercised, through the use cases that the API calls."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

import pytest

from adapters.inbound.http.app import build
from adapters.tones import tone
from application.account_deletion import DeleteAccount
from application.accounts import ChangeProfile
from application.contacts import ChangeContact, Correction
from application.export_building import BuildExport
from application.inventory import INVENTORY, Stored
from application.line_settings import UNSAID, ChangeLine, LineSettings
from application.ports.repositories.exports import Records, Written
from application.ports.store import Tx
from application.sessions import Authenticate, Caller, SignOut, Unauthenticated
from bootstrap.policy import DATA_MAP, END
from domain.accounts import Account, PendingDeletion
from domain.contacts import Card, Contact, ContactId, ContactName, ContactNumbers, SavedNumber
from domain.kernel import AccountId, LineId, SessionId
from domain.lines import LineNotActive, PhoneLine
from domain.messages import Message
from domain.sessions import Session
from domain.values import Label, Locale, Peer, PhoneNumber
from tests.contract.architecture.test_policy import POLICY
from tests.support.actors import PASSWORD, with_line
from tests.support.archives import export_in
from tests.support.canary_account import lived
from tests.support.harness import Anywhere, Databases
from tests.support.http_client import always, calling
from tests.support.lying_there import records
from tests.support.proofs import proves, refused


class Forges(BuildExport):
    """Changes what a page holds."""

    async def _page(self, records: Records, stored: Stored, after: UUID | None) -> Written:
        page = await super()._page(records, stored, after)
        rows = self.forged(stored, json.loads(f"[{page.text}]"))
        return page._replace(text=json.dumps(rows)[1:-1], rows=page.rows if rows else 0)

    def forged(self, _stored: Stored, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return rows


class SkipsOldTexts(Forges):
    """Leaves out the first record of every kind of which there are two."""

    def forged(self, _stored: Stored, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return rows[1:] if len(rows) > 1 else rows


class SkipsSessions(Forges):
    """Thinks that sessions are nobody's business."""

    def forged(self, stored: Stored, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [] if stored.of is Session else rows


class ExportsCiphertext(Forges):
    """Hands messages over as they lie there."""

    def forged(self, stored: Stored, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [row | {"body": "01ab"} for row in rows] if stored.of is Message else rows


class SkipsDates(Forges):
    """Thinks that nobody wants to know when."""

    def forged(self, _stored: Stored, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{name: row[name] for name in row if not name.endswith("at")} for row in rows]


class ShowsSecrets(Forges):
    """Thinks that everything is everything."""

    def forged(self, stored: Stored, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [row | {"password": "$argon2id$"} for row in rows] if stored.of is Account else rows


class RoundsTimes(Forges):
    """Tells days for instants."""

    def forged(self, _stored: Stored, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [
            row | {name: f"{row[name][:10]}T00:00:00Z" for name in row if name == "created_at"}
            for row in rows
        ]


def exports_no_dates(stored: Databases) -> Databases:
    return partial(stored, build_export=SkipsDates)


def exports_secrets(stored: Databases) -> Databases:
    return partial(stored, build_export=ShowsSecrets)


def rounds_times(stored: Databases) -> Databases:
    return partial(stored, build_export=RoundsTimes)


def promised() -> dict[str, dict[str, str]]:
    """Return the fields that the data map says are in the export, by record, each with how it is held."""
    lines = POLICY.partition(DATA_MAP)[2].partition(END)[0].splitlines()[3:]
    found: dict[str, dict[str, str]] = {}
    for record, field, kind, _, exported, _ in (line.strip("| ").split(" | ") for line in lines):
        if exported == "yes":
            found.setdefault(record, {})[field] = kind
    return found


def as_told(value: object, told: object) -> object:
    """Return a value as the export would tell it, given how it did tell it."""
    match value:
        case datetime():
            return told if datetime.fromisoformat(str(told)) == value else value
        case bool() | int() | list() | None:
            return value
    return str(value)


def exports_half(stored: Databases) -> Databases:
    return partial(stored, build_export=SkipsOldTexts)


def exports_no_sessions(stored: Databases) -> Databases:
    return partial(stored, build_export=SkipsSessions)


def exports_ciphertext(stored: Databases) -> Databases:
    return partial(stored, build_export=ExportsCiphertext)


@proves(
    "H16", text="aa9fe4b0a581", saboteur=exports_no_dates, says="the export shows other fields than promised"
)
@proves(
    "H16", text="aa9fe4b0a581", saboteur=exports_secrets, says="the export shows other fields than promised"
)
@proves("R1", text="03d26f09c27e", saboteur=rounds_times, says="a value is not exported as it is")
@proves("R1", text="03d26f09c27e", saboteur=exports_half, says="a row is missing from the export")
@proves("R1", text="03d26f09c27e", saboteur=exports_no_sessions, says="a row is missing from the export")
@proves("R1", text="03d26f09c27e", saboteur=exports_ciphertext, says="a message is not exported in clear")
async def test_an_export_holds_every_row_with_texts_in_clear(stored: Databases) -> None:
    async with stored() as world:
        ada, _boris = await lived(world), await lived(world)
        export = await world.use_cases.start_export(ada.id)
        await world.settle()
        there = {
            of.name: {str(row["id"]) for row in await world.rows(of.name, **{of.owner: ada.id})}
            for of in INVENTORY
            if of.exported
        }
        rows = {of.name: await world.rows(of.name, **{of.owner: ada.id}) for of in INVENTORY if of.exported}
        slices = await world.use_cases.download_export(ada.id, export.id, ada.password)
        told = export_in(b"".join([part async for part in slices]))["records"]
        assert {name: {row["id"] for row in rows} for name, rows in told.items()} == there, (
            "a row is missing from the export"
        )
        for name, fields in promised().items():
            shown = {frozenset(row) for row in told[name]}
            assert shown <= {frozenset(fields)}, "the export shows other fields than promised"
            lying = {str(row["id"]): row for row in rows[name]}
            plain = [field for field, kind in fields.items() if kind != "sealed" and name != "exports"]
            wrong = [
                (name, field) for row in told[name] for field in plain
                if as_told(lying[row["id"]][field], row[field]) != row[field]
            ]  # fmt: skip
            assert wrong == [], "a value is not exported as it is"
        assert sorted(row["body"] for row in told["messages"]) == sorted([ada.heard, ada.said]), (
            "a message is not exported in clear"
        )
        assert [row["peer"] for row in told["conversations"]] == [ada.peer]
        (me,), (line,) = told["accounts"], told["phone_lines"]
        assert (me["email"], me["display_name"], me["locale"]) == (ada.email, ada.name, ada.locale)
        assert (line["number"], line["label"]) == (ada.number, ada.label)


class KeepsLinesOpen(DeleteAccount):
    """Says goodbye and lets the telephone ring."""

    async def commit(self, account_id: AccountId, erase_at: datetime, *must: Any) -> None:
        await super().commit(account_id, erase_at, *must)

        async def change(tx: Tx) -> None:
            for line in await tx.lines.list_all():
                line.resume(self.clock.now())
                tx.save(line)

        await self.store.update(account_id, change)


def ignores_revocation(anywhere: Anywhere) -> Anywhere:
    known: dict[str, Caller] = {}

    class IgnoresRevocation(Authenticate):
        """Knows for ever whom a token belongs to."""

        async def __call__(self, token: str) -> Caller:
            if token not in known:
                known[token] = await super().__call__(token)
            return known[token]

    return partial(anywhere, authenticate=IgnoresRevocation)


def keeps_lines_open(anywhere: Anywhere) -> Anywhere:
    return partial(anywhere, delete_account=KeepsLinesOpen)


@proves("R2", text="bd5cb3c346dc", saboteur=ignores_revocation, says="a session outlives its account")
@proves("R2", text="bd5cb3c346dc", saboteur=keeps_lines_open, says="a line of a deleted account sends")
async def test_a_deleted_account_is_shut_at_once(anywhere: Anywhere) -> None:
    async with anywhere() as made:
        ada = await with_line(made)
        other = await made.use_cases.sign_in(ada.email, PASSWORD)
        for token in (ada.signed_in.token, other.token):
            assert (await made.use_cases.authenticate(token)).account_id == ada.id
        waiting = await ada.sends("on its way")
        await made.use_cases.delete_account(ada.id, PASSWORD)
        for token in (ada.signed_in.token, other.token):
            with refused(Unauthenticated, "a session outlives its account"):
                await made.use_cases.authenticate(token)
        assert await made.use_cases.list_sessions(ada.id) == [], "a session is left open"
        with pytest.raises(PendingDeletion):
            await made.use_cases.sign_in(ada.email, PASSWORD)
        await ada.receives("too late")
        with refused(LineNotActive, "a line of a deleted account sends"):
            await ada.sends("too late")
        await made.settle()
        assert await ada.inbox() == ["on its way"], "a line of a deleted account hears"
        assert not made.carrier.messages, f"{waiting.id} was sent all the same"


class WritesInWater(ChangeProfile):
    """Answers as if, and changes nothing."""

    async def __call__(
        self,
        account_id: AccountId,
        display_name: Label | None,
        locale: Locale | None,
        versions: frozenset[int] | None = None,
    ) -> Account:
        async with self.store.begin(account_id) as tx:
            account = await tx.accounts.get()
        account.change_profile(display_name, locale, self.clock.now())
        return account


class KeepsTheOldLabel(ChangeLine):
    """Answers as if, and changes nothing."""

    async def __call__(
        self,
        account_id: AccountId,
        line_id: LineId,
        settings: LineSettings,
        versions: frozenset[int] | None = None,
    ) -> PhoneLine:
        return await super().__call__(account_id, line_id, replace(settings, label=UNSAID), versions)


class KeepsTheContact(ChangeContact):
    """Answers as if, and changes nothing."""

    async def __call__(
        self,
        account_id: AccountId,
        contact_id: ContactId,
        correction: Correction,
        versions: frozenset[int] | None = None,
    ) -> Contact:
        async with self.store.begin(account_id) as tx:
            contact = await tx.contacts.get(contact_id)
        contact.correct(correction.name, correction.numbers, correction.note)
        return contact


def corrects_no_contact(anywhere: Anywhere) -> Anywhere:
    return partial(anywhere, change_contact=KeepsTheContact)


def corrects_no_profile(anywhere: Anywhere) -> Anywhere:
    return partial(anywhere, change_profile=WritesInWater)


def corrects_no_label(anywhere: Anywhere) -> Anywhere:
    return partial(anywhere, change_line=KeepsTheOldLabel)


class CorrectsTheWholeProfile(ChangeProfile):
    """Takes what was not said for something that is to be forgotten."""

    async def __call__(
        self,
        account_id: AccountId,
        display_name: Label | None,
        locale: Locale | None,
        versions: frozenset[int] | None = None,
    ) -> Account:
        return await super().__call__(account_id, display_name or Label("?"), locale or Locale("en"))


def corrects_more_than_was_said(anywhere: Anywhere) -> Anywhere:
    return partial(anywhere, change_profile=CorrectsTheWholeProfile)


WRITE_TO_US = {
    ("phone_lines", "number"),
    ("conversations", "peer"),
    ("calls", "peer"),
    ("messages", "body"),
    ("messages", "client_reference"),
    ("voicemails", "caller"),
    ("voicemails", "digest"),
    ("subscriptions", "payer"),
    ("subscriptions", "purchase"),
    ("subscriptions", "buyer"),
    ("audit_entries", "at"),
    ("audit_entries", "kind"),
    ("audit_entries", "subject"),
}
"""What identifies a line, what somebody said, and what was done: nobody may change these by themselves."""
BY_A_LINK = {("accounts", "email"), ("accounts", "new_email"), ("accounts", "former_email")}
"""What identifies an account: another address takes its place once it is confirmed, as H32 proves."""


def as_exported(value: object) -> object:
    """Return a value as the export shows it: what has several parts is one text."""
    if isinstance(value, dict):
        return "{starts}-{ends} {time_zone}".format(**value)
    return "\n".join(value) if isinstance(value, list) else value


TAKEN_OFF_AND_PUT_ON = {
    ("phone_lines", "forward_to"),
    ("blocked_numbers", "number"),
    ("sessions", "label"),
    ("greetings", "words"),
    ("push_tokens", "token"),
    ("webhook_endpoints", "url"),
    ("port_requests", "number"),
    ("port_requests", "details"),
}
"""What another takes the place of: a number is blocked again, a device signs in again, a line is greeted anew, a number
is ported by another request."""
ALONG = {("voicemails", "transcript"): {"transcript_state"}}
"""What changes with a field, and says that somebody corrected it."""


@proves("R4", text="9577962aeaaa", saboteur=corrects_no_profile, says="what was corrected stays wrong")
@proves("R4", text="9577962aeaaa", saboteur=corrects_no_contact, says="what was corrected stays wrong")
@proves("R4", text="9577962aeaaa", saboteur=corrects_no_label, says="what was corrected stays wrong")
@proves("R4", text="9577962aeaaa", saboteur=corrects_more_than_was_said, says="something else was changed")
async def test_what_is_wrong_can_be_corrected_on_the_account_and_on_each_line(anywhere: Anywhere) -> None:
    async with anywhere() as made:
        ada, do = await with_line(made), made.use_cases
        other = (await do.buy_line(ada.id, PhoneNumber("+12025550144"), Label("Other"), "buy")).line
        card = Card(ContactName("N"), ContactNumbers.of([SavedNumber("+12025550146")]))
        contact = (await do.add_contact(ada.id, card, "add")).contact
        left = await made.recordings.leave(Peer("+12025550148"), ada.number, tone(2))
        await made.settle()
        await made.recordings.transcribe(left, "It is Noah.")
        await made.settle()
        (voicemail,) = (await records(made, ada.id))["voicemails"]
        edge = build(do, ready=always, webhooks=[])
        changes: dict[tuple[str, str], list[object]] = {
            ("accounts", "display_name"): ["Ada Lovelace"],
            ("accounts", "locale"): ["he-IL"],
            ("phone_lines", "label"): ["Home", None],
            ("phone_lines", "do_not_disturb"): [
                {"starts": "22:00", "ends": "07:00", "time_zone": "Asia/Jerusalem"},
                None,
            ],
            ("contacts", "name"): ["Noa"],
            ("contacts", "numbers"): [["+12025550147"]],
            ("contacts", "note"): ["climbs", None],
            ("voicemails", "transcript"): ["It is Noa."],
        }
        async with calling(edge, Authorization=f"Bearer {ada.signed_in.token}") as client:
            for (record, field), values in changes.items():
                path, row_id = {
                    "accounts": ("/v1/account", ada.id),
                    "phone_lines": (f"/v1/lines/{other.id}", other.id),
                    "contacts": (f"/v1/contacts/{contact.id}", contact.id),
                    "voicemails": (f"/v1/voicemails/{voicemail['id']}", voicemail["id"]),
                }[record]
                for value in values:
                    before = await records(made, ada.id)
                    assert (await client.call("PATCH", path, {field: value}))[0] == 200
                    after = await records(made, ada.id)
                    (was,) = (row for row in before[record] if row["id"] == row_id)
                    (now,) = (row for row in after[record] if row["id"] == row_id)
                    corrected = as_exported(value)
                    assert now[field] == corrected, "what was corrected stays wrong"
                    kept = {
                        name: was[name] for name in was.keys() - {field} - ALONG.get((record, field), set())
                    }
                    assert {name: now[name] for name in kept} == kept, "something else was changed"
                    others = [row for row in before[record] if row["id"] != row_id]
                    assert [row for row in after[record] if row["id"] != row_id] == others
        personal = {
            (record, field) for record, fields in promised().items() for field, kind in fields.items()
            if kind == "sealed"
        }  # fmt: skip
        assert personal == changes.keys() | WRITE_TO_US | BY_A_LINK | TAKEN_OFF_AND_PUT_ON, (
            "a field that nobody can correct"
        )


class SignsEveryoneOut(SignOut):
    """Ends every session there is."""

    async def __call__(self, account_id: AccountId, session_id: SessionId) -> None:
        async with self.store.begin(account_id) as tx:
            sessions: Sequence[Session] = await tx.sessions.list_open()
        for session in sessions:
            await super().__call__(account_id, session.id)


class ClearsTheDevice(SignOut):
    """Takes signing out for leaving: what was said goes too."""

    async def __call__(self, account_id: AccountId, session_id: SessionId) -> None:
        await super().__call__(account_id, session_id)
        async with self.store.begin(account_id) as tx:
            for row in await tx.conversations.page(None, None, 100):
                tx.remove(await tx.conversations.get(row.id))


def signs_everyone_out(anywhere: Anywhere) -> Anywhere:
    return partial(anywhere, sign_out=SignsEveryoneOut)


def clears_data_on_sign_out(anywhere: Anywhere) -> Anywhere:
    return partial(anywhere, sign_out=ClearsTheDevice)


@proves("R5", text="29468f814e09", saboteur=ignores_revocation, says="a session that was signed out lives on")
@proves("R5", text="29468f814e09", saboteur=signs_everyone_out, says="signing out ended another session")
@proves("R5", text="29468f814e09", saboteur=clears_data_on_sign_out, says="signing out lost data")
async def test_signing_out_ends_that_session_and_loses_nothing(anywhere: Anywhere) -> None:
    async with anywhere() as made:
        ada = await with_line(made)
        await ada.receives("hello")
        other = await made.use_cases.sign_in(ada.email, PASSWORD)
        for token in (ada.signed_in.token, other.token):
            assert (await made.use_cases.authenticate(token)).account_id == ada.id
        before = await made.store.count_rows(ada.id)
        await made.use_cases.sign_out(ada.id, ada.signed_in.session.id)
        with refused(Unauthenticated, "a session that was signed out lives on"):
            await made.use_cases.authenticate(ada.signed_in.token)
        assert [session.id for session in await made.use_cases.list_sessions(ada.id)] == [other.session.id], (
            "signing out ended another session"
        )
        after = await made.store.count_rows(ada.id)
        lost = {name for name, rows in after.items() if rows < before[name]}
        assert lost <= {"directory"}, "signing out lost data"  # where the token was found
        assert await ada.inbox() == ["hello"]
