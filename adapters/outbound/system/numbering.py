"""Numbering plans, as the phonenumbers library knows them."""

from __future__ import annotations

import re

from phonenumbers import (
    NumberParseException,
    PhoneNumberFormat,
    ValidationResult,
    connects_to_emergency_number,
    format_number,
    is_possible_number,
    is_possible_number_with_reason,
    is_possible_short_number_for_region,
    is_valid_number,
    parse,
    region_code_for_country_code,
    region_code_for_number,
)
from phonenumbers import PhoneNumber as Parsed
from typing_extensions import override

from application.ports.numbering import NumberingPlan
from domain.destinations import Destination
from domain.values import Country, InvalidPhoneNumber, Peer, PhoneNumber

COUNTRY = re.compile(r"(?!ZZ)[A-Z]{2}\Z")
"""ISO 3166; `001` is a network of no country's, ZZ nothing at all."""
HELP_ANYWHERE = frozenset({"112", "911", "000", "08", "110", "118", "119", "999"})
"""What a mobile phone takes for a call for help in every country (3GPP TS 22.101, 10.1.1)."""
NOT_IN_NORTH_AMERICA = re.compile(r"\+1(?![2-9](?!11)[0-9]{2}[2-9])")
"""Area codes and exchanges that +1 cannot have (NANP); which of the others are in use changes every month."""
NORTH_AMERICAN = re.compile(r"\+1[2-9](?!11)[0-9]{2}[2-9][0-9]{6}\Z")
"""A whole number of +1. Most are, and need not be parsed, which twice took 7 % of the server's time for a send."""


class PhonenumbersPlan(NumberingPlan):
    """`NumberingPlan` by country calling codes (ITU-T E.164, 1 to 3 digits), lengths, and national short numbers."""

    @override
    def country(self, number: PhoneNumber) -> Country | None:
        if NORTH_AMERICAN.match(number):
            parsed = Parsed(country_code=1, national_number=int(number[2:]))
        else:
            try:
                parsed = parse(number)
            except NumberParseException:
                return None
        region = region_code_for_number(parsed) or region_code_for_country_code(parsed.country_code or 0)
        return Country(region) if COUNTRY.match(region) else None

    @override
    def destination(self, peer: Peer, country: Country) -> Destination:
        if NORTH_AMERICAN.match(peer):
            return Destination.NUMBER
        if peer in HELP_ANYWHERE or connects_to_emergency_number(peer, country):
            return Destination.EMERGENCY
        if NOT_IN_NORTH_AMERICA.match(peer):
            return Destination.NOBODY
        try:
            number = parse(peer, country)
        except NumberParseException:
            return Destination.NOBODY
        if not peer.startswith("+"):
            short = is_possible_short_number_for_region(number, country)
            return Destination.SHORT_CODE if short else Destination.NOBODY
        possible = is_possible_number_with_reason(number) == ValidationResult.IS_POSSIBLE
        return Destination.NUMBER if possible else Destination.NOBODY

    @override
    def e164(self, text: str, country: Country | None) -> PhoneNumber | None:
        try:
            number = parse(text, country)
            # A national number is taken for one of this country only if it really is: "1234567" may be anything.
            known = is_possible_number(number) if text.lstrip().startswith("+") else is_valid_number(number)
            if number.extension or not known:
                return None
            return PhoneNumber.parse(format_number(number, PhoneNumberFormat.E164))
        except (NumberParseException, InvalidPhoneNumber):
            return None
