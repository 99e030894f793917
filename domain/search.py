"""Searching by words: how text becomes words, and the segments in which an account's words lie at rest."""

from __future__ import annotations

import re
import struct
import unicodedata
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Annotated, ClassVar, NamedTuple, NewType, Self
from uuid import UUID

from domain.classification import held
from domain.kernel import AccountId, Aggregate, ConversationId, LineId, MessageId, PicoError
from domain.values import PersonalText

SegmentId = NewType("SegmentId", UUID)

SHORTEST_PREFIX = 3
"""Letters of a word from which on it stands for all words that begin so. A shorter one is meant as it is."""
MOST_WORDS = 8
STEP = 16 * 1024
"""A segment's size at rest is a multiple of so many bytes."""
NIQQUD = re.compile("[\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7]")
"""What Hebrew is pointed with, and nearly nobody types."""
_MARKS = "".join(re.escape(chr(c)) for c in range(0x300, 0x1E000) if unicodedata.category(chr(c))[0] == "M")
WORD = re.compile(f"[^\\W_](?:[^\\W_]|[{_MARKS}])*")
"""Letters and digits with the marks on them."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
HEAD = struct.Struct(">BIIQ")
FORMAT = 1


class InvalidSearch(PicoError):
    """A search has 1 to 8 words, and 100 characters at most."""

    code = "invalid_search"


def words(text: str) -> list[str]:
    """Return the words of a text in the form in which they are compared: NFKC, case folded, niqqud taken off."""
    if text.isascii():
        return WORD.findall(text.lower())
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    bare = NIQQUD.sub("", unicodedata.normalize("NFD", folded))
    return WORD.findall(unicodedata.normalize("NFC", bare))


class Query(PersonalText):
    """What is searched for."""

    __slots__ = ()
    LONGEST = 100

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the query; raises InvalidSearch."""
        if len(text) > cls.LONGEST or not 1 <= len(words(text)) <= MOST_WORDS:
            raise InvalidSearch
        return cls(text)

    @property
    def needles(self) -> list[bytes]:
        """What each word looks like in `record`, the longest first."""
        longest_first = sorted(set(words(self)), key=len, reverse=True)
        return [f" {word}{'' if len(word) >= SHORTEST_PREFIX else ' '}".encode() for word in longest_first]


def record(text: str) -> bytes:
    """Return a text's words as they are looked through."""
    return f" {' '.join(words(text))} \n".encode()


class Said(NamedTuple):
    """A message as far as it is searched."""

    id: MessageId
    conversation_id: ConversationId
    line_id: LineId
    created_at: datetime
    body: str | None
    """None where it cannot be read."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which messages are looked for: with all the words, and of a line, of some conversations, of a time."""

    query: Query
    line_id: LineId | None = None
    conversations: frozenset[ConversationId] | None = None
    after: datetime | None = None
    before: datetime | None = None

    def takes(self, said: Said) -> bool:
        """Tell whether a message is one of them."""
        text = record(said.body or "")
        return (
            self.is_of(said.conversation_id, said.line_id)
            and self.is_at(said.created_at)
            and all(needle in text for needle in self.query.needles)
        )

    def is_of(self, conversation_id: ConversationId, line_id: LineId) -> bool:
        """Tell whether a conversation of a line is looked through."""
        if self.line_id not in {None, line_id}:
            return False
        return self.conversations is None or conversation_id in self.conversations

    def is_at(self, at: datetime) -> bool:
        """Tell whether a moment is in the time that is looked through: from `after` on, and before `before`."""
        return (self.after is None or self.after <= at) and (self.before is None or at < self.before)


@dataclass(frozen=True, slots=True)
class Segment:
    """The words of some messages that follow each other, opened: as bytes, which are looked through as they are."""

    talks: tuple[tuple[ConversationId, LineId], ...]
    ids: bytes
    of: array[int]
    """Of each message, in which of the `talks` it is; `times` and `starts` likewise."""
    times: array[int]
    starts: array[int]
    text: bytes

    @classmethod
    def of_messages(cls, messages: Iterable[Said]) -> Segment:
        """Take in messages in rising order of id."""
        talks: dict[tuple[ConversationId, LineId], int] = {}
        ids, of, times, starts, text = bytearray(), array("I"), array("q"), array("I"), bytearray()
        for said in messages:
            ids += said.id.bytes
            of.append(talks.setdefault((said.conversation_id, said.line_id), len(talks)))
            times.append((said.created_at - EPOCH) // MICROSECOND)
            starts.append(len(text))
            text += record(said.body or "")
        return cls(tuple(talks), bytes(ids), of, times, starts, bytes(text))

    def __len__(self) -> int:
        return len(self.of)

    @property
    def size(self) -> int:
        """About how many bytes it takes in memory."""
        return 1024 + len(self.ids) + 16 * len(self) + len(self.text) + 400 * len(self.talks)

    def has(self, message_id: UUID) -> bool:
        """Tell whether it holds the words of this message."""
        at = self._count_before(message_id)
        return self.ids[16 * at : 16 * at + 16] == message_id.bytes

    def talks_in(self, conversation_id: UUID) -> bool:
        """Tell whether it holds words of this conversation."""
        return any(conversation_id == talk for talk, _ in self.talks)

    def search(self, wanted: Wanted, before: UUID | None) -> Iterator[MessageId]:
        """Yield the messages that are wanted, newest first, from just before the given one on."""
        first, *others = wanted.query.needles
        talks = {at for at, talk in enumerate(self.talks) if wanted.is_of(*talk)}
        count = len(self) if before is None else self._count_before(before)
        end = self.starts[count] if count < len(self) else len(self.text)
        while talks and (found := self.text.rfind(first, 0, end)) >= 0:
            at = bisect_right(self.starts, found) - 1
            start, end = self.starts[at], self.starts[at + 1] if at + 1 < len(self) else len(self.text)
            if (
                self.of[at] in talks
                and wanted.is_at(EPOCH + self.times[at] * MICROSECOND)
                and all(self.text.find(other, start, end) >= 0 for other in others)
            ):
                yield MessageId(UUID(bytes=self.ids[16 * at : 16 * at + 16]))
            end = start

    def pack(self) -> bytes:
        """Return it as bytes for the rest, filled up to a multiple of STEP."""
        head = HEAD.pack(FORMAT, len(self), len(self.talks), len(self.text))
        talks = b"".join(talk.bytes + line.bytes for talk, line in self.talks)
        packed = b"".join(
            (head, talks, self.ids, *map(_packed, (self.of, self.times, self.starts)), self.text)
        )
        return packed + bytes(-len(packed) % STEP)

    @classmethod
    def unpack(cls, packed: bytes) -> Segment:
        """Read what `pack` wrote."""
        _, count, talk_count, length = HEAD.unpack_from(packed)
        at = HEAD.size

        def next_bytes(size: int) -> bytes:
            nonlocal at
            at += size
            return packed[at - size : at]

        pairs = [next_bytes(32) for _ in range(talk_count)]
        talks = tuple((ConversationId(UUID(bytes=p[:16])), LineId(UUID(bytes=p[16:]))) for p in pairs)
        ids = next_bytes(16 * count)
        arrays = [array(kind, b"") for kind in "IqI"]
        for numbers in arrays:
            numbers.frombytes(next_bytes(numbers.itemsize * count))
        of, times, starts = arrays
        return cls(talks, ids, of, times, starts, next_bytes(length))

    def _count_before(self, message_id: UUID) -> int:
        low, high, wanted = 0, len(self), message_id.bytes
        while low < high:
            middle = (low + high) // 2
            if self.ids[16 * middle : 16 * middle + 16] < wanted:
                low = middle + 1
            else:
                high = middle
        return low


def _packed(numbers: array[int]) -> bytes:
    return numbers.tobytes()


@dataclass(slots=True, kw_only=True)
class SearchSegment(Aggregate):
    """A segment at rest: sealed as a whole, so that nothing but its size shows, and where it begins and ends."""

    stored_as: ClassVar[str] = "search_segments"
    clause: ClassVar[str] = "C17"

    account_id: AccountId
    id: Annotated[SegmentId, held(exported=False)]
    first: Annotated[MessageId, held(exported=False, bound=True)]
    through: Annotated[MessageId, held(exported=False, bound=True)]
    content: Annotated[bytes, held(exported=False)] = field(repr=False)
