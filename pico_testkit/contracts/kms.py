"""What every key management service promises, whichever stands behind the port."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from os import urandom

import pytest

from application.ports.kms import (
    KeyState,
    Kms,
    KmsBadCiphertext,
    KmsBadWindow,
    KmsError,
    KmsKeyDisabled,
    KmsKeyGone,
    KmsKeyPendingDeletion,
    KmsUnavailable,
    KmsWrongState,
    WrappedKey,
)

CONTEXT = {"key": "5f0c", "purpose": "account"}
KEY = urandom(32)
DAY = timedelta(days=1)
INSTANT = timedelta(microseconds=1)


class HandClock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.time = datetime(2027, 3, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time

    def move(self, by: timedelta) -> None:
        self.time += by


class KmsContract:
    """Subclass it, and give the fixtures `kms` and `outage` (a call after which nothing answers)."""

    @pytest.fixture
    def clock(self) -> HandClock:
        return HandClock()

    @pytest.fixture
    def kms(self, clock: HandClock) -> Kms:
        raise NotImplementedError

    @pytest.fixture
    def outage(self, kms: Kms) -> Callable[[], None]:
        raise NotImplementedError

    async def test_what_was_wrapped_unwraps_in_the_same_context(self, kms: Kms) -> None:
        wrapped = await kms.wrap(KEY, CONTEXT)
        assert await kms.unwrap(wrapped, dict(reversed(CONTEXT.items()))) == KEY

    async def test_a_wrapped_key_does_not_show_the_key_and_never_looks_the_same(self, kms: Kms) -> None:
        blobs = [(await kms.wrap(KEY, CONTEXT)).blob for _ in range(3)]
        assert len(set(blobs)) == 3
        assert not any(KEY in blob or KEY.hex().encode() in blob for blob in blobs)

    @pytest.mark.parametrize("length", [0, 31, 33])
    async def test_only_keys_of_256_bits_are_wrapped(self, kms: Kms, length: int) -> None:
        with pytest.raises(ValueError, match="32 bytes"):
            await kms.wrap(bytes(length), CONTEXT)

    @pytest.mark.parametrize(
        "other",
        [
            {},
            {"key": "5f0c"},
            CONTEXT | {"more": ""},
            CONTEXT | {"key": "5f0d"},
            {"key": "account", "purpose": "5f0c"},
        ],
    )
    async def test_another_context_does_not_unwrap(self, kms: Kms, other: dict[str, str]) -> None:
        wrapped = await kms.wrap(KEY, CONTEXT)
        with pytest.raises(KmsBadCiphertext):
            await kms.unwrap(wrapped, other)

    async def test_an_altered_blob_does_not_unwrap(self, kms: Kms) -> None:
        wrapped = await kms.wrap(KEY, CONTEXT)
        for place in range(len(wrapped.blob)):
            blob = bytearray(wrapped.blob)
            blob[place] ^= 1
            with pytest.raises(KmsBadCiphertext):
                await kms.unwrap(WrappedKey(wrapped.key_id, bytes(blob)), CONTEXT)
        for cut in (b"", wrapped.blob[:5], wrapped.blob[:-1], wrapped.blob + b"\x00"):
            with pytest.raises(KmsBadCiphertext):
                await kms.unwrap(WrappedKey(wrapped.key_id, cut), CONTEXT)

    async def test_a_new_master_key_wraps_and_the_old_one_still_unwraps(self, kms: Kms) -> None:
        old = await kms.wrap(KEY, CONTEXT)
        created = await kms.create_key()
        new = await kms.wrap(KEY, CONTEXT)
        assert new.key_id == created != old.key_id
        assert await kms.unwrap(old, CONTEXT) == await kms.unwrap(new, CONTEXT) == KEY

    async def test_a_blob_does_not_unwrap_under_another_master_key(self, kms: Kms) -> None:
        wrapped = await kms.wrap(KEY, CONTEXT)
        other = await kms.create_key()
        with pytest.raises(KmsBadCiphertext):
            await kms.unwrap(WrappedKey(other, wrapped.blob), CONTEXT)

    async def test_an_unknown_master_key_is_gone(self, kms: Kms) -> None:
        wrapped = await kms.wrap(KEY, CONTEXT)
        unknown = "00000000-0000-4000-8000-000000000000"
        for call in (
            kms.unwrap(WrappedKey(unknown, wrapped.blob), CONTEXT), kms.state(unknown), kms.enable(unknown),
            kms.disable(unknown), kms.schedule_deletion(unknown), kms.cancel_deletion(unknown),
        ):  # fmt: skip
            with pytest.raises(KmsKeyGone):
                await call

    async def test_a_disabled_key_neither_wraps_nor_unwraps_until_it_is_enabled(self, kms: Kms) -> None:
        wrapped = await kms.wrap(KEY, CONTEXT)
        assert await kms.state(wrapped.key_id) is KeyState.ENABLED
        for _ in range(2):
            await kms.disable(wrapped.key_id)
        assert await kms.state(wrapped.key_id) is KeyState.DISABLED
        with pytest.raises(KmsKeyDisabled):
            await kms.wrap(KEY, CONTEXT)
        with pytest.raises(KmsKeyDisabled):
            await kms.unwrap(wrapped, CONTEXT)
        for _ in range(2):
            await kms.enable(wrapped.key_id)
        assert await kms.unwrap(wrapped, CONTEXT) == KEY
        assert (await kms.wrap(KEY, CONTEXT)).key_id == wrapped.key_id

    async def test_a_key_pending_deletion_does_nothing_at_all(self, kms: Kms, clock: HandClock) -> None:
        wrapped = await kms.wrap(KEY, CONTEXT)
        key_id = wrapped.key_id
        assert await kms.schedule_deletion(key_id, 7 * DAY) == clock() + 7 * DAY
        clock.move(7 * DAY - INSTANT)
        assert await kms.state(key_id) is KeyState.PENDING_DELETION
        for call in (
            kms.wrap(KEY, CONTEXT), kms.unwrap(wrapped, CONTEXT), kms.enable(key_id), kms.disable(key_id),
            kms.schedule_deletion(key_id, 30 * DAY),
        ):  # fmt: skip
            with pytest.raises(KmsKeyPendingDeletion):
                await call
        clock.move(INSTANT)  # the second date did not take the place of the first
        with pytest.raises(KmsKeyGone):
            await kms.state(key_id)

    async def test_a_deleted_key_takes_everything_wrapped_under_it_and_nothing_else(
        self, kms: Kms, clock: HandClock
    ) -> None:
        lost = await kms.wrap(KEY, CONTEXT)
        await kms.create_key()
        kept = await kms.wrap(KEY, CONTEXT)
        await kms.schedule_deletion(lost.key_id, 30 * DAY)
        clock.move(30 * DAY)
        for _ in range(2):
            with pytest.raises(KmsKeyGone):
                await kms.unwrap(lost, CONTEXT)
        with pytest.raises(KmsKeyGone):
            await kms.cancel_deletion(lost.key_id)
        assert await kms.unwrap(kept, CONTEXT) == KEY

    async def test_no_key_takes_the_place_of_a_deleted_newest_one(self, kms: Kms, clock: HandClock) -> None:
        newest = await kms.create_key()
        await kms.schedule_deletion(newest, 7 * DAY)
        clock.move(7 * DAY)
        with pytest.raises(KmsKeyGone):
            await kms.wrap(KEY, CONTEXT)

    async def test_a_key_wraps_that_is_named_and_not_the_newest(self, kms: Kms) -> None:
        first = await kms.create_key()
        newest = await kms.create_key()
        wrapped = await kms.wrap(KEY, CONTEXT, first)
        assert wrapped.key_id == first
        moved = await kms.rewrap(wrapped, CONTEXT, newest)
        assert moved.key_id == newest
        assert await kms.unwrap(moved, CONTEXT) == await kms.unwrap(wrapped, CONTEXT) == KEY
        with pytest.raises(KmsBadCiphertext):
            await kms.rewrap(wrapped, {"key": "5f0d"}, newest)
        await kms.disable(first)
        with pytest.raises(KmsKeyDisabled):
            await kms.wrap(KEY, CONTEXT, first)
        assert await kms.unwrap(moved, CONTEXT) == KEY

    async def test_a_retired_key_opens_nothing_any_more_and_is_gone_when_it_says(
        self, kms: Kms, clock: HandClock
    ) -> None:
        wrapped = await kms.wrap(KEY, CONTEXT)
        kept = await kms.wrap(KEY, CONTEXT, await kms.create_key())
        gone_at = await kms.retire(wrapped.key_id)
        assert gone_at == clock() + kms.window
        for call in (kms.unwrap(wrapped, CONTEXT), kms.rewrap(wrapped, CONTEXT, kept.key_id)):
            with pytest.raises((KmsKeyPendingDeletion, KmsKeyGone)):
                await call
        if kms.window:
            clock.move(DAY)
            assert await kms.retire(wrapped.key_id) == gone_at, "the first instant stands"
            clock.move(kms.window - DAY)
        with pytest.raises(KmsKeyGone):
            await kms.state(wrapped.key_id)
        with pytest.raises(KmsKeyGone):
            await kms.retire(wrapped.key_id)
        assert await kms.unwrap(kept, CONTEXT) == KEY

    async def test_a_cancelled_deletion_leaves_the_key_disabled(self, kms: Kms, clock: HandClock) -> None:
        wrapped = await kms.wrap(KEY, CONTEXT)
        await kms.schedule_deletion(wrapped.key_id, 7 * DAY)
        await kms.cancel_deletion(wrapped.key_id)
        clock.move(8 * DAY)
        assert await kms.state(wrapped.key_id) is KeyState.DISABLED
        with pytest.raises(KmsKeyDisabled):
            await kms.unwrap(wrapped, CONTEXT)
        await kms.enable(wrapped.key_id)
        assert await kms.unwrap(wrapped, CONTEXT) == KEY

    async def test_only_a_waiting_deletion_can_be_cancelled(self, kms: Kms) -> None:
        key_id = await kms.create_key()
        with pytest.raises(KmsWrongState):
            await kms.cancel_deletion(key_id)
        assert await kms.state(key_id) is KeyState.ENABLED

    @pytest.mark.parametrize("window", [7 * DAY - INSTANT, 30 * DAY + INSTANT, timedelta(0), -DAY])
    async def test_a_window_outside_7_to_30_days_is_refused(self, kms: Kms, window: timedelta) -> None:
        key_id = await kms.create_key()
        with pytest.raises(KmsBadWindow):
            await kms.schedule_deletion(key_id, window)
        assert await kms.state(key_id) is KeyState.ENABLED

    async def test_an_outage_is_told_as_such_by_every_method(
        self, kms: Kms, outage: Callable[[], None]
    ) -> None:
        wrapped = await kms.wrap(KEY, CONTEXT)
        outage()
        for call in (
            kms.wrap(KEY, CONTEXT), kms.unwrap(wrapped, CONTEXT), kms.create_key(), kms.state(wrapped.key_id),
            kms.enable(wrapped.key_id), kms.disable(wrapped.key_id), kms.schedule_deletion(wrapped.key_id),
            kms.cancel_deletion(wrapped.key_id), kms.retire(wrapped.key_id),
            kms.rewrap(wrapped, CONTEXT, wrapped.key_id),
        ):  # fmt: skip
            with pytest.raises(KmsUnavailable):
                await call

    async def test_errors_quote_neither_keys_nor_contexts(self, kms: Kms) -> None:
        wrapped = await kms.wrap(KEY, CONTEXT)
        with pytest.raises(KmsError) as refusal:
            await kms.unwrap(wrapped, {"key": "canary-5f0d"})
        assert not refusal.value.args
        assert "canary" not in str(refusal.value)
