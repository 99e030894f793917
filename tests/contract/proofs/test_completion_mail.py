"""The last mail, and the address that is kept for it alone: under which key, for how long, and that it goes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from typing_extensions import override

from adapters.outbound.memory.mail import MemoryMail
from adapters.outbound.sealed.objects import SealedObjects
from application.completion_mail import SendCompletionMail
from application.kept_address import PLACE, Kept, KeptAddress
from application.mail import EraseMailAddress
from application.ports.keyring import AccountKey, Keyring
from application.ports.mail import MailKind, MailUnavailable
from domain.erasure import Erasure
from domain.kernel import AccountId, NotFound, SealBroken
from domain.values import Email, Label, Locale
from tests.support.actors import PASSWORD, sign_up
from tests.support.harness import ENVIRONMENT, Databases, OnPostgres
from tests.support.proofs import proves
from tests.support.sabotage import skipped_step

DAY = timedelta(days=1)


class Watched(MemoryMail):
    """Looks around at the moment the last mail is handed over, and remembers what it was handed."""

    def __init__(self) -> None:
        super().__init__()
        self.look: Callable[[], Any] | None = None
        self.last: list[tuple[Email, Locale]] = []
        self.refuses = False
        self.erased: list[Email] = []

    @override
    async def send(self, to: Email, kind: MailKind, locale: Locale, link_token: str | None) -> None:
        if kind is MailKind.COMPLETED:
            if self.look is not None:
                await self.look()
            if self.refuses:
                raise MailUnavailable
            self.last.append((to, locale))
        await super().send(to, kind, locale, link_token)

    @override
    async def erase(self, address: Email) -> None:
        self.erased.append(address)
        await super().erase(address)


class Fixed:
    """A keyring that somebody kept a copy of: one account's key, given out for whatever is asked."""

    def __init__(self, keyring: Keyring, key: AccountKey) -> None:
        self.system, self._key = keyring.system, key

    async def open(self, _account_id: AccountId) -> AccountKey:
        return self._key


def opened_by(objects: Any, key: AccountKey) -> SealedObjects:
    return SealedObjects(objects.store, Fixed(objects.keyring, key), ENVIRONMENT)  # type: ignore[arg-type]


async def opens(objects: SealedObjects, holder: AccountId) -> bool:
    try:
        async with objects.open(holder, PLACE) as found:
            return bool([piece async for piece in found.read()])
    except (SealBroken, NotFound):
        return False


def tells_nobody(stored: Databases) -> Databases:
    return partial(stored, send_completion_mail=skipped_step("completion_mail"))


def tells_too_early(stored: Databases) -> Databases:
    def early(**given: Any) -> Any:
        class Early(EraseMailAddress):
            async def run(self, erasure: Erasure, hold: Any) -> Any:
                async with self.store.begin(erasure.account_id) as tx:
                    account = await tx.accounts.get()
                await self.mail.send(account.email, MailKind.COMPLETED, account.language, None)
                return await super().run(erasure, hold)

        return Early(**given)

    return partial(stored, erase_mail_address=early)


def seals_under_the_account(stored: Databases) -> Databases:
    class Same(KeptAddress):
        async def put(self, erasure: Erasure, kept: Kept) -> None:
            kept_by = opened_by(self.objects, await self.keyring.open(erasure.account_id))
            object.__setattr__(self, "objects", kept_by)
            await super().put(erasure, kept)

    return partial(stored, kept_address=Same)


def keeps_the_address(stored: Databases) -> Databases:
    class Keeping(KeptAddress):
        async def drop(self, erasure: Erasure) -> None:
            pass

    return partial(stored, kept_address=Keeping)


def never_gives_up(stored: Databases) -> Databases:
    class Patient(KeptAddress):
        def is_over(self, erasure: Erasure, now: datetime) -> bool:
            return False

    return partial(stored, kept_address=Patient)


def asks_no_more(stored: Databases) -> Databases:
    def silent(**given: Any) -> SendCompletionMail:
        return SendCompletionMail(**given | {"erase_mail_address": EraseMailAddress(
            given["store"], MemoryMail(), given["erase_mail_address"].directory
        )})  # fmt: skip

    return partial(stored, send_completion_mail=silent)


async def is_kept(world: OnPostgres, holder: AccountId) -> bool:
    return bool(await world.keyring.count(holder) + await world.objects.count(holder))


@proves("H34", text="d83da63393d4", saboteur=tells_nobody, says="nobody was told")
@proves("H34", text="d83da63393d4", saboteur=tells_too_early, says="it was said before it was so")
@proves(
    "H34", text="d83da63393d4", saboteur=seals_under_the_account, says="the account's key opens the address"
)
@proves("H34", text="d83da63393d4", saboteur=asks_no_more, says="the mail provider was not asked again")
@proves("H34", text="d83da63393d4", saboteur=keeps_the_address, says="the address outlives the mail")
async def test_who_is_erased_is_told_at_an_address_that_goes_with_the_mail(stored: Databases) -> None:
    mail = Watched()
    async with partial(stored, mail=lambda _: mail)() as world:
        ada = await sign_up(world)
        await world.use_cases.change_profile(ada.id, Label("Ada"), Locale("he"))
        stolen = await world.keyring.open(ada.id)
        await world.use_cases.delete_account(ada.id, PASSWORD)
        seen: dict[str, Any] = {}

        async def look() -> None:
            erasure = await world.store.erasure(ada.id)
            assert erasure is not None
            holder = await parts(world).holder(erasure)
            receipt = await world.ledger.receipt(await world.fingerprint(ada.id))
            rows = sum((await world.store.count_rows(ada.id)).values())
            seen.setdefault("left", (rows, await world.keyring.count(ada.id), receipt))
            seen["holder"] = holder
            seen["kept"] = await is_kept(world, holder)
            seen["opened"] = await opens(opened_by(world.objects, stolen), holder)
            seen["traces"] = await world.traces(ada.email)

        mail.look = look
        await world.advance(30 * DAY)
        assert (ada.email, "he") in mail.last, "nobody was told"
        assert seen["left"] == (0, 0, None), "it was said before it was so"
        assert len(mail.last) == 1
        assert not seen["opened"], "the account's key opens the address"
        assert (seen["kept"], seen["traces"]) == (True, set())
        assert mail.erased == [ada.email] * 3, "the mail provider was not asked again"
        assert not await is_kept(world, seen["holder"]), "the address outlives the mail"
        receipt = await world.ledger.receipt(await world.fingerprint(ada.id))
        assert receipt is not None
        said = [receipt.facts[f"completion_mails{end}"] for end in ("", "_forgotten")]
        assert (said, receipt.facts["kept_addresses_left"]) == ([1, 1], 0)


def parts(world: OnPostgres) -> KeptAddress:
    return KeptAddress(world.keyring, world.objects, world.fingerprint)


@proves(
    "H34", text="d83da63393d4", saboteur=never_gives_up, says="the address is kept for longer than two days"
)
async def test_a_mail_that_cannot_be_sent_keeps_no_address_for_longer_than_two_days(
    stored: Databases,
) -> None:
    mail = Watched()
    async with partial(stored, mail=lambda _: mail)() as world:
        ada = await sign_up(world)
        mail.refuses = True
        await world.use_cases.delete_account(ada.id, PASSWORD)
        await world.advance(30 * DAY)
        erasure = await world.store.erasure(ada.id)
        assert erasure is not None
        holder = await parts(world).holder(erasure)
        assert await is_kept(world, holder)
        for _ in range(8):
            await world.advance(timedelta(hours=6))
        assert not await is_kept(world, holder), "the address is kept for longer than two days"
        receipt = await world.ledger.receipt(await world.fingerprint(ada.id))
        assert receipt is not None
        assert (receipt.facts["completion_mails"], receipt.facts["kept_addresses_left"]) == (0, 0)
