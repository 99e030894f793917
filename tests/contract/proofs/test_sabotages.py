"""Twenty-seven ways to break the product's source, each of which turns a proof of its clause red.

The proofs' own saboteurs swap parts by the product's seams. These change a line of its source, as somebody would who
means no harm: what is run is the honest proof, and it must fail at the assertion that speaks of the rule.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import pytest

from tests.support.broken_source import Change
from tests.support.proofs import must_say


@dataclass(frozen=True)
class Line:
    """A line of the table: the clause that must go red, what is broken and how, and the proof that must say so."""

    clause: str
    what: str
    change: Change
    proof: str
    says: str

    def __str__(self) -> str:
        return f"{self.clause}-{self.what.replace(' ', '_')}"

    @property
    def test(self) -> Any:
        """The proof itself, without its harness: `module.test`."""
        module, _, name = self.proof.partition(".")
        return inspect.unwrap(getattr(import_module(f"tests.contract.proofs.test_{module}"), name))

    def is_declared(self) -> bool:
        """Tell whether the proof says of itself that it proves the clause."""
        module, _, name = self.proof.partition(".")
        declared = getattr(import_module(f"tests.contract.proofs.test_{module}"), name).runs
        return any(sabotage is not None and sabotage.clause == self.clause for sabotage in declared)


SEALING, CODEC = "adapters.outbound.postgres.sealing", "adapters.outbound.postgres.codec"
ACCOUNTS, EXPORTS, MESSAGES = "domain.accounts.account", "domain.exports", "domain.messages.message"
EXPORT_GONE = "test_an_export_is_sealed_and_gone_minutes_after_its_download_or_in_a_day"
FORM = "adapters.inbound.webhooks.twilio.messages"
PASSWORDS, TOKENS = "adapters.outbound.system.passwords", "adapters.outbound.system.tokens"

TABLE = (
    # The seven that once left every test green.
    Line(
        "H23", "other sides' numbers under the system's key",
        Change(CODEC, "return self.cipher.blind_index(purpose, canonical(value))",
               "return blind_index(self.system, purpose, canonical(value))"),
        "at_rest.test_only_what_finds_an_account_is_comparable_across_accounts",
        "a fingerprint is comparable across accounts",
    ),
    Line(
        "H16", "an export without any date",
        Change("application.export_building", "separator + page.text",
               """separator + __import__("re").sub(r',\\s*"[a-z_]*at"\\s*:\\s*("[^"]*"|null)', "", page.text)"""),
        "export_contents.test_an_export_holds_every_row_with_texts_in_clear",
        "the export shows other fields than promised",
    ),
    Line(
        "R2", "soft delete leaves sessions open",
        Change("application.account_deletion", "await revoke_all(tx, now)", "pass"),
        "leaving.test_a_deleted_account_is_shut_at_once", "a session is left open",
    ),
    Line(
        "H11", "an audit commitment with one byte of its salt",
        Change("domain.audit", "hmac.digest(self.salt, ", "hmac.digest(self.salt[:1], "),
        "strength.test_every_entry_is_committed_to_under_256_bits_of_its_own",
        "a commitment is not made with the whole salt",
    ),
    Line(
        "T2", "begin_erasure without asking whether it is due",
        Change(ACCOUNTS, "raise NotDue", "pass"),
        "time.test_an_account_knows_its_own_time_whatever_the_directory_says",
        "an account was erased before its time",
    ),
    Line(
        "C2", "Argon2 at 64 KiB and one pass",
        Change(PASSWORDS, "argon2.PasswordHasher(cost.passes, cost.memory_mib << 10, cost.lanes)",
               "argon2.PasswordHasher(1, 64, 1)"),
        "strength.test_the_product_hashes_passwords_at_a_cost", "a password's hash is cheap to guess",
    ),
    Line(
        "C6", "session tokens of 24 random bits",
        Change(TOKENS, "secrets.token_bytes(32)", "secrets.token_bytes(3)"),
        "strength.test_a_session_token_is_256_random_bits", "a token can be guessed",
    ),
    # Keys and seals.
    Line(
        "C8", "a seal that is not bound to its row",
        Change(SEALING, "self._before + row_id + self._after", "self._before + bytes(16) + self._after"),
        "collected.test_messages_are_kept_as_ciphertext_under_the_accounts_own_key",
        "a message is not bound to its place",
    ),
    Line(
        "C8", "one nonce for all",
        Change(SEALING, "nonce = urandom(NONCE)", "nonce = bytes(NONCE)"),
        "collected.test_messages_are_kept_as_ciphertext_under_the_accounts_own_key", "a nonce was used twice",
    ),
    Line(
        "C1", "a blind index without a key",
        Change(SEALING, "hmac.digest(key, prefixed(", 'hmac.digest(b"", prefixed('),
        "collected.test_an_address_is_kept_encrypted_and_found_by_a_keyed_fingerprint",
        "an address is found without a key",
    ),
    Line(
        "H8", "rows deleted before the keys are destroyed",
        Change("application.erasure", "in erasure.remaining(tuple(steps)):",
               "in [{'keys': 'rows', 'rows': 'keys'}.get(name, name) for name in erasure.remaining(tuple(steps))]:"),
        "destruction.test_the_key_goes_first_and_what_is_left_cannot_be_read", "rows went before the key",
    ),
    Line(
        "H10", "the ledger's fingerprint without a key",
        Change("adapters.outbound.system.fingerprints", 'await self.keyring.system("erasure")', 'b""'),
        "destruction.test_the_ledger_keeps_a_keyed_fingerprint_times_and_counts",
        "the ledger names an account without a key",
    ),
    # Time.
    Line(
        "T5", "revoked sessions forgotten at once",
        Change("domain.retention", "return now - self.keep", "return now"),
        "time.test_a_revoked_session_is_kept_for_ninety_days", "a session was forgotten early",
    ),
    Line(
        "H3", "recovery after the thirty days",
        Change(ACCOUNTS, "if not self.is_recoverable(at):", "if self.state is not AccountState.PENDING_DELETION:"),
        "account_deletion.test_until_the_last_moment_everything_comes_back",
        "an account came back after its time",
    ),
    Line(
        "H15", "an export is kept when its time is over",
        Change("application.exports", "            export.expire()\n            tx.save(export)\n"
               "            tx.exports.remove_parts(export_id)", "            pass"),
        f"exports_expire.{EXPORT_GONE}", "an export stays after its download",
    ),
    Line(
        "H24", "no patience with a carrier",
        Change("domain.erasure", "return now >= self.patience_ends", "return True"),
        "account_deletion.test_hard_deletion_waits_a_day_for_young_texts_and_no_longer", "it did not wait",
    ),
    # Shutting, handing over, giving back.
    Line(
        "R2", "lines of a deleted account carry on",
        Change("domain.lines", "self.state = LineState.SUSPENDED", "pass"),
        "leaving.test_a_deleted_account_is_shut_at_once", "a line of a deleted account sends",
    ),
    Line(
        "R5", "signing out that revokes nothing",
        Change("domain.sessions", "            self.revoked_at = at\n", ""),
        "leaving.test_signing_out_ends_that_session_and_loses_nothing",
        "a session that was signed out lives on",
    ),
    Line(
        "H15", "an export handed over for a day",
        Change(EXPORTS, "min(self.expires_at, at + AGAIN_FOR)", "self.expires_at"),
        f"exports_expire.{EXPORT_GONE}", "an export stays after its download",
    ),
    Line(
        "H9", "a release that is not read back",
        Change("application.line_release", "if await numbers.owns(held.ref, line.id) or (left is not None and "
               "left.ref is not None):", "if False:"),
        "destruction.test_nothing_counts_as_gone_until_it_was_looked_for",
        "a number counts as released that the carrier holds",
    ),
    Line(
        "H26", "pictures deleted at the carrier",
        Change(MESSAGES, "return self.is_deleted or kept >= self.attachments", "return True"),
        "carrier_copies.test_pictures_stay_at_the_carrier_until_we_have_them_or_their_message_is_deleted",
        "the pictures are gone, and we have none",
    ),
    Line(
        "H6", "requests remembered for two days",
        Change("domain.retention", "return since + self.keep\n", "return since + 2 * self.keep\n"),
        "fingerprints.test_fingerprints_are_kept_of_requests_for_a_day_and_of_what_was_delivered_for_good",
        "a request is remembered too long",
    ),
    # Links, logs, traces.
    Line(
        "H17", "a link that does not expire",
        Change(TOKENS, "if now.timestamp() >= int.from_bytes(said[16:]):", "if False:"),
        "strength.test_a_confirmation_link_is_signed_expires_and_is_not_stored", "a link does not expire",
    ),
    Line(
        "H17", "a link whose signature nobody checks",
        Change(TOKENS, "if not hmac.compare_digest(mac, await self._mac(said)):", "if not mac:"),
        "strength.test_a_confirmation_link_is_signed_expires_and_is_not_stored",
        "a forged link confirms an address",
    ),
    Line(
        "N5", "the sender's city kept with the message",
        Change(FORM, 'body=MessageBody(form.get("Body", ""))',
               'body=MessageBody(form.get("Body", "") + form.get("FromCity", ""))'),
        "never_collected.test_where_somebody_is_and_with_what_is_dropped_on_arrival",
        "where somebody is was kept",
    ),
    Line(
        "H14", "an error printed with its message",
        Change("adapters.error_report", "error=name, where",
               "error=print(error, file=__import__('sys').stderr) or name, where"),
        "logging.test_nothing_of_a_life_full_of_faults_is_logged_or_quoted",
        "a personal value was logged or quoted",
    ),
    Line(
        "C14", "sign-ins that are not audited",
        Change("application.unit_of_work", "if kind is not None:",
               'if kind is not None and kind != "session_opened":'),
        "audit_log.test_the_audit_log_says_what_was_done_and_only_grows",
        "the log does not say all that was done",
    ),
)  # fmt: skip
ON_POSTGRES = "postgres"


@pytest.mark.parametrize("anywhere", [ON_POSTGRES], indirect=True)
@pytest.mark.parametrize("line", TABLE, ids=str)
async def test_it_turns_its_clause_red(line: Line, anywhere: Any, request: pytest.FixtureRequest) -> None:
    wanted = [name for name in inspect.signature(line.test).parameters if name != "sabotage"]
    given = {name: anywhere if name == "anywhere" else request.getfixturevalue(name) for name in wanted}
    with must_say(line.says, line.proof, f"{line.clause} off by {line.what}"), line.change.applied():
        done = line.test(**given)
        if inspect.isawaitable(done):
            await done


def test_the_table_names_proofs_of_its_clauses() -> None:
    assert [str(line) for line in TABLE if not line.is_declared()] == []
    assert len({str(line) for line in TABLE}) == len(TABLE) == 27
