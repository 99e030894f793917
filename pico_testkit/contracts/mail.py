"""What every mail provider promises, whichever stands behind the port."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import NamedTuple

import pytest

from application.ports.mail import Mail, MailKind, MailUnavailable
from domain.values import Email, Locale

ANNE = Email("Anne.Example+pico@mail.example")
BEN = Email("ben@mail.example")
ENGLISH = Locale.parse("en")
HEBREW = Locale.parse("he-IL")


class Seen(NamedTuple):
    """One mail as the provider got it."""

    to: str
    kind: str
    locale: str
    token: str | None


class MailContract:
    """Subclass it, and give the fixtures `mail`, `seen` (what the provider holds, oldest first) and `outage`."""

    @pytest.fixture
    def mail(self) -> Mail:
        raise NotImplementedError

    @pytest.fixture
    def seen(self, mail: Mail) -> Callable[[], Awaitable[list[Seen]]]:
        raise NotImplementedError

    @pytest.fixture
    def outage(self, mail: Mail) -> Callable[[], None]:
        raise NotImplementedError

    async def test_a_mail_arrives_as_it_was_sent(
        self, mail: Mail, seen: Callable[[], Awaitable[list[Seen]]]
    ) -> None:
        await mail.send(ANNE, MailKind.VERIFY, HEBREW, "token-1")
        assert await seen() == [Seen(ANNE, "verify", "he-IL", "token-1")]

    async def test_every_kind_can_be_sent_and_the_newest_comes_last(
        self, mail: Mail, seen: Callable[[], Awaitable[list[Seen]]]
    ) -> None:
        for kind in MailKind:
            await mail.send(BEN, kind, ENGLISH, None)
        assert await seen() == [Seen(BEN, kind.value, "en", None) for kind in MailKind]

    async def test_sending_again_sends_another(
        self, mail: Mail, seen: Callable[[], Awaitable[list[Seen]]]
    ) -> None:
        for _ in range(2):
            await mail.send(BEN, MailKind.RECOVERED, ENGLISH, None)
        assert len(await seen()) == 2

    async def test_the_provider_holds_an_address_from_its_first_mail_on(self, mail: Mail) -> None:
        assert not await mail.holds(ANNE)
        await mail.send(ANNE, MailKind.VERIFY, ENGLISH, "token-1")
        assert await mail.holds(ANNE) == mail.shows_what_it_holds
        assert not await mail.holds(BEN)

    async def test_an_erased_address_leaves_nothing_and_takes_nothing_else_along(
        self, mail: Mail, seen: Callable[[], Awaitable[list[Seen]]]
    ) -> None:
        for to in (ANNE, BEN, ANNE):
            await mail.send(to, MailKind.EXPORT_READY, ENGLISH, None)
        for _ in range(2):  # repeating is harmless
            await mail.erase(ANNE)
            assert not await mail.holds(ANNE)
            assert [each.to for each in await seen()] == [BEN]

    async def test_an_unknown_address_is_erased_at_once(self, mail: Mail) -> None:
        await mail.erase(ANNE)
        assert not await mail.holds(ANNE)

    async def test_case_does_not_hide_an_address(
        self, mail: Mail, seen: Callable[[], Awaitable[list[Seen]]]
    ) -> None:
        await mail.send(ANNE, MailKind.VERIFY, ENGLISH, "token-1")
        shouted = Email(ANNE.upper())
        assert await mail.holds(shouted) == mail.shows_what_it_holds
        await mail.erase(shouted)
        assert not await mail.holds(ANNE)
        assert await seen() == []

    async def test_a_likeness_is_not_the_address(
        self, mail: Mail, seen: Callable[[], Awaitable[list[Seen]]]
    ) -> None:
        await mail.send(ANNE, MailKind.VERIFY, ENGLISH, "token-1")
        for other in ("anne.example@mail.example", "x" + ANNE, ANNE + ".test", ANNE[:-1]):
            await mail.erase(Email(other))
            assert not await mail.holds(Email(other))
        assert len(await seen()) == 1

    async def test_an_outage_is_told_as_such_by_every_method(
        self, mail: Mail, outage: Callable[[], None]
    ) -> None:
        await mail.send(ANNE, MailKind.VERIFY, ENGLISH, "token-1")
        outage()
        for call in (mail.send(BEN, MailKind.VERIFY, ENGLISH, "token-2"), mail.erase(ANNE), mail.holds(ANNE)):
            with pytest.raises(MailUnavailable) as told:
                await call
            assert told.value.__cause__ is None
            assert not told.value.args
