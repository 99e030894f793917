"""What the audit log says: all that was done and nothing personal, and it only grows."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial
from uuid import UUID

import asyncpg

from application.credentials import WrongCredentials
from application.inventory import BY_TYPE
from application.ports.mail import MailKind
from application.ports.store import Tx
from domain.accounts import InboundChoice, UnusedStep
from domain.audit import AuditEntry, AuditKind
from domain.billing import PlanName
from domain.data_requests import DataRequestKind, DataRequestOutcome
from domain.documents import Documents
from domain.kernel import AccountId
from domain.values import Email, Label, Password
from domain.webhook_deliveries import WebhookAnswer
from domain.webhook_endpoints import WebhookUrl
from pico_testkit import InMemory
from pico_testkit.contracts.porting import DETAILS, NUMBER
from tests.support.audit_log import keeper
from tests.support.canary_account import lived
from tests.support.harness import Databases, OnPostgres, skipping
from tests.support.proofs import proves, refused
from tests.support.sabotage import keeping


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
