"""The mail providers, each under the one contract, and what the Sandbox's mailbox shows."""

# ruff: noqa: ASYNC240 - a test may wait for the disk

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapters.outbound.local.mailbox import LocalMailbox
from adapters.outbound.memory.mail import MemoryMail
from application.ports.mail import MailKind, MailUnavailable
from pico_testkit.contracts.mail import ANNE, BEN, ENGLISH, HEBREW, MailContract, Seen


class TestMemoryMail(MailContract):
    @pytest.fixture
    def mail(self) -> MemoryMail:
        return MemoryMail()

    @pytest.fixture
    def seen(self, mail: MemoryMail) -> Callable[[], Awaitable[list[Seen]]]:
        async def look() -> list[Seen]:
            return [Seen(each.to, each.kind.value, each.locale, each.link_token) for each in mail.sent]

        return look

    @pytest.fixture
    def outage(self, mail: MemoryMail) -> Callable[[], None]:
        return lambda: setattr(mail, "outage", True)

    async def test_what_was_refused_in_an_outage_was_not_sent(self, mail: MemoryMail) -> None:
        mail.outage = True
        with pytest.raises(MailUnavailable):
            await mail.send(ANNE, MailKind.VERIFY, ENGLISH, "token-1")
        mail.outage = False
        assert mail.sent == []
        assert not await mail.holds(ANNE)

    async def test_a_mail_shows_neither_address_nor_token(self, mail: MemoryMail) -> None:
        await mail.send(ANNE, MailKind.VERIFY, ENGLISH, "token-1")
        assert ANNE not in repr(mail.sent)
        assert "token-1" not in repr(mail.sent)


class TestLocalMailbox(MailContract):
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        return tmp_path / "new" / "mail"

    @pytest.fixture
    def file(self, folder: Path) -> Path:
        return folder / "mails.json"

    @pytest.fixture
    def mail(self, folder: Path) -> LocalMailbox:
        return LocalMailbox(folder, lambda: datetime(2027, 3, 1, 12, 0, tzinfo=UTC))

    @pytest.fixture
    def seen(self, mail: LocalMailbox) -> Callable[[], Awaitable[list[Seen]]]:
        async def look() -> list[Seen]:
            return [
                Seen(each["to"], each["kind"], each["locale"], each["token"]) for each in await mail.list()
            ]

        return look

    @pytest.fixture
    def outage(self, file: Path) -> Callable[[], None]:
        def strike() -> None:
            file.unlink()
            file.mkdir()  # even root cannot read it now

        return strike

    async def test_it_lists_what_the_person_would_have_got(self, mail: LocalMailbox) -> None:
        assert await mail.list() == []
        await mail.send(BEN, MailKind.VERIFY, HEBREW, "token-1")
        assert await mail.list() == [
            {
                "to": BEN,
                "kind": "verify",
                "locale": "he-IL",
                "token": "token-1",
                "at": "2027-03-01T12:00:00Z",
            }
        ]

    async def test_it_outlives_the_process_and_is_shared(self, mail: LocalMailbox, folder: Path) -> None:
        others = [LocalMailbox(folder, lambda: datetime(2027, 3, 1, tzinfo=UTC)) for _ in range(8)]
        await asyncio.gather(*(other.send(BEN, MailKind.RECOVERED, ENGLISH, None) for other in others))
        assert len(await mail.list()) == 8

    async def test_nothing_of_an_erased_address_is_left_in_the_folder(
        self, mail: LocalMailbox, folder: Path, file: Path
    ) -> None:
        await mail.send(ANNE, MailKind.VERIFY, ENGLISH, "token-1")
        assert ANNE.encode() in file.read_bytes()
        await mail.erase(ANNE)
        file.with_name(file.name + ".new").write_bytes(ANNE.encode())  # what a crash left half written
        await mail.erase(ANNE)
        for path in folder.iterdir():
            assert ANNE.encode() not in path.read_bytes()
            assert b"token-1" not in path.read_bytes()

    async def test_only_its_owner_may_read_it(self, mail: LocalMailbox, file: Path) -> None:
        await mail.send(ANNE, MailKind.VERIFY, ENGLISH, None)
        assert file.stat().st_mode & 0o777 == 0o600
        assert file.parent.stat().st_mode & 0o777 == 0o700

    async def test_a_damaged_file_is_an_outage(self, mail: LocalMailbox, file: Path) -> None:
        await mail.send(ANNE, MailKind.VERIFY, ENGLISH, None)
        file.write_bytes(file.read_bytes()[:-9])
        with pytest.raises(MailUnavailable) as told:
            await mail.holds(ANNE)
        assert told.value.__context__ is None, "the parser's error quotes the file"
