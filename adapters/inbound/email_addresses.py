"""How an e-mail address from outside becomes the one spelling of its mailbox, by the email-validator library.

Nothing is looked up in the DNS: an address is proved by the mail that arrives.
"""

from __future__ import annotations

import unicodedata

from email_validator import EmailNotValidError, ValidatedEmail, validate_email

from domain.text import hides
from domain.values import Email, InvalidEmail

LONGEST = 254
"""RFC 5321, 4.5.3.1.3."""
THAI_AND_LAO_AM = str.maketrans("", "", "\u0e33\u0eb3")
"""Vowels of everyday words, although Unicode counts them among the look-alikes."""


def email_address(text: str) -> Email:
    """Return the address: without needless quotes or a last dot, composed, its domain in small letters of its script.

    Raises InvalidEmail, also where the spelling looks like another: by a character that is not seen, or by one that
    Unicode keeps for compatibility (a wide letter, a ligature).
    """
    found = None if len(text) > LONGEST or hides(text) else _read(text)
    if found is None or _has_look_alikes(found.local_part or ""):
        raise InvalidEmail
    return Email(found.normalized)


def _read(text: str) -> ValidatedEmail | None:
    try:
        return validate_email(
            text.removesuffix("."),
            allow_quoted_local=True,
            check_deliverability=False,
            strict=True,
            test_environment=True,  # the Sandbox may be tried with addresses below .test
        )
    except EmailNotValidError:
        return None


def _has_look_alikes(text: str) -> bool:
    composed = unicodedata.normalize("NFC", text).translate(THAI_AND_LAO_AM)
    return unicodedata.normalize("NFKC", composed) != composed
