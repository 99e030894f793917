"""Voicemail: what callers left, to be listened to, read, marked, corrected and deleted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import IO

from pico_client.calls import Calls, given, part
from pico_client.results import Result


@dataclass(frozen=True, slots=True, repr=False)
class Voicemail(Result):
    """What a caller left; `from_` is None where the caller withheld it.

    The audio can be downloaded while it is `kept`; `absence` is why there is no transcript.
    """

    id: str
    line_id: str
    from_: str | None
    state: str
    type: str | None
    size: int
    duration: int
    refusal: str | None
    transcript: str | None
    transcript_state: str
    absence: str | None
    created_at: datetime
    heard_at: datetime | None
    etag: str | None


@dataclass(frozen=True, slots=True, repr=False)
class VoicemailDeletion(Result):
    """A voicemail that was deleted, and until when that can be undone."""

    id: str
    undo_until: datetime


class Voicemails(Calls):
    """What one does with voicemail."""

    def list_voicemails(self, line_id: str | None = None) -> Iterator[Voicemail]:
        """List voicemail, of one line or of all, newest first."""
        return self._list(Voicemail, "/v1/voicemails", line_id=line_id)

    def read_voicemail(self, voicemail_id: str) -> Voicemail:
        """Read one voicemail."""
        return self._ask(Voicemail, "GET", f"/v1/voicemails/{part(voicemail_id)}")

    def change_voicemail(
        self,
        voicemail_id: str,
        transcript: str | None = None,
        *,
        heard: bool | None = None,
        if_match: str | None = None,
    ) -> Voicemail:
        """Mark a voicemail as heard or not, or write down what was said; None leaves a field as it is.

        With the `etag` that was read, no later change is overwritten.
        """
        change = given(heard=heard, transcript=transcript)
        path = f"/v1/voicemails/{part(voicemail_id)}"
        return self._ask(Voicemail, "PATCH", path, body=change, if_match=if_match)

    def delete_voicemail(self, voicemail_id: str) -> VoicemailDeletion:
        """Delete a voicemail. That can be undone until its `undo_until`."""
        return self._ask(VoicemailDeletion, "DELETE", f"/v1/voicemails/{part(voicemail_id)}")

    def restore_voicemail(self, voicemail_id: str) -> Voicemail:
        """Undo the deletion of a voicemail."""
        return self._ask(Voicemail, "DELETE", f"/v1/voicemails/{part(voicemail_id)}/deletion")

    def download_voicemail(self, voicemail_id: str, into: IO[bytes]) -> None:
        """Write the audio of a voicemail into a file, piece by piece."""
        with self._stream("GET", f"/v1/voicemails/{part(voicemail_id)}/audio") as answer:
            for piece in answer.iter_bytes():
                into.write(piece)
