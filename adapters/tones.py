"""A voice for whoever has none at hand: a tone, as a telephone would record it."""

from array import array
from math import pi, sin
from sys import byteorder

RATE = 8000
"""Samples a second, of 16 bits each: how Twilio records."""


def tone(seconds: int, hertz: int = 440) -> bytes:
    """Return a WAV file of a quiet tone of that many whole seconds."""
    second = array("h", [int(8000 * sin(2 * pi * hertz * at / RATE)) for at in range(RATE)])
    if byteorder == "big":
        second.byteswap()
    return wav(second.tobytes() * seconds)


def wav(sound: bytes) -> bytes:
    """Put sound into a WAV file: one channel of 16-bit samples (RIFF, PCM)."""
    form = b"fmt " + (16).to_bytes(4, "little") + (1).to_bytes(2, "little") * 2
    form += RATE.to_bytes(4, "little") + (2 * RATE).to_bytes(4, "little")
    form += (2).to_bytes(2, "little") + (16).to_bytes(2, "little")
    body = b"WAVE" + form + b"data" + len(sound).to_bytes(4, "little") + sound
    return b"RIFF" + len(body).to_bytes(4, "little") + body
