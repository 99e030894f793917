"""Greetings: what callers of a line hear before they leave a message."""

from __future__ import annotations

from dataclasses import dataclass
from typing import IO

from pico_client.calls import Calls, part
from pico_client.results import Result


@dataclass(frozen=True, slots=True, repr=False)
class Greeting(Result):
    """What callers of a line hear: `words`, or a recording of this `type`; with neither, the usual one."""

    words: str | None
    type: str | None
    size: int


class Greetings(Calls):
    """What one does with greetings."""

    def read_greeting(self, line_id: str) -> Greeting:
        """Read what callers of a line hear."""
        return self._ask(Greeting, "GET", f"/v1/lines/{part(line_id)}/greeting")

    def write_greeting(self, line_id: str, words: str) -> Greeting:
        """Have callers of a line be read some words."""
        return self._ask(Greeting, "PUT", f"/v1/lines/{part(line_id)}/greeting", body={"words": words})

    def upload_greeting(self, line_id: str, file: IO[bytes], kind: str) -> Greeting:
        """Have callers of a line hear a recording; `kind` is its media type: `audio/mpeg` or `audio/wav`."""
        path = f"/v1/lines/{part(line_id)}/greeting/audio"
        return self._ask(Greeting, "PUT", path, file=file, file_type=kind)

    def download_greeting(self, line_id: str, into: IO[bytes]) -> None:
        """Write the recording that callers of a line hear into a file, piece by piece."""
        with self._stream("GET", f"/v1/lines/{part(line_id)}/greeting/audio") as answer:
            for piece in answer.iter_bytes():
                into.write(piece)

    def remove_greeting(self, line_id: str) -> None:
        """Have callers of a line hear the usual greeting again."""
        self._send("DELETE", f"/v1/lines/{part(line_id)}/greeting")
