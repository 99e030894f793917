"""What Telnyx carries for us through a call (Telnyx: client state): sealed, and believed only if we sealed it."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from dataclasses import asdict, dataclass
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from adapters.call_state import CallStage, CallState
from application.ports.keyring import Keyring
from domain.call_words import Spoken
from domain.kernel import CallId, LineId

LARGEST = 1024
"""Signs of Base64 that are looked at."""


@dataclass(frozen=True, slots=True)
class SealedStates:
    """AES-SIV (RFC 5297) under the keyring's "telnyx_calls" key: the same state is the same text every time."""

    keyring: Keyring

    async def sealed(self, state: CallState) -> str:
        """Return a state as Telnyx takes it. Raises KeysUnavailable."""
        said = {name: value for name, value in asdict(state).items() if value}
        text = json.dumps(said, default=str, separators=(",", ":"))
        return b64encode((await self._cipher()).encrypt(text.encode(), None)).decode()

    async def opened(self, text: object) -> CallState | None:
        """Return what a state says; None for none, and for one that was not sealed here. Raises KeysUnavailable."""
        if not isinstance(text, str) or not 0 < len(text) <= LARGEST:
            return None
        try:
            said = json.loads((await self._cipher()).decrypt(b64decode(text, validate=True), None))
        except (ValueError, InvalidTag):
            return None
        for name, kind in (("line_id", LineId), ("call_id", CallId)):
            if name in said:
                said[name] = kind(UUID(said[name]))
        stage, language = CallStage(said["stage"]), Spoken(said["language"])
        return CallState(**said | {"stage": stage, "language": language})

    async def _cipher(self) -> AESSIV:
        key = await self.keyring.system("telnyx_calls")
        return AESSIV(HKDF(SHA256(), 64, None, b"pico telnyx calls").derive(key))
