"""Numbers on offer at the simulated Telnyx: always the same ones, all reserved for fiction.

US 555-0100 to 555-0199 of four areas (NANPA) and United Kingdom 07700 900000 to 900999 (Ofcom).
"""

from collections.abc import Iterator

FEATURES = {"US": ("sms", "mms", "voice"), "GB": ("sms", "voice")}
AREAS = ("202", "415", "646", "312")


def on_offer(country: str) -> Iterator[str]:
    """Yield what could be bought in a country."""
    if country == "US":
        yield from (f"+1{area}55501{tail:02}" for area in AREAS for tail in range(100))
    elif country == "GB":
        yield from (f"+447700900{tail:03}" for tail in range(1000))


def country_of(number: str) -> str | None:
    """Return the country in which a number is on offer; None for one that never is."""
    return next((country for country in FEATURES if number in on_offer(country)), None)
