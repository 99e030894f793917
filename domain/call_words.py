"""What people on a call are told by us, in the languages that we speak. A closed set: nothing personal is ever said."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Self

from domain.values import Locale

_HEBREW = re.compile(r"[\u05d0-\u05ea]")


class Spoken(StrEnum):
    """A language in which people on a call are spoken to."""

    ENGLISH = "en"
    HEBREW = "he"

    @classmethod
    def of_locale(cls, locale: Locale | None) -> Self:
        """Return the language of a person who speaks this; English where we do not."""
        return cls.named("" if locale is None else locale.partition("-")[0])

    @classmethod
    def of_words(cls, words: str) -> Self:
        """Return whose voice can read these words: one of another language would stumble over the letters."""
        return cls("he" if _HEBREW.search(words) else "en")

    @classmethod
    def named(cls, name: str) -> Self:
        """Return the language of this name; English for any other."""
        return cls(name if name in {each.value for each in Spoken} else "en")


class Notice(StrEnum):
    """What somebody is told."""

    LEAVE_A_MESSAGE = "leave_a_message"
    SAY_YOUR_GREETING = "say_your_greeting"
    """To a line's own person."""
    PRESS_TO_TAKE = "press_to_take"
    """To whoever answers a forwarded call; `{key}` is the key that takes it."""
    NO_EMERGENCY_CALLS = "no_emergency_calls"
    NOT_ALLOWED = "not_allowed"
    NO_SUCH_NUMBER = "no_such_number"
    SPENT = "spent"
    NOT_NOW = "not_now"
    BLOCKED = "blocked"

    def words(self, language: Spoken) -> str:
        """Return what is said."""
        return WORDS[language][self]


WORDS: Mapping[Spoken, Mapping[Notice, str]] = MappingProxyType(
    {
        Spoken.ENGLISH: {
            Notice.LEAVE_A_MESSAGE: "Nobody can take your call now. Please leave a message after the tone.",
            Notice.SAY_YOUR_GREETING: "After the tone, say what your callers are to hear. Then hang up.",
            Notice.PRESS_TO_TAKE: "You have a call from your Pico line. To take it, press {key}.",
            Notice.NO_EMERGENCY_CALLS: "Emergency calls are not possible here. Hang up, and use a phone.",
            Notice.NOT_ALLOWED: "Calls to this number are not possible.",
            Notice.NO_SUCH_NUMBER: "This number cannot be reached.",
            Notice.SPENT: "You have made as many calls as you may for now. Please try again later.",
            Notice.NOT_NOW: "This call is not possible at the moment. Please try again later.",
            Notice.BLOCKED: "You have blocked this number.",
        },
        Spoken.HEBREW: {
            Notice.LEAVE_A_MESSAGE: "אין מענה כרגע. נא להשאיר הודעה אחרי הצליל.",
            Notice.SAY_YOUR_GREETING: "אחרי הצליל, יש לומר את מה שישמעו המתקשרים אליך, ואז לנתק.",
            Notice.PRESS_TO_TAKE: "יש לך שיחה מהקו שלך בפיקו. כדי לקבל אותה, יש להקיש {key}.",
            Notice.NO_EMERGENCY_CALLS: "אי אפשר להתקשר מכאן לשירותי החירום. נא לנתק ולהשתמש בטלפון.",
            Notice.NOT_ALLOWED: "אי אפשר להתקשר למספר הזה.",
            Notice.NO_SUCH_NUMBER: "לא ניתן להשיג את המספר הזה.",
            Notice.SPENT: "הגעת למספר השיחות המותר לעת עתה. נא לנסות שוב מאוחר יותר.",
            Notice.NOT_NOW: "השיחה אינה אפשרית כרגע. נא לנסות שוב מאוחר יותר.",
            Notice.BLOCKED: "המספר הזה חסום אצלך.",
        },
    }
)
