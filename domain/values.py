"""Values with rules. Their `repr` and their errors never show what they hold."""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum
from typing import Self

from domain import language_tags
from domain.kernel import PicoError
from domain.text import shown

E164_LENGTH = re.compile(r"\+[1-9][0-9]{6,14}\Z")
SHORT_CODE = re.compile(r"[0-9]{3,8}\Z")
BREAKS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class PersonalText(str):
    """Text about a person. It is a string in every respect but one: printing its `repr` shows nothing."""

    __slots__ = ()

    def __repr__(self) -> str:
        """Name the type, hide the value."""
        return f"<{type(self).__name__}>"

    @property
    def canonical(self) -> str:
        """The form under which two of them are the same."""
        return str(self)


class InvalidPhoneNumber(PicoError):
    """A phone number is written as E.164: a plus sign, then 7 to 15 digits."""

    code = "invalid_phone_number"


class PhoneNumber(PersonalText):
    """An E.164 number (ITU-T E.164: at most 15 digits, country code first)."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the number; raises InvalidPhoneNumber."""
        if not E164_LENGTH.match(text):
            raise InvalidPhoneNumber
        return cls(text)

    @classmethod
    def or_none(cls, text: str) -> Self | None:
        """Return the number; None for what is none, such as the name of an app or of a sender."""
        return cls(text) if E164_LENGTH.match(text) else None


class InvalidPeer(PicoError):
    """The other side is an E.164 number, a short code of 3 to 8 digits, or a sender name of up to 11 characters."""

    code = "invalid_peer"


class Peer(PersonalText):
    """The other side of a conversation: E.164, short code, or alphanumeric sender name."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the peer; raises InvalidPeer."""
        if not 1 <= len(text) <= 64 or text.strip() != text or shown(text) != text:  # noqa: PLR2004 - see of_sender
            raise InvalidPeer
        return cls(text)

    @classmethod
    def of_sender(cls, text: str) -> Self:
        """Return whom a carrier names as the sender, made fit to be kept: a message is never lost for its sender.

        What cannot be seen goes; line breaks and runs of blanks become one blank; 64 characters are kept; nobody is
        called "unknown".
        """
        visible = " ".join(shown(BREAKS.sub(" ", text)).split())
        return cls(shown(visible[:64]).rstrip() or "unknown")

    @classmethod
    def destination(cls, text: str) -> Self:
        """Return somebody who can be sent a message: an E.164 number or a short code. Raises InvalidPhoneNumber.

        A sender name can be received from, but not answered.
        """
        return cls(text) if SHORT_CODE.match(text) else cls(PhoneNumber.parse(text))


class InvalidEmail(PicoError):
    """An e-mail address is well formed, has 254 characters at most, and none that hides or looks like another."""

    code = "invalid_email"


class Email(PersonalText):
    """An e-mail address, its domain as the inbound adapter reads it; `canonical` is what makes two of them the same."""

    __slots__ = ()

    @property
    def canonical(self) -> str:
        """Composed, in small letters: in practice no provider tells mailboxes apart by case.

        Letter for letter: "ß" is not "ss", in a domain (IDNA 2008) nor before it.
        """
        local, _, domain = unicodedata.normalize("NFC", self).rpartition("@")
        return unicodedata.normalize("NFC", f"{''.join(map(_small, local))}@{domain.lower()}")


def _small(letter: str) -> str:
    """Fold the case of one letter into one letter (Unicode's simple case folding)."""
    folded = letter.casefold()
    return folded if len(folded) == 1 else letter.lower()


class InvalidLocale(PicoError):
    """A locale is a language tag such as "en" or "he-IL"."""

    code = "invalid_locale"


class Locale(PersonalText):
    """A language tag (RFC 5646) in canonical form: language, optional script, optional region."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the tag, however a phone says it; raises InvalidLocale."""
        if (tag := language_tags.canonical(text)) is None:
            raise InvalidLocale
        return cls(tag)


class InvalidLabel(PicoError):
    """A name or label has 1 to 64 characters that can be seen: none that controls, hides or turns others round."""

    code = "invalid_label"


class Label(PersonalText):
    """A short name that a person gave: to themselves or to a line."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the label; raises InvalidLabel."""
        if not 1 <= len(text) <= 64 or not text.strip() or shown(text) != text:  # noqa: PLR2004 - see InvalidLabel
            raise InvalidLabel
        return cls(text)


class InvalidMessageBody(PicoError):
    """A message has at least one character, and no NUL."""

    code = "invalid_message_body"


class MessageTooLong(InvalidMessageBody):
    """A message has 1600 characters at most, the carrier's limit; most emoji count as two or more."""

    code = "message_too_long"


class MessageBody(PersonalText):
    """What a message says. Received bodies may be empty; sent ones may not."""

    __slots__ = ()
    LIMIT = 1600

    @property
    def length(self) -> int:
        """How many characters carriers count: UTF-16 units, two for each character beyond U+FFFF."""
        return len(self.encode("utf-16-le", "surrogatepass")) // 2

    @property
    def fits(self) -> bool:
        """Whether carriers take one that is so long."""
        return self.length <= self.LIMIT

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return a body fit to send; raises InvalidMessageBody, MessageTooLong."""
        if not text or "\x00" in text:
            raise InvalidMessageBody
        body = cls(text)
        if not body.fits:
            raise MessageTooLong
        return body


class InvalidClientReference(PicoError):
    """An app's own reference of a message has 1 to 64 characters that can be seen."""

    code = "invalid_client_reference"


class ClientReference(PersonalText):
    """What an app calls a message in its own records. It says nothing to anybody else."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the reference, to the letter; raises InvalidClientReference."""
        if not 1 <= len(text) <= 64 or not text.strip() or shown(text) != text:  # noqa: PLR2004 - see InvalidClientReference
            raise InvalidClientReference
        return cls(text)


class PasswordHash(PersonalText):
    """An Argon2id hash in PHC string format."""

    __slots__ = ()


class WeakPassword(PicoError):
    """A password has 12 to 256 characters."""

    code = "weak_password"


class Password(PersonalText):
    """A password on its way to the hasher; it is never stored. However a keyboard composes its letters, it is one."""

    __slots__ = ()
    SHORTEST = 12
    LONGEST = 256
    """Composed (NFC)."""
    LONGEST_SPELLING = 4 * LONGEST
    """A composed letter is spelled in four characters at most."""

    @classmethod
    def presented(cls, text: str) -> Self:
        """Return a password to be checked, in any spelling of what `parse` takes or took. Raises WeakPassword."""
        if len(text) <= cls.LONGEST_SPELLING:
            password = cls(unicodedata.normalize("NFC", text))
            if 1 <= len(password) <= cls.LONGEST:
                return password
        raise WeakPassword

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return a password to be kept; raises WeakPassword."""
        password = cls.presented(text)
        if min(len(text), len(password)) < cls.SHORTEST:
            raise WeakPassword
        return password


class SignUpPlace(PersonalText):
    """One of the few places that an address has for sign-ups that are not verified yet."""

    __slots__ = ()
    MOST = 5
    """Unverified sign-ups of one address at a time."""

    @classmethod
    def every(cls, email: Email) -> tuple[Self, ...]:
        """Return all places of an address."""
        return tuple(cls(f"{email.canonical} {number}") for number in range(cls.MOST))


class SessionToken(PersonalText):
    """A bearer token, known in clear only to the person who signed in."""

    __slots__ = ()


class Country(str):
    """An ISO 3166-1 alpha-2 code."""

    __slots__ = ()


class Capability(StrEnum):
    """What a number can do."""

    SMS = "sms"
    MMS = "mms"
    VOICE = "voice"
