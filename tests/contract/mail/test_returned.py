"""A Sandbox whose SendGrid says that mail came back: signed, twice, and then shown to whoever asks."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from domain.accounts import Unreachable
from domain.values import Email, Label, Locale
from tests.contract.proofs.conftest import Product, product
from tests.contract.proofs.test_subprocessors import until
from tests.support.actors import PASSWORD

__all__ = ["product"]


async def test_a_mail_that_comes_back_is_seen_in_the_account(product: Product) -> None:
    async with product() as sandbox:
        do, email = sandbox.use_cases, Email("ada@example.org")
        await do.sign_up(email, PASSWORD, Label("Ada"), Locale("en"))
        (mail,) = await until(sandbox.mails)
        me = (await do.verify_account(mail["token"], PASSWORD)).session.account_id
        sandbox.faults({"mail": {"returns": 1, "duplicate": 1}})
        await do.delete_account(me, PASSWORD)

        async def noted() -> Any:
            return (await do.read_account(me)).unreachable

        assert await until(noted, "nobody was told") is Unreachable.RETURNED
        assert sandbox.providers()["mail"]["suppressed"] == {"bounces": [email]}
        await sandbox.advance(timedelta(days=30))
        await until(sandbox.erased, "the erasure does not end")
        assert email not in str(sandbox.providers())
