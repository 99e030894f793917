"""The key management service: master keys that never leave it, and the small keys it wraps under them.

The states and the errors are those of AWS KMS ("Key states of AWS KMS keys"). A master key is one epoch: wrap the
living keys again under a new one, schedule the old one for deletion, and every stray copy of an erased account's
wrapped key dies with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from domain.kernel import ErrorKind, PicoError

PLAINTEXT = 32
"""What is wrapped: a 256-bit key, in bytes."""

SHORTEST_WINDOW = timedelta(days=7)
LONGEST_WINDOW = timedelta(days=30)


class KmsError(PicoError):
    """The key management service did not do it."""

    kind = ErrorKind.UNAVAILABLE
    code = "kms_error"


class KmsUnavailable(KmsError):
    """The key management service did not answer; asking again may help."""

    code = "kms_unavailable"


class KmsWrongState(KmsError):
    """The master key's state does not allow this."""

    code = "kms_wrong_state"


class KmsKeyDisabled(KmsWrongState):
    """The master key is disabled: an operator can enable it."""

    code = "kms_key_disabled"


class KmsKeyPendingDeletion(KmsWrongState):
    """The master key waits to be deleted: an operator can still cancel that."""

    code = "kms_key_pending_deletion"


class KmsKeyGone(KmsError):
    """There is no such master key: it was never made, or it was deleted and nothing brings it back."""

    code = "kms_key_gone"


class KmsBadCiphertext(KmsError):
    """This blob was not wrapped under this master key in this context, or it was altered since."""

    code = "kms_bad_ciphertext"


class KmsBadWindow(KmsError):
    """A master key is deleted 7 to 30 days after it is asked for."""

    kind = ErrorKind.INVALID
    code = "kms_bad_window"


class KeyState(StrEnum):
    """What a master key may do: only an enabled one wraps and unwraps. A deleted one has no state: it is gone."""

    ENABLED = "enabled"
    DISABLED = "disabled"
    PENDING_DELETION = "pending_deletion"


@dataclass(frozen=True, slots=True)
class KeyStatus:
    """A master key's state and, while it waits for its deletion, the instant from which on it is gone.

    These are the rules of "Key states of AWS KMS keys"; every adapter that keeps states itself answers to them.
    """

    state: KeyState = KeyState.ENABLED
    deleted_at: datetime | None = None

    def require_usable(self) -> None:
        """Let the key wrap and unwrap. Raises KmsKeyDisabled, KmsKeyPendingDeletion."""
        self._require_kept()
        if self.state is KeyState.DISABLED:
            raise KmsKeyDisabled

    def enabled(self) -> KeyStatus:
        """Return the status after `Kms.enable`. Raises KmsKeyPendingDeletion. Repeating is harmless."""
        self._require_kept()
        return KeyStatus(KeyState.ENABLED)

    def disabled(self) -> KeyStatus:
        """Return the status after `Kms.disable`. Raises KmsKeyPendingDeletion. Repeating is harmless."""
        self._require_kept()
        return KeyStatus(KeyState.DISABLED)

    def deletion_scheduled(self, now: datetime, window: timedelta) -> KeyStatus:
        """Return the status after `Kms.schedule_deletion`. Raises KmsBadWindow; KmsKeyPendingDeletion if repeated."""
        if not SHORTEST_WINDOW <= window <= LONGEST_WINDOW:
            raise KmsBadWindow
        self._require_kept()
        return KeyStatus(KeyState.PENDING_DELETION, now + window)

    def deletion_cancelled(self) -> KeyStatus:
        """Return the status after `Kms.cancel_deletion`: disabled. Raises KmsWrongState when it is not waiting."""
        if self.state is not KeyState.PENDING_DELETION:
            raise KmsWrongState
        return KeyStatus(KeyState.DISABLED)

    def gone(self, now: datetime) -> bool:
        """Tell whether the window has passed: the key is to be treated as if it had never been."""
        return self.deleted_at is not None and self.deleted_at <= now

    def _require_kept(self) -> None:
        if self.state is KeyState.PENDING_DELETION:
            raise KmsKeyPendingDeletion


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A wrapped key, fit to be stored: `blob` opens only with the master key `key_id`."""

    key_id: str
    blob: bytes


class Kms(Protocol):
    """Every method raises KmsUnavailable when no answer came.

    Encryption contexts are bound to the blob but not secret: they are logged. Put opaque random ids in them only.
    """

    @property
    def window(self) -> timedelta:
        """How long after `retire` an operator can still bring a master key back."""
        ...

    async def wrap(
        self, plaintext: bytes, context: Mapping[str, str], key_id: str | None = None
    ) -> WrappedKey:
        """Wrap a 256-bit key under a master key, None: the newest. Repeating gives another blob of the same key.

        Raises KmsKeyDisabled, KmsKeyPendingDeletion, KmsKeyGone; ValueError for a plaintext of another length.
        """
        ...

    async def unwrap(self, wrapped: WrappedKey, context: Mapping[str, str]) -> bytes:
        """Return the key that was wrapped in exactly this context. Repeating is harmless.

        Raises KmsBadCiphertext, KmsKeyDisabled, KmsKeyPendingDeletion, KmsKeyGone.
        """
        ...

    async def rewrap(self, wrapped: WrappedKey, context: Mapping[str, str], key_id: str) -> WrappedKey:
        """Wrap what was wrapped in this context under another master key. Repeating gives another blob of it.

        Raises what `unwrap` and `wrap` raise.
        """
        ...

    async def create_key(self) -> str:
        """Make a master key, enabled, under which `wrap` wraps from now on; return its id. Each call makes one."""
        ...

    async def state(self, key_id: str) -> KeyState:
        """Return the master key's state. Raises KmsKeyGone. Repeating is harmless."""
        ...

    async def enable(self, key_id: str) -> None:
        """Let a disabled key work again. Raises KmsKeyPendingDeletion, KmsKeyGone. Repeating is harmless."""
        ...

    async def disable(self, key_id: str) -> None:
        """Stop the key until it is enabled. Raises KmsKeyPendingDeletion, KmsKeyGone. Repeating is harmless."""
        ...

    async def schedule_deletion(self, key_id: str, window: timedelta = LONGEST_WINDOW) -> datetime:
        """Stop the key now and delete its material after `window` (7 to 30 days); return that instant.

        Raises KmsBadWindow, KmsKeyGone, and KmsKeyPendingDeletion when it is repeated: the first date stands.
        """
        ...

    async def retire(self, key_id: str) -> datetime:
        """Stop the key now and delete its material as soon as this service does that; return the instant.

        Raises KmsKeyGone. Repeating is harmless: the first instant stands.
        """
        ...

    async def cancel_deletion(self, key_id: str) -> None:
        """Keep a key that waits for its deletion, disabled until it is enabled.

        Raises KmsKeyGone, and KmsWrongState when it is not waiting.
        """
        ...
