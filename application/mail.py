"""The use case behind every mail: it is sent by a job, so an outage there delays it and loses nothing."""

from __future__ import annotations

from dataclasses import dataclass

from application.ports.mail import Mail, MailKind
from application.ports.store import Store
from application.ports.system import Tokens
from domain.accounts import AccountState
from domain.kernel import AccountId
from domain.retention import Retention


@dataclass(frozen=True, slots=True)
class SendMail:
    """Mail one of the fixed texts to an account's address."""

    store: Store
    mail: Mail
    tokens: Tokens
    retention: Retention

    async def __call__(self, account_id: AccountId, kind: MailKind) -> None:
        """Do it. Raises MailUnavailable: to be tried again. Repeating sends it again."""
        async with self.store.begin(account_id) as tx:
            account = await tx.account()
        if account.state is AccountState.ERASING:
            return  # the provider is being made to forget this address
        token = None
        if kind is MailKind.VERIFY:
            if account.state is not AccountState.UNVERIFIED:
                return
            token = await self.tokens.verification(account_id, account.created_at + self.retention.unverified)
        await self.mail.send(account.email, kind, account.locale, token)
