"""Master keys at AWS KMS, which they never leave.

Which errors mean what: "Key states of AWS KMS keys" and the API reference. An error's message may quote what was sent,
so nothing of it is passed on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from math import ceil
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeVar

from botocore.exceptions import BotoCoreError, ClientError
from typing_extensions import override

from adapters.outbound.aws.calls import AwsCalls, TooManyCalls
from application.ports.kms import (
    LONGEST_WINDOW,
    PLAINTEXT,
    SHORTEST_WINDOW,
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

if TYPE_CHECKING:
    from types_boto3_kms import KMSClient
    from types_boto3_kms.type_defs import TagTypeDef

DAY = timedelta(days=1)
DESCRIPTION = "Wraps the keys of Pico's accounts"
TAGS: list[TagTypeDef] = [{"TagKey": "pico", "TagValue": "master-key"}]
"""By which the roles of deploy/aws/roles.yaml know a master key from every other key of the account."""

_ERRORS: Mapping[str, type[KmsError]] = MappingProxyType({
    "InvalidCiphertextException": KmsBadCiphertext,
    "IncorrectKeyException": KmsBadCiphertext,
    "DisabledException": KmsKeyDisabled,
    "NotFoundException": KmsKeyGone,
    "KMSInvalidStateException": KmsWrongState,
})  # fmt: skip
"""Every other code is an outage: throttling, a fault of theirs, or a permission that somebody can give."""

T = TypeVar("T")


class AwsKms(Kms):
    """`Kms` over a boto3 client.

    A key's id is its ARN, as KMS answers it: it stays the same when an alias moves on. Whether a deletion was asked for
    may take other processes' calls some seconds to notice.
    """

    window = SHORTEST_WINDOW

    def __init__(self, client: KMSClient, calls: AwsCalls, key_id: str) -> None:
        """`key_id`, an ARN, an id or an alias, wraps until `create_key` makes another; nothing is asked yet."""
        self._client = client
        self._calls = calls
        self._newest = key_id

    @override
    async def wrap(
        self, plaintext: bytes, context: Mapping[str, str], key_id: str | None = None
    ) -> WrappedKey:
        if len(plaintext) != PLAINTEXT:
            raise ValueError("Only keys of 32 bytes are wrapped.")
        under = key_id or self._newest

        def act() -> WrappedKey:
            made = self._client.encrypt(KeyId=under, Plaintext=plaintext, EncryptionContext=dict(context))
            return WrappedKey(made["KeyId"], made["CiphertextBlob"])

        return await self._ask(under, act)

    @override
    async def unwrap(self, wrapped: WrappedKey, context: Mapping[str, str]) -> bytes:
        if not wrapped.blob:
            raise KmsBadCiphertext

        def act() -> bytes:
            opened = self._client.decrypt(
                KeyId=wrapped.key_id, CiphertextBlob=wrapped.blob, EncryptionContext=dict(context)
            )
            return opened["Plaintext"]

        return await self._ask(wrapped.key_id, act)

    @override
    async def rewrap(self, wrapped: WrappedKey, context: Mapping[str, str], key_id: str) -> WrappedKey:
        """Have KMS do it: the key itself does not leave it."""

        def act() -> WrappedKey:
            made = self._client.re_encrypt(
                CiphertextBlob=wrapped.blob,
                SourceKeyId=wrapped.key_id,
                SourceEncryptionContext=dict(context),
                DestinationKeyId=key_id,
                DestinationEncryptionContext=dict(context),
            )
            return WrappedKey(made["KeyId"], made["CiphertextBlob"])

        return await self._ask(wrapped.key_id, act)

    @override
    async def create_key(self) -> str:
        made = await self._ask("", lambda: self._client.create_key(Description=DESCRIPTION, Tags=TAGS))
        self._newest = made["KeyMetadata"]["Arn"]
        return self._newest

    @override
    async def state(self, key_id: str) -> KeyState:
        return (await self._status(key_id))[0]

    @override
    async def enable(self, key_id: str) -> None:
        await self._must_be_kept(key_id)
        await self._ask(key_id, lambda: self._client.enable_key(KeyId=key_id))

    @override
    async def disable(self, key_id: str) -> None:
        await self._must_be_kept(key_id)
        await self._ask(key_id, lambda: self._client.disable_key(KeyId=key_id))

    @override
    async def schedule_deletion(self, key_id: str, window: timedelta = LONGEST_WINDOW) -> datetime:
        """Stop the key now; the window is a whole number of days, rounded up."""
        if not SHORTEST_WINDOW <= window <= LONGEST_WINDOW:
            raise KmsBadWindow
        await self._must_be_kept(key_id)
        days = ceil(window / DAY)
        asked = await self._ask(
            key_id, lambda: self._client.schedule_key_deletion(KeyId=key_id, PendingWindowInDays=days)
        )
        return asked["DeletionDate"].astimezone(UTC)

    @override
    async def retire(self, key_id: str) -> datetime:
        state, gone_at = await self._status(key_id)
        if state is KeyState.PENDING_DELETION and gone_at is not None:
            return gone_at
        return await self.schedule_deletion(key_id, self.window)

    @override
    async def cancel_deletion(self, key_id: str) -> None:
        if await self.state(key_id) is not KeyState.PENDING_DELETION:
            raise KmsWrongState
        await self._ask(key_id, lambda: self._client.cancel_key_deletion(KeyId=key_id))

    async def _must_be_kept(self, key_id: str) -> None:
        if await self.state(key_id) is KeyState.PENDING_DELETION:
            raise KmsKeyPendingDeletion

    async def _status(self, key_id: str) -> tuple[KeyState, datetime | None]:
        """Return the key's state, and when it will be gone if it is to be."""
        described = (await self._ask(key_id, lambda: self._client.describe_key(KeyId=key_id)))["KeyMetadata"]
        gone_at = described.get("DeletionDate")
        match described.get("KeyState"):
            case "Enabled":
                return KeyState.ENABLED, None
            case "Disabled":
                return KeyState.DISABLED, None
            case "PendingDeletion":
                return KeyState.PENDING_DELETION, gone_at and gone_at.astimezone(UTC)
        raise KmsUnavailable  # such as Creating, Updating, Unavailable: it passes

    async def _ask(self, key_id: str, act: Callable[[], T]) -> T:
        """Ask KMS; what it refuses is told in our words, and a state that does not allow it is looked up."""
        try:
            return await self._calls(act)
        except ClientError as error:
            kind = _ERRORS.get(error.response.get("Error", {}).get("Code", ""), KmsUnavailable)
        except (BotoCoreError, TooManyCalls):
            kind = KmsUnavailable
        if kind is KmsWrongState and key_id:
            state = await self.state(key_id)
            kind = KmsKeyPendingDeletion if state is KeyState.PENDING_DELETION else KmsKeyDisabled
        raise kind
