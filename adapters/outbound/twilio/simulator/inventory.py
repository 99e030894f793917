"""Numbers on offer at the simulated Twilio: always the same ones, all reserved for fiction.

US and Canada 555-0100 to 555-0199 (NANPA); United Kingdom 07700 900000 to 900999 and 020 7946 0000 to 0999
(Ofcom); France 06 39 98 00 00 to 99 99 (Arcep); Germany 0171 39200 00 to 99 (BNetzA). No range for fiction is
known for Israel: the country is served and has nothing on offer.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

AREAS = """
202 US DC Washington 20001|212 US NY New York 10001|213 US CA Los Angeles 90012|214 US TX Dallas 75201
215 US PA Philadelphia 19102|216 US OH Cleveland 44113|303 US CO Denver 80202|305 US FL Miami 33128
310 US CA Los Angeles 90012|312 US IL Chicago 60602|313 US MI Detroit 48226|314 US MO St. Louis 63103
347 US NY New York 10451|404 US GA Atlanta 30303|407 US FL Orlando 32801|408 US CA San Jose 95113
412 US PA Pittsburgh 15219|415 US CA San Francisco 94103|469 US TX Dallas 75202|503 US OR Portland 97204
504 US LA New Orleans 70112|505 US NM Albuquerque 87102|512 US TX Austin 78701|515 US IA Des Moines 50309
602 US AZ Phoenix 85003|612 US MN Minneapolis 55415|615 US TN Nashville 37219|617 US MA Boston 02108
619 US CA San Diego 92101|646 US NY New York 10007|650 US CA Palo Alto 94301|702 US NV Las Vegas 89101
703 US VA Arlington 22201|704 US NC Charlotte 28202|713 US TX Houston 77002|718 US NY Brooklyn 11201
720 US CO Denver 80203|801 US UT Salt Lake City 84111|804 US VA Richmond 23219|808 US HI Honolulu 96813
816 US MO Kansas City 64106|901 US TN Memphis 38103|907 US AK Anchorage 99501|917 US NY New York 10013
206 US WA Seattle 98104|416 CA ON Toronto M5H|514 CA QC Montreal H2Y|604 CA BC Vancouver V6B
"""


@dataclass(frozen=True, slots=True)
class Range:
    """Numbers that begin with `prefix` and end with `free` more digits."""

    country: str
    kind: str
    prefix: str
    free: int
    can: frozenset[str]
    region: str | None = None
    locality: str | None = None
    postal_code: str | None = None
    needs_address: bool = False

    def __contains__(self, number: str) -> bool:
        tail = number.removeprefix(self.prefix)
        return number.startswith(self.prefix) and len(tail) == self.free and tail.isdecimal()

    def __iter__(self) -> Iterator[str]:
        return (f"{self.prefix}{tail:0{self.free}}" for tail in range(10**self.free))

    @property
    def capabilities(self) -> dict[str, bool]:
        """Flags as Twilio writes them."""
        return {name: name in self.can for name in ("voice", "sms", "mms")}


def _areas() -> Iterator[Range]:
    for entry in re.split(r"[|\n]", AREAS.strip()):
        code, country, region, *locality, postal_code = entry.split(" ")
        can = frozenset({"voice", "sms", "mms"})
        yield Range(country, "Local", f"+1{code}55501", 2, can, region, " ".join(locality), postal_code)


RANGES = (
    *_areas(),
    Range("US", "TollFree", "+180055501", 2, frozenset({"voice", "sms", "mms"})),
    Range("GB", "Mobile", "+447700900", 3, frozenset({"voice", "sms"})),
    Range("GB", "Local", "+442079460", 3, frozenset({"voice"}), locality="London"),
    Range("FR", "Mobile", "+3363998", 4, frozenset({"voice", "sms"}), needs_address=True),
    Range("DE", "Mobile", "+4917139200", 2, frozenset({"voice", "sms"}), needs_address=True),
)
SERVED = {
    "US": ("Local", "TollFree"),
    "CA": ("Local",),
    "GB": ("Local", "Mobile"),
    "FR": ("Mobile",),
    "DE": ("Mobile",),
    "IL": ("Local", "Mobile"),
}
DIALLING = {"+1": "US", "+44": "GB", "+33": "FR", "+49": "DE", "+46": "SE", "+61": "AU", "+972": "IL"}
KEYPAD = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "22233344455566677778889999")
WILDCARDS = {"*": "[0-9]", "%": "[0-9]+", "$": "$", "+": r"\+"}


def range_of(number: str) -> Range | None:
    """Return the range a number on offer belongs to."""
    return next((numbers for numbers in RANGES if number in numbers), None)


def place(number: str) -> dict[str, str]:
    """Tell what Twilio tells unasked about a number's owner: country, and in North America city, state and ZIP."""
    area = next(
        (a for a in RANGES if a.kind == "Local" and a.region and number.startswith(a.prefix[:5])), None
    )
    dialled = (country for prefix, country in DIALLING.items() if number.startswith(prefix))
    country = area.country if area else next(dialled, "")
    city, state, postal_code = (area.locality, area.region, area.postal_code) if area else ("", "", "")
    return {"Country": country, "City": (city or "").upper(), "State": state or "", "Zip": postal_code or ""}


def pattern(contains: str) -> re.Pattern[str]:
    """Compile Twilio's `Contains`: digits or letters anywhere; `*` one digit, `%` several, `$` the end."""
    dialled = contains.upper().translate(KEYPAD)
    return re.compile("".join(WILDCARDS.get(sign, re.escape(sign)) for sign in dialled))
