"""Language tags (RFC 5646) as phones say them: in any case, with underscores, under a withdrawn code, with a tail.

What follows language, script and region tells of calendars, digits or keyboards: nothing here needs it, so it goes.
"""

from __future__ import annotations

import re

SHAPE = re.compile(
    r"(?:[Zz][Hh][-_]([A-Za-z]{3})|([A-Za-z]{2,3}))"  # language; Chinese ones have an older name: zh-yue is yue
    r"(?:[-_]([A-Za-z]{4}))?(?:[-_]([A-Za-z]{2}|[0-9]{3}))?"  # script and region
    r"(?:_#([A-Za-z]{4}))?"  # script, as Java writes it
    r"(?:[-_](?:[0-9A-Za-z]{5,8}|[0-9][0-9A-Za-z]{3}))*"  # variants
    r"(?:[-_][0-9A-WY-Za-wy-z](?:[-_][0-9A-Za-z]{2,8})+)*(?:[-_][Xx](?:[-_][0-9A-Za-z]{1,8})+)?"  # extensions
    r"(?:[.@][!-~]{1,64})?\Z"  # encoding or keywords, as POSIX and Apple write them
)
LONGEST = 128
WITHDRAWN_LANGUAGES = {"in": "id", "iw": "he", "ji": "yi", "jw": "jv", "mo": "ro"}
"""Older Androids and Javas say them still."""
WITHDRAWN_REGIONS = {"BU": "MM", "DD": "DE", "FX": "FR", "TP": "TL", "UK": "GB", "YD": "YE", "ZR": "CD"}


def canonical(text: str) -> str | None:
    """Return language, script and region in canonical form: "iw_il" is "he-IL". None where it is no language tag."""
    if len(text) > LONGEST or not (match := SHAPE.match(text)):
        return None
    chinese, other, script, region, java_script = match.groups(default="")
    language, region = (chinese or other).lower(), region.upper()
    parts = (
        WITHDRAWN_LANGUAGES.get(language, language),
        (script or java_script).title(),
        WITHDRAWN_REGIONS.get(region, region),
    )
    return "-".join(filter(None, parts))
