"""The mail providers, each under the one contract, and what SendGrid alone gets and answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp import ClientSession, web

from adapters.inbound.http.server import serving
from adapters.outbound.memory.mail import MemoryMail
from adapters.outbound.sendgrid.http import SendGridHttp
from adapters.outbound.sendgrid.mail import SUPPRESSIONS, SendGridMail
from adapters.outbound.sendgrid.simulator import SendGridSimulator, as_read
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


KEY, SENDER = "SG.for-tests", "pico@sender.example"


def simulator(file: Path | None = None) -> SendGridSimulator:
    return SendGridSimulator(
        api_key=KEY, sender=SENDER, now=lambda: datetime(2027, 3, 1, 12, 0, tzinfo=UTC), state_file=file
    )


class TestSendGrid(MailContract):
    @pytest.fixture
    def provider(self) -> SendGridSimulator:
        return simulator()

    @pytest.fixture
    async def mail(self, provider: SendGridSimulator) -> AsyncIterator[SendGridMail]:
        async with provider.running() as url, ClientSession() as session:
            yield SendGridMail(SendGridHttp(session, KEY, url), SENDER, "https://app.example/#{}".format)

    @pytest.fixture
    def seen(self, provider: SendGridSimulator) -> Callable[[], Awaitable[list[Seen]]]:
        locales = {"he": str(HEBREW), "en": str(ENGLISH)}

        async def look() -> list[Seen]:
            read = map(as_read, provider.mails)
            return [Seen(each["to"], each["kind"], locales[each["locale"]], each["token"]) for each in read]

        return look

    @pytest.fixture
    def outage(self, provider: SendGridSimulator) -> Callable[[], None]:
        return lambda: setattr(provider.faults, "outage", True)

    async def test_whoever_cannot_get_mails_any_more_is_forgotten_with_the_rest(
        self, mail: SendGridMail, provider: SendGridSimulator
    ) -> None:
        for listed in SUPPRESSIONS:
            provider.bounce(ANNE, listed)
        assert await mail.holds(ANNE)
        assert not await mail.holds(BEN)
        await mail.erase(ANNE)
        assert not await mail.holds(ANNE)

    async def test_a_promise_that_is_not_kept_is_noticed_as_far_as_it_shows(
        self, mail: SendGridMail, provider: SendGridSimulator
    ) -> None:
        provider.bounce(ANNE)
        provider.faults.forgetful = True
        await mail.erase(ANNE)
        assert await mail.holds(ANNE)

    async def test_a_lost_answer_is_an_outage_and_the_mail_may_have_gone(
        self, mail: SendGridMail, provider: SendGridSimulator
    ) -> None:
        provider.faults.silence = True
        with pytest.raises(MailUnavailable) as told:
            await mail.send(ANNE, MailKind.VERIFY, ENGLISH, "token-1")
        assert told.value.__context__ is None, "the client's error names the address"
        assert len(provider.mails) == 1

    @pytest.mark.parametrize(("key", "sender"), [("SG.other", SENDER), (KEY, "else@sender.example")])
    async def test_wrong_credentials_are_told_as_an_outage_that_quotes_nothing(
        self, provider: SendGridSimulator, key: str, sender: str
    ) -> None:
        async with provider.running() as url, ClientSession() as session:
            mail = SendGridMail(SendGridHttp(session, key, url), sender, str)
            with pytest.raises(MailUnavailable) as told:
                await mail.send(ANNE, MailKind.VERIFY, ENGLISH, "token-1")
            assert not told.value.args
            assert key not in repr(mail)
        assert provider.mails == []

    async def test_what_was_erased_leaves_the_file_that_outlives_the_process(self, tmp_path: Path) -> None:
        file = tmp_path / "sendgrid.json"
        async with simulator(file).running() as url, ClientSession() as session:
            mail = SendGridMail(SendGridHttp(session, KEY, url), SENDER, str)
            await mail.send(ANNE, MailKind.VERIFY, ENGLISH, "token-1")
            await mail.send(BEN, MailKind.VERIFY, ENGLISH, "token-2")
        assert [each["to"] for each in simulator(file).mails] == [ANNE, BEN]
        assert file.stat().st_mode & 0o777 == 0o600
        async with simulator(file).running() as url, ClientSession() as session:
            await SendGridMail(SendGridHttp(session, KEY, url), SENDER, str).erase(ANNE)
        assert ANNE.encode() not in file.read_bytes()
        assert [each["to"] for each in simulator(file).mails] == [BEN]

    @pytest.mark.parametrize(
        ("said", "held"), [([b'[{"em', b'ail": "a"}]'], True), ([b"[1,"] + [b"1,"] * 40_000, None)]
    )
    async def test_an_answer_is_read_whole_or_not_at_all(
        self, said: list[bytes], *, held: bool | None
    ) -> None:
        async def answer(request: web.BaseRequest) -> web.StreamResponse:
            response = web.StreamResponse()
            await response.prepare(request)
            for piece in said:
                await response.write(piece)
                await asyncio.sleep(0)
            return response

        async with serving(answer, "127.0.0.1", 0) as port, ClientSession() as session:
            mail = SendGridMail(SendGridHttp(session, KEY, f"http://127.0.0.1:{port}"), SENDER, str)
            if held is None:
                with pytest.raises(MailUnavailable):
                    await mail.holds(ANNE)
            else:
                assert await mail.holds(ANNE) == held


async def test_what_somebody_waits_for_is_tried_where_mail_came_back() -> None:
    provider = simulator()
    async with provider.running() as url, ClientSession() as session:
        mail = SendGridMail(SendGridHttp(session, KEY, url), SENDER, str)
        provider.faults.returns = 1
        for kind in (MailKind.RECOVERED, MailKind.RECOVERED, MailKind.PASSWORD_RESET):
            await mail.send(ANNE, kind, ENGLISH, None)
        assert [as_read(each)["kind"] for each in provider.mails] == ["password_reset"]
