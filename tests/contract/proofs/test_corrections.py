"""The right to correct: what is wrong can be changed, and nothing else changes with it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from adapters.inbound.http.app import build
from adapters.tones import tone
from application.accounts import ChangeProfile
from application.contacts import ChangeContact, Correction
from application.line_settings import UNSAID, ChangeLine, LineSettings
from domain.accounts import Account
from domain.contacts import Card, Contact, ContactId, ContactName, ContactNumbers, SavedNumber
from domain.kernel import AccountId, LineId
from domain.lines import PhoneLine
from domain.values import Label, Locale, Peer, PhoneNumber
from tests.contract.proofs.test_export_contents import promised
from tests.support.actors import with_line
from tests.support.harness import Anywhere
from tests.support.http_client import always, calling
from tests.support.lying_there import records
from tests.support.proofs import proves


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
