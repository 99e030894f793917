"""Numbering plans, as the phonenumbers library knows them."""

from __future__ import annotations

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE
from typing_extensions import override

from application.ports.numbering import NumberingPlan
from domain.values import Country, PhoneNumber


class PhonenumbersPlan(NumberingPlan):
    """`NumberingPlan` by country calling codes (ITU-T E.164, 1 to 3 digits)."""

    @override
    def countries(self, number: PhoneNumber) -> frozenset[Country]:
        prefixes = (int(number[1:end]) for end in range(2, 5))
        regions = (COUNTRY_CODE_TO_REGION_CODE.get(prefix, ()) for prefix in prefixes)
        return frozenset(Country(region) for found in regions for region in found)
