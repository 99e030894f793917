"""What calling webhook endpoints promises, whichever way it is done."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

import pytest

from application.ports.webhook_receivers import WebhookCall, WebhookReceivers, WebhookUrlRefused
from domain.webhook_deliveries import WebhookAnswer
from domain.webhook_endpoints import WebhookUrl

CALL = WebhookCall(
    id=UUID(int=7),
    at=datetime(2026, 1, 5, 12, tzinfo=UTC),
    signatures="v1,AAAA v1,BBBB",
    body=b'{"type":"x"}',
)


class WebhookReceiversContract:
    """Subclass it, and give the fixtures below."""

    @pytest.fixture
    def receivers(self) -> WebhookReceivers:
        raise NotImplementedError

    @pytest.fixture
    def url(self) -> WebhookUrl:
        """Return the address of a receiver that answers well."""
        raise NotImplementedError

    @pytest.fixture
    def nowhere(self) -> WebhookUrl:
        """Return an address that nobody may be called at."""
        raise NotImplementedError

    @pytest.fixture
    def answering(self) -> Callable[[WebhookAnswer], None]:
        """Make the receiver answer so."""
        raise NotImplementedError

    @pytest.fixture
    def heard(self) -> Callable[[], list[WebhookCall]]:
        """Return what the receiver was told, oldest first."""
        raise NotImplementedError

    async def test_a_call_arrives_as_it_was_signed(
        self, receivers: WebhookReceivers, url: WebhookUrl, heard: Callable[[], list[WebhookCall]]
    ) -> None:
        await receivers.must_be_callable(url)
        assert heard() == []
        assert await receivers.call(url, CALL) is WebhookAnswer.SUCCESS
        assert await receivers.call(url, CALL) is WebhookAnswer.SUCCESS
        assert heard() == [CALL, CALL]

    @pytest.mark.parametrize(
        "answer", [each for each in WebhookAnswer if each is not WebhookAnswer.FORBIDDEN]
    )
    async def test_an_answer_is_its_class(
        self,
        receivers: WebhookReceivers,
        url: WebhookUrl,
        answering: Callable[[WebhookAnswer], None],
        answer: WebhookAnswer,
    ) -> None:
        answering(answer)
        assert await receivers.call(url, CALL) is answer

    async def test_nobody_is_called_where_nobody_may_be(
        self, receivers: WebhookReceivers, nowhere: WebhookUrl, heard: Callable[[], list[WebhookCall]]
    ) -> None:
        with pytest.raises(WebhookUrlRefused):
            await receivers.must_be_callable(nowhere)
        assert await receivers.call(nowhere, CALL) is WebhookAnswer.FORBIDDEN
        assert heard() == []
