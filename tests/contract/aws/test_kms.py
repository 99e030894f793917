"""AWS KMS under the contract of every key service, over moto, with what moto does not hold to marked as such."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from typing_extensions import override

from adapters.outbound.aws.calls import AwsCalls, TooManyCalls
from adapters.outbound.aws.kms import AwsKms
from application.ports.kms import (
    KeyState,
    Kms,
    KmsBadCiphertext,
    KmsError,
    KmsKeyGone,
    KmsKeyPendingDeletion,
    KmsUnavailable,
)
from pico_testkit.contracts.kms import CONTEXT, DAY, KEY, HandClock, KmsContract
from tests.contract.aws.conftest import Aws

LAX = pytest.mark.xfail(
    strict=True, reason="moto: a disabled key works, and so does one that waits for deletion"
)
KEEPS = pytest.mark.xfail(strict=True, reason="moto: no key is ever deleted, and its clock cannot be moved")

DENIES = pytest.mark.xfail(
    strict=True, reason="moto: access is denied, where KMS says IncorrectKey or InvalidCiphertext"
)


class ServersClock(HandClock):
    """The present, which KMS dates by."""

    def __init__(self) -> None:
        self.time = datetime.now(UTC)


def _by_id(params: dict[str, Any], **_: object) -> dict[str, Any]:
    return {**params, "KeyId": params["KeyId"].rpartition("/")[2]}


class TestAwsKms(KmsContract):
    @pytest.fixture
    @override
    def clock(self) -> HandClock:
        return ServersClock()

    @pytest.fixture
    def client(self, aws: Aws) -> Any:
        """Moto takes an ARN where KMS does, except to delete keys: there it wants the id at its end."""
        client = aws.client("kms")
        for act in ("ScheduleKeyDeletion", "CancelKeyDeletion", "EnableKey", "DisableKey"):
            client.meta.events.register(f"provide-client-params.kms.{act}", _by_id)
        return client

    @pytest.fixture
    def kms(self, client: Any, calls: AwsCalls) -> AwsKms:
        made = client.create_key()["KeyMetadata"]["KeyId"]
        alias = f"alias/pico-{uuid4().hex}"
        client.create_alias(AliasName=alias, TargetKeyId=made)
        return AwsKms(client, calls, alias)

    @pytest.fixture
    def outage(self, client: Any, unplugged: Callable[[Any], None]) -> Callable[[], None]:
        return lambda: unplugged(client)

    @LAX
    async def test_a_disabled_key_neither_wraps_nor_unwraps_until_it_is_enabled(self, kms: Kms) -> None:
        await super().test_a_disabled_key_neither_wraps_nor_unwraps_until_it_is_enabled(kms)

    @LAX
    async def test_a_key_wraps_that_is_named_and_not_the_newest(self, kms: Kms) -> None:
        await super().test_a_key_wraps_that_is_named_and_not_the_newest(kms)

    @LAX
    async def test_a_cancelled_deletion_leaves_the_key_disabled(self, kms: Kms, clock: HandClock) -> None:
        await super().test_a_cancelled_deletion_leaves_the_key_disabled(kms, clock)

    @KEEPS
    async def test_a_key_pending_deletion_does_nothing_at_all(self, kms: Kms, clock: HandClock) -> None:
        await super().test_a_key_pending_deletion_does_nothing_at_all(kms, clock)

    @KEEPS
    async def test_a_deleted_key_takes_everything_wrapped_under_it_and_nothing_else(
        self, kms: Kms, clock: HandClock
    ) -> None:
        await super().test_a_deleted_key_takes_everything_wrapped_under_it_and_nothing_else(kms, clock)

    @KEEPS
    async def test_no_key_takes_the_place_of_a_deleted_newest_one(self, kms: Kms, clock: HandClock) -> None:
        await super().test_no_key_takes_the_place_of_a_deleted_newest_one(kms, clock)

    @KEEPS
    async def test_a_retired_key_opens_nothing_any_more_and_is_gone_when_it_says(
        self, kms: Kms, clock: HandClock
    ) -> None:
        await super().test_a_retired_key_opens_nothing_any_more_and_is_gone_when_it_says(kms, clock)

    @DENIES
    async def test_an_altered_blob_does_not_unwrap(self, kms: Kms) -> None:
        await super().test_an_altered_blob_does_not_unwrap(kms)

    @DENIES
    async def test_a_blob_does_not_unwrap_under_another_master_key(self, kms: Kms) -> None:
        await super().test_a_blob_does_not_unwrap_under_another_master_key(kms)

    # What of those can be seen all the same.

    async def test_a_key_waits_for_the_days_that_it_was_given(self, kms: AwsKms, clock: HandClock) -> None:
        key_id = await kms.create_key()
        asked = await kms.schedule_deletion(key_id, 7 * DAY)
        assert abs(asked - clock() - 7 * DAY) < timedelta(minutes=1)
        assert await kms.state(key_id) is KeyState.PENDING_DELETION
        for call in (kms.enable(key_id), kms.disable(key_id), kms.schedule_deletion(key_id)):
            with pytest.raises(KmsKeyPendingDeletion):
                await call
        assert await kms.retire(key_id) == asked, "the first date stands"
        await kms.cancel_deletion(key_id)
        assert await kms.state(key_id) is KeyState.DISABLED

    async def test_a_key_is_retired_in_the_shortest_time_there_is(
        self, kms: AwsKms, clock: HandClock
    ) -> None:
        key_id = await kms.create_key()
        assert abs(await kms.retire(key_id) - clock() - 7 * DAY) < timedelta(minutes=1)

    # What KMS says, in our words.

    @pytest.mark.parametrize(
        ("code", "error"),
        [
            ("DisabledException", "KmsKeyDisabled"), ("InvalidCiphertextException", "KmsBadCiphertext"),
            ("IncorrectKeyException", "KmsBadCiphertext"), ("NotFoundException", "KmsKeyGone"),
            ("ThrottlingException", "KmsUnavailable"), ("KeyUnavailableException", "KmsUnavailable"),
            ("AccessDeniedException", "KmsUnavailable"), ("DependencyTimeoutException", "KmsUnavailable"),
        ],
    )  # fmt: skip
    async def test_every_refusal_is_told_in_our_words(
        self, kms: AwsKms, client: Any, code: str, error: str
    ) -> None:
        from botocore.exceptions import ClientError

        wrapped = await kms.wrap(KEY, CONTEXT)

        def refuse(**_: object) -> None:
            raise ClientError({"Error": {"Code": code, "Message": "canary"}}, "Decrypt")

        client.meta.events.register_first("before-call.kms.Decrypt", refuse)
        with pytest.raises(KmsError) as told:
            await kms.unwrap(wrapped, CONTEXT)
        assert type(told.value).__name__ == error
        assert not told.value.args
        assert told.value.__context__ is None, "its message may quote what was sent"

    @pytest.mark.parametrize(
        ("state", "error"), [("PendingDeletion", KmsKeyPendingDeletion), ("Unavailable", KmsUnavailable)]
    )
    async def test_a_wrong_state_is_looked_up(
        self, kms: AwsKms, client: Any, state: str, error: type[Exception]
    ) -> None:
        from botocore.exceptions import ClientError

        wrapped = await kms.wrap(KEY, CONTEXT)

        def refuse(**_: object) -> None:
            raise ClientError({"Error": {"Code": "KMSInvalidStateException", "Message": ""}}, "Decrypt")

        def described(parsed: dict[str, Any], **_: object) -> None:
            parsed["KeyMetadata"]["KeyState"] = state

        client.meta.events.register_first("before-call.kms.Decrypt", refuse)
        client.meta.events.register("after-call.kms.DescribeKey", described)
        with pytest.raises(error):
            await kms.unwrap(wrapped, CONTEXT)

    async def test_a_key_of_another_account_or_region_is_gone(self, kms: AwsKms) -> None:
        wrapped = await kms.wrap(KEY, CONTEXT)
        elsewhere = wrapped.key_id.replace("us-east-1", "eu-west-1").replace(wrapped.key_id[-12:], "0" * 12)
        with pytest.raises((KmsKeyGone, KmsBadCiphertext)):
            await kms.state(elsewhere)


async def test_more_calls_than_can_be_made_are_refused_and_not_kept(aws: Aws) -> None:
    calls = AwsCalls(threads=1, most_waiting=0)
    kms = AwsKms(aws.client("kms"), calls, "alias/none")
    calls._under_way = 1
    with pytest.raises(KmsUnavailable):
        await kms.state("none")
    with pytest.raises(TooManyCalls):
        await calls(lambda: None)
    calls._under_way = 0
    assert await calls(lambda: 7) == 7
    calls.close()
