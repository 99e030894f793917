"""Which objects belong to an export, and as which files of it: one line a capability."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from application.inventory import BY_TYPE, Stored
from domain.greetings import Greeting, GreetingState
from domain.kernel import Aggregate
from domain.media import Media, MediaState
from domain.voicemail import Voicemail, VoicemailState

Row = Mapping[str, Any]
"""A record as plain values by column name."""


@dataclass(frozen=True, slots=True)
class ExportedFiles:
    """The objects of one kind of record: each has the record's id."""

    folder: str
    of: type[Aggregate]
    kept: Callable[[Row], bool]
    """Whether there is an object."""
    type: str = "type"
    """The column that says what it is."""

    @property
    def stored(self) -> Stored:
        """The kind of record."""
        return BY_TYPE[self.of]

    def name(self, row: Row) -> str:
        """Return the name of the file of a record that has an object."""
        return f"{self.folder}/{row['id']}.{row[self.type] or 'bin'}"


EXPORTED_FILES: tuple[ExportedFiles, ...] = (
    ExportedFiles("media", Media, lambda row: row["state"] == MediaState.KEPT),
    ExportedFiles("voicemail", Voicemail, lambda row: row["state"] == VoicemailState.KEPT),
    ExportedFiles(
        "greetings",
        Greeting,
        lambda row: row["state"] == GreetingState.KEPT and row["sound"] is not None,
        type="sound",
    ),
)
